"""What photographs lack is labelled by the base network at a higher resolution."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from safety.perception.load import load_pose_detector
from safety.perception.postprocess import suppress
from safety.training.dataset import Sample
from safety.types import KEYPOINTS, Detections, FloatArray, Picture

PERSON = 0

_NMS_IOU = 0.7
_KEPT_SCORE = 0.25


class Labeller:
    """The base network at two widths; finds persons with their keypoints in one picture."""

    def __init__(self, base: Path, widths: Sequence[int], aspect: float, cache: Path) -> None:
        self._detectors = [
            load_pose_detector(
                base, width=width, aspect=aspect, cache_dir=cache, confidence=_KEPT_SCORE
            )
            for width in widths
        ]

    def find(self, picture: Picture) -> Detections:
        """All persons that one of the widths sees, each once."""
        found = [detector.detect([picture])[0] for detector in self._detectors]
        boxes = np.concatenate([f.boxes for f in found])
        scores = np.concatenate([f.scores for f in found])
        keypoints = np.concatenate([f.keypoints for f in found])
        # Suppression takes pixels: normalised boxes would all be far below one.
        kept = suppress(boxes * 1000, scores, _NMS_IOU)
        return Detections(
            boxes=boxes[kept],
            scores=scores[kept],
            classes=np.zeros(len(kept), np.int64),
            keypoints=keypoints[kept],
        )

    def close(self) -> None:
        """Free the engines."""
        for detector in self._detectors:
            detector.close()


def completed(sample: Sample, found: Detections, rules: Mapping[str, float]) -> Sample:
    """A sample whose persons have keypoints, and with the persons that nobody labelled.

    Args:
        found: What the base network sees in the picture.
        rules: ``match_score``, ``match_iou``, ``keypoint_confidence``, ``add_score``,
            ``add_iou``.

    Persons that the base network does not see get unknown keypoints: they train the box only.
    """
    persons = np.flatnonzero(sample.classes == PERSON)
    keypoints = sample.keypoints.copy()
    keypoints[persons, :, 2] = -1
    corners = to_corners(sample.boxes)
    shared = overlaps(corners[persons], found.boxes)
    usable = shared * (found.scores >= rules["match_score"])
    for row, person in enumerate(persons):
        best = int(usable[row].argmax()) if len(found) else -1
        if best >= 0 and usable[row, best] >= rules["match_iou"]:
            keypoints[person] = _visible(found.keypoints[best], rules["keypoint_confidence"])
    covered = shared.max(axis=0, initial=0.0) > rules["add_iou"]
    new = np.flatnonzero(~covered & (found.scores >= rules["add_score"]))
    added = [_visible(found.keypoints[index], rules["keypoint_confidence"]) for index in new]
    return Sample(
        picture=sample.picture,
        source=sample.source,
        classes=np.concatenate([sample.classes, np.zeros(len(new), np.float32)]),
        boxes=np.concatenate([sample.boxes, to_middles(found.boxes[new])]),
        keypoints=np.concatenate(
            [keypoints, np.array(added, np.float32).reshape(-1, len(KEYPOINTS), 3)]
        ),
    )


def _visible(keypoints: FloatArray, confidence: float) -> FloatArray:
    """Keypoints with visibility 2 where the network is sure of them, else 0."""
    result = keypoints.copy()
    result[:, 2] = np.where(keypoints[:, 2] >= confidence, 2.0, 0.0)
    return result


def to_corners(boxes: FloatArray) -> FloatArray:
    """Middle, width, height (N, 4) to left, top, right, bottom."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def to_middles(corners: FloatArray) -> FloatArray:
    """Left, top, right, bottom (N, 4) to middle, width, height."""
    size = corners[:, 2:] - corners[:, :2]
    return np.concatenate([corners[:, :2] + size / 2, size], axis=1)


def overlaps(one: FloatArray, other: FloatArray) -> FloatArray:
    """Intersection over union of corner boxes, (N, M)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = (high - low).clip(min=0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (one, other)]
    result: FloatArray = shared / (areas[0][:, None] + areas[1][None] - shared).clip(min=1e-9)
    return result
