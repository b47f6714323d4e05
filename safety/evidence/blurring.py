"""Makes people unrecognisable: where to blur in the frames of a clip, and how.

A head is found by its keypoints; where they are not sure the whole person is blurred, and where
nobody was found around a frame the whole frame is: what is doubtful is never shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from safety.types import Detections, FloatArray, ObjectClass, Picture

Part = Literal["faces", "bodies"]
"""What is blurred: heads, or whole silhouettes."""

HOLD_S: Final = 0.5
"""How far from a frame, before and after, somebody may have been found who was missed in it."""

_SURE: Final = 0.5
"""Confidence from which on a keypoint is where it is said to be."""

_HEAD = slice(0, 5)
_SHOULDERS = (5, 6)
_GROWTH_PER_S: Final = 0.6
"""By how much of its size a box grows for each second between the frames: people walk on."""

_SAME: Final = 0.3
"""Overlap from which on two boxes are the same person's."""

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
    """

    at_s: float
    persons: FloatArray
    heads: FloatArray

    @classmethod
    def of(cls, detections: Detections, *, at_s: float, aspect: float) -> "Found":
        """From what the network found; ``aspect`` is the frame's width / height."""
        people = detections.classes == _PERSON
        boxes, points = detections.boxes[people], detections.keypoints[people]
        return cls(at_s=at_s, persons=boxes, heads=heads(boxes, points, aspect=aspect))


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


def regions(frames: Sequence[Found], index: int, part: Part) -> FloatArray | None:
    """What to blur in one frame of a clip.

    Besides those who were found in it, those who were found shortly before or after and are
    missing here: their boxes grow with the time between.

    Returns:
        (N, 4) boxes, normalised; None: everything, for nobody was found in all that time.
    """
    here = frames[index]
    chosen = [_part(here, part)]
    persons = here.persons
    for other in _near(frames, index):
        missing = ~_overlaps(other.persons, persons)
        if not missing.any():
            continue
        gap_s = abs(other.at_s - here.at_s)
        chosen.append(_grown(_part(other, part)[missing], _GROWTH_PER_S * gap_s))
        persons = np.concatenate([persons, other.persons[missing]])
    boxes = np.concatenate(chosen)
    return boxes if len(boxes) else None


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


def _near(frames: Sequence[Found], index: int) -> list[Found]:
    """The frames around one, as far as they count, the nearest first."""
    at_s = frames[index].at_s
    near = []
    for step in (-1, 1):
        place = index + step
        while 0 <= place < len(frames) and abs(frames[place].at_s - at_s) <= HOLD_S:
            near.append(frames[place])
            place += step
    return sorted(near, key=lambda each: abs(each.at_s - at_s))


def _part(found: Found, part: Part) -> FloatArray:
    return found.heads if part == "faces" else _grown(found.persons, 0.15)


def _grown(boxes: FloatArray, share: float) -> FloatArray:
    """Boxes that are larger by a share of their longer side, on every side."""
    size = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0.0) * share
    return np.concatenate([boxes[:, :2] - size, boxes[:, 2:] + size], axis=1)


def _overlaps(boxes: FloatArray, others: FloatArray) -> NDArray[np.bool_]:
    """(N,) whether each box is much the same as one of the others."""
    if not len(others):
        return np.zeros(len(boxes), np.bool_)
    left_top = np.maximum(boxes[:, None, :2], others[None, :, :2])
    right_bottom = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.clip(right_bottom - left_top, 0.0, None).prod(axis=2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    other_area = (others[:, 2:] - others[:, :2]).prod(axis=1)
    union = area[:, None] + other_area[None] - shared
    return np.asarray((shared / np.maximum(union, 1e-9) >= _SAME).any(axis=1))


def _unreadable(patch: Picture) -> Picture:
    height, width = patch.shape[:2]
    longer = max(height, width)
    cells = (max(1, round(_CELLS * width / longer)), max(1, round(_CELLS * height / longer)))
    coarse = cv2.resize(patch, cells, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
