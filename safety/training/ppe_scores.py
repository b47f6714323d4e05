"""Average precision of found items against labelled ones, at crop level."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from safety.perception.detector import Objects
from safety.training.people_pseudo import overlaps
from safety.training.ppe_crops import Items
from safety.types import FloatArray

_RECALLS = np.linspace(0, 1, 101)


def average_precision(
    found: Sequence[Objects], labelled: Sequence[Items], classes: int, iou: float = 0.5
) -> FloatArray:
    """Average precision per class, at 101 recalls as COCO does.

    Args:
        found: Of every crop, boxes in the units of ``labelled``.
        labelled: Of every crop.
        classes: How many there are.
        iou: Overlap from which a box counts as right.

    Returns:
        (classes,); NaN where nothing is labelled.
    """
    return np.array([_one_class(found, labelled, kind, iou) for kind in range(classes)])


def _one_class(found: Sequence[Objects], labelled: Sequence[Items], kind: int, iou: float) -> float:
    scores: list[float] = []
    right: list[bool] = []
    total = 0
    for objects, items in zip(found, labelled, strict=True):
        truth = items.boxes[items.classes == kind]
        rows = objects.classes == kind
        total += len(truth)
        scores += objects.scores[rows].tolist()
        right += matches(objects.boxes[rows], truth, iou).tolist()
    if not total:
        return float("nan")
    hits = np.array(right, np.float64)[np.argsort(-np.array(scores), kind="stable")].cumsum()
    recall, precision = hits / total, hits / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    # Beyond the last recall that is reached the precision is 0.
    reached = np.searchsorted(recall, _RECALLS, side="left")
    return float(np.append(envelope, 0.0)[reached].mean())


def matches(boxes: FloatArray, truth: FloatArray, iou: float) -> NDArray[np.bool_]:
    """Which boxes (best first) are right: each label is found once, by the best overlap."""
    right = np.zeros(len(boxes), np.bool_)
    if not len(truth):
        return right
    overlap = overlaps(boxes, truth)
    for row in range(len(boxes)):
        column = int(overlap[row].argmax())
        if overlap[row, column] >= iou:
            right[row] = True
            overlap[:, column] = 0.0
    return right
