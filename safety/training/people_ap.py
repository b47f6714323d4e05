"""Average precision of poses, as COCO defines it, over a few hundred pictures."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from safety.training.dataset import Sample
from safety.training.people_metrics import MATCH_IOU, oks
from safety.training.people_pseudo import PERSON, overlaps, to_corners
from safety.types import Detections, FloatArray

THRESHOLDS = np.arange(0.5, 0.96, 0.05)
"""Keypoint similarities from which a person counts as found; AP is the mean over them."""

_RECALLS = np.linspace(0, 1, 101)


@dataclass(slots=True)
class PoseAp:
    """Collects pictures; ``value`` is the mean average precision over ``THRESHOLDS``.

    Persons without known keypoints count neither way.

    Attributes:
        persons: Persons with keypoints so far.
        scores: Of every detection that counts.
        hits: Whether it is a hit at each threshold.
    """

    persons: int = 0
    scores: list[float] = field(default_factory=list)
    hits: list[FloatArray] = field(default_factory=list)

    def count(self, sample: Sample, found: Detections, aspect: float) -> None:
        """Add one picture; ``found`` should reach down to low scores."""
        persons = sample.classes == PERSON
        keypoints, boxes = sample.keypoints[persons], to_corners(sample.boxes[persons])
        known = (keypoints[..., 2] > 0).any(axis=1)
        self.persons += int(known.sum())
        shared = overlaps(boxes, found.boxes)
        taken = np.zeros((len(THRESHOLDS), len(boxes)), bool)
        for column in np.flatnonzero(found.classes == PERSON):
            likeness = np.array(
                [
                    oks(keypoints[row], found.keypoints[column], _size(boxes[row]), aspect)
                    if known[row]
                    else 0.0
                    for row in range(len(boxes))
                ],
                np.float32,
            )
            hit = _hits(likeness, taken)
            unknown = (shared[~known, column] >= MATCH_IOU).any()
            if hit.any() or not unknown:
                self.scores.append(float(found.scores[column]))
                self.hits.append(hit)

    @property
    def value(self) -> float:
        """The mean average precision, 0-1."""
        if not self.persons or not self.scores:
            return 0.0
        order = np.argsort(-np.array(self.scores), kind="stable")
        hits = np.array(self.hits)[order]
        right = hits.cumsum(axis=0)
        precision = right / np.arange(1, len(hits) + 1)[:, None]
        precision = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
        return float(
            np.mean(
                [_area(right[:, i] / self.persons, precision[:, i]) for i in range(len(THRESHOLDS))]
            )
        )


def _hits(likeness: FloatArray, taken: np.ndarray) -> FloatArray:
    """Whether a detection is the first for the person most like it, per threshold."""
    hit = np.zeros(len(THRESHOLDS), np.float32)
    for number, threshold in enumerate(THRESHOLDS):
        free = np.where(taken[number], -1.0, likeness)
        if free.size and free.max() >= threshold:
            taken[number, int(free.argmax())] = True
            hit[number] = 1
    return hit


def _area(recall: NDArray[np.float64], precision: NDArray[np.float64]) -> float:
    """Precision averaged over 101 recalls; 0 beyond the last that was reached."""
    places = np.searchsorted(recall, _RECALLS, side="left")
    reached = places < len(precision)
    return float(np.where(reached, precision[places.clip(max=len(precision) - 1)], 0.0).mean())


def _size(box: FloatArray) -> FloatArray:
    return box[2:] - box[:2]
