"""How well persons, their joints, and vehicles are found: counts that can be added up."""

from dataclasses import dataclass, field

import numpy as np

from safety.training.dataset import Sample
from safety.training.people_pseudo import overlaps, to_corners
from safety.types import Detections, FloatArray

SIGMAS = np.array(
    [.026, .025, .025, .035, .035, .079, .079, .072, .072, .062, .062, .107, .107, .087, .087,
     .089, .089], np.float32,
)  # fmt: skip
"""COCO's spread of human labels per keypoint, as a share of the object's size."""

MATCH_IOU = 0.5


@dataclass(slots=True)
class Tally:
    """What was found and what was missed; add pictures with ``count``.

    Attributes:
        hits, misses, false: Objects found, not found, and reported where there is none.
        likeness: Object keypoint similarity of every person found that has keypoints.
    """

    hits: int = 0
    misses: int = 0
    false: int = 0
    likeness: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share of the objects that was found; 1 if there are none."""
        return self.hits / max(self.hits + self.misses, 1) if self.hits + self.misses else 1.0

    @property
    def precision(self) -> float:
        """Share of the reports that are right; 1 if there are none."""
        return self.hits / max(self.hits + self.false, 1) if self.hits + self.false else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision."""
        return 2 * self.hits / max(2 * self.hits + self.misses + self.false, 1)

    @property
    def oks(self) -> float:
        """Mean keypoint similarity; 0 without any."""
        return float(np.mean(self.likeness)) if self.likeness else 0.0

    def count(self, sample: Sample, found: Detections, kind: int, aspect: float) -> None:
        """Add one picture's objects of one class.

        Args:
            aspect: Width / height of the picture.
        """
        there = sample.classes == kind
        boxes = to_corners(sample.boxes[there])
        ours = found.classes == kind
        pairs = matches(boxes, found.boxes[ours])
        self.hits += len(pairs)
        self.misses += len(boxes) - len(pairs)
        self.false += int(ours.sum()) - len(pairs)
        for row, column in pairs:
            truth = sample.keypoints[there][row]
            if (truth[:, 2] > 0).any():
                size = boxes[row, 2:] - boxes[row, :2]
                self.likeness.append(oks(truth, found.keypoints[ours][column], size, aspect))


def matches(truth: FloatArray, found: FloatArray) -> list[tuple[int, int]]:
    """Pairs of true and found boxes (corners), best overlap first, each used once."""
    shared = overlaps(truth, found)
    pairs = []
    while shared.size and shared.max() >= MATCH_IOU:
        row, column = (int(i) for i in np.unravel_index(shared.argmax(), shared.shape))
        pairs.append((row, column))
        shared[row], shared[:, column] = 0, 0
    return pairs


def oks(truth: FloatArray, found: FloatArray, size: FloatArray, aspect: float) -> float:
    """Object keypoint similarity as COCO defines it, over the keypoints that are labelled.

    Args:
        truth, found: (17, 3), normalised.
        size: Width and height of the person's box, normalised.
        aspect: Width / height of the picture.
    """
    labelled = truth[:, 2] > 0
    away = (truth[labelled, :2] - found[labelled, :2]) * np.array([aspect, 1.0], np.float32)
    # COCO takes the area of the outline; 0.53 of the box is what it is for people on average.
    area = max(float(size[0] * aspect * size[1]) * 0.53, 1e-9)
    spread = (2 * SIGMAS[labelled]) ** 2
    return float(np.exp(-(away**2).sum(axis=1) / (2 * area * spread)).mean())
