"""Makes people unrecognisable: where to blur in the frames of a clip, and how.

A head is found by its keypoints; where they are not sure the whole person is blurred, and where
nobody is known to be the whole frame is: what is doubtful is never shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from safety.evidence.chains import Place, Sighting, chains, places
from safety.types import Detections, FloatArray, ObjectClass, Picture

Part = Literal["faces", "bodies"]
"""What is blurred: heads, or whole silhouettes."""

_SURE: Final = 0.5
"""Confidence from which on a keypoint is where it is said to be."""

_HEAD = slice(0, 5)
_SHOULDERS = (5, 6)
_GROWTH_PER_S: Final = 0.6
"""By how much of its size a box grows for each second without a sighting: people move."""

_MOST_GROWTH: Final = 1.0
"""And by how much at the most: whoever moves much is seen."""

_HEAD_S: Final = 0.2
"""Who is unseen for longer may have bent down or fallen: the whole person is blurred."""

_BODY_MARGIN: Final = 0.15

_CLEAR_SCORE: Final = 0.4
_CLEAR: Final = 0.6
"""Confidence of a person and of joints with which somebody is seen in a finished copy."""

_CELLS: Final = 4
"""A blurred place is left with so many colours across: no face survives that."""

_PERSON = list(ObjectClass).index(ObjectClass.PERSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Who was found in one frame.

    Attributes:
        at_s: Time of the frame.
        persons: (N, 4) float32, boxes of persons, normalised.
        heads: (N, 4) float32, what to blur of each so that nobody can be recognised.
        scores: (N,) float32, how sure the network is of each.
    """

    at_s: float
    persons: FloatArray
    heads: FloatArray
    scores: FloatArray

    @classmethod
    def of(cls, detections: Detections, *, at_s: float, aspect: float) -> "Found":
        """From what the network found; ``aspect`` is the frame's width / height."""
        people = detections.classes == _PERSON
        boxes, points = detections.boxes[people], detections.keypoints[people]
        return cls(
            at_s=at_s,
            persons=boxes,
            heads=heads(boxes, points, aspect=aspect),
            scores=detections.scores[people],
        )

    @property
    def sightings(self) -> list[Sighting]:
        """The same, one by one."""
        rows = zip(self.persons, self.heads, self.scores.tolist(), strict=True)
        return [
            Sighting(at_s=self.at_s, box=box, head=head, score=score) for box, head, score in rows
        ]


def heads(boxes: FloatArray, keypoints: FloatArray, *, aspect: float) -> FloatArray:
    """What to blur of each person.

    Args:
        boxes: (N, 4), normalised.
        keypoints: (N, 17, 3), COCO, normalised, with confidence.
        aspect: Width / height of the picture.

    Returns:
        (N, 4) float32: the head with a wide margin, or the whole box where it is not sure.
    """
    stretch = np.array([aspect, 1.0])
    found = [
        _head(box * np.tile(stretch, 2), points[:, :2] * stretch, points[:, 2])
        / np.tile(stretch, 2)
        for box, points in zip(boxes, keypoints, strict=True)
    ]
    return np.array(found, np.float32).reshape(-1, 4)


def regions(frames: Sequence[Found], part: Part) -> list[FloatArray | None]:
    """What to blur in every frame of a clip.

    Besides those who were found in a frame, those who were missed in it: on their way between
    two sightings, or about where they were last seen, the larger the longer ago that is.

    Returns:
        For every frame (N, 4) boxes, normalised; None: everything, for nobody is known to be in
        it and yet somebody may be, or somebody is and may be anywhere.
    """
    times = [frame.at_s for frame in frames]
    chosen: list[list[FloatArray]] = [[] for _ in frames]
    lost: set[int] = set()
    for chain in chains([frame.sightings for frame in frames]):
        found = list(places(chain, times))
        for index, here in enumerate(found):
            # The head's joints jump now and then: it is blurred where it is before and after, too.
            around = [near for near in found[max(0, index - 1) : index + 2] if near]
            chosen[index] += [_hidden(place, part) for place in here]
            if any(place.lost for place in here):
                lost.add(index)
            if part == "faces" and here:
                chosen[index] += [_hidden(each, part) for near in around for each in near]
    return [
        np.stack(boxes) if boxes and index not in lost else None
        for index, boxes in enumerate(chosen)
    ]


def shows_a_head(seen: Detections, boxes: FloatArray | None) -> bool:
    """Whether a head can be found in a blurred picture elsewhere than where it was blurred."""
    if boxes is None:
        return False
    people = (seen.classes == _PERSON) & (seen.scores >= _CLEAR_SCORE)
    points = seen.keypoints[people][:, _HEAD]
    clear = (points[:, :, 2] >= _CLEAR).sum(axis=1) >= 2
    heads_xy = points[clear].reshape(-1, 3)
    heads_xy = heads_xy[heads_xy[:, 2] >= _CLEAR][:, None, :2]
    inside = ((heads_xy >= boxes[:, :2]) & (heads_xy <= boxes[:, 2:])).all(axis=2).any(axis=1)
    return not bool(inside.all())


def blur(picture: Picture, boxes: FloatArray | None) -> Picture:
    """A copy of the picture with these places unreadable; None: all of it."""
    canvas = picture.copy()
    height, width = canvas.shape[:2]
    if boxes is None:
        boxes = np.array([[0.0, 0.0, 1.0, 1.0]], np.float32)
    for left, top, right, bottom in boxes:
        x0, x1 = max(0, int(left * width)), min(width, int(np.ceil(right * width)))
        y0, y1 = max(0, int(top * height)), min(height, int(np.ceil(bottom * height)))
        if x0 < x1 and y0 < y1:
            canvas[y0:y1, x0:x1] = _unreadable(canvas[y0:y1, x0:x1])
    return canvas


def _head(
    box: NDArray[np.float64], points: NDArray[np.float64], confidence: FloatArray
) -> NDArray[np.float64]:
    """As ``heads`` for one person, in units of the picture's height."""
    sure = confidence[_HEAD] >= _SURE
    if sure.sum() < 2:
        margin = 0.1 * float(max(box[2] - box[0], box[3] - box[1]))
        return np.concatenate([box[:2] - margin, box[2:] + margin])
    seen = points[_HEAD][sure]
    centre = seen.mean(axis=0)
    shoulders = points[list(_SHOULDERS)]
    reach = max(
        1.3 * float(np.ptp(seen, axis=0).max()),
        0.14 * float(max(box[2] - box[0], box[3] - box[1])),
    )
    if (confidence[list(_SHOULDERS)] >= _SURE).all():
        reach = max(reach, 0.7 * float(np.linalg.norm(shoulders[0] - shoulders[1])))
    return np.concatenate([centre - reach, centre + reach])


def _hidden(place: Place, part: Part) -> FloatArray:
    """What to blur of a person who is, or may be, there."""
    size = float((place.box[2:] - place.box[:2]).max())
    growth = min(_MOST_GROWTH, _GROWTH_PER_S * place.unseen_s)
    if part == "faces" and place.unseen_s <= _HEAD_S:
        return _grown(place.head, size * growth)
    return _grown(place.box, size * max(growth, _BODY_MARGIN))


def _grown(box: FloatArray, margin: float) -> FloatArray:
    return np.concatenate([box[:2] - margin, box[2:] + margin]).astype(np.float32)


def _unreadable(patch: Picture) -> Picture:
    height, width = patch.shape[:2]
    longer = max(height, width)
    cells = (max(1, round(_CELLS * width / longer)), max(1, round(_CELLS * height / longer)))
    coarse = cv2.resize(patch, cells, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
