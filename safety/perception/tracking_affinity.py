"""How well detections continue tracks: overlap of boxes and likeness of poses."""

import numpy as np
from numpy.typing import NDArray

from safety.perception.tracking_table import TrackTable
from safety.types import FloatArray

OVERLAP_WEIGHT = 8.0
"""The boxes' overlap counts as much as so many keypoints that both poses show surely."""

SLACK_PER_S = 1.0
"""Boxes are grown by this share of their size on each side, for each second not seen."""

MOST_SLACK = 0.6
"""No box is grown by more than this."""

POSE_TOLERANCE = 3.0
"""How much more than two annotators of one picture the keypoints of two frames may differ."""

_ANNOTATOR_SIGMAS = np.array(
    [
        0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072,
        0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089,
    ]
)  # fmt: skip
"""Standard deviation of each keypoint per sqrt(area), from COCO's keypoint evaluation."""

_TOLERANCE = 2 * (2 * POSE_TOLERANCE * _ANNOTATOR_SIGMAS) ** 2


def affinity(
    tracks: TrackTable, boxes: FloatArray, keypoints: FloatArray, now: float
) -> NDArray[np.float64]:
    """How well each detection continues each track.

    Args:
        tracks: Predicted to ``now``.
        boxes: (D, 2, 2) corners in picture heights.
        keypoints: (D, 17, 3) x, y in picture heights, confidence.
        now: Monotonic seconds.

    Returns:
        (T, D) from 0 (cannot be) to 1 (where and how it was expected).
    """
    slack = np.minimum(SLACK_PER_S * (now - tracks.seen_at), MOST_SLACK)[:, None]
    half = tracks.size * (0.5 + slack)
    low, high = tracks.centre - half, tracks.centre + half
    result = _iou(
        (low[:, :1], low[:, 1:], high[:, :1], high[:, 1:]), _grown(boxes.astype(np.float64), slack)
    )
    rows, columns = np.nonzero(result)
    likeness, evidence = _pose_likeness(tracks, rows, boxes[columns], keypoints[columns])
    result[rows, columns] = (OVERLAP_WEIGHT * result[rows, columns] + evidence * likeness) / (
        OVERLAP_WEIGHT + evidence
    )
    return result


def overlap(ones: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union of boxes (N, 2, 2) with boxes (M, 2, 2): (N, M)."""
    return _iou(_edges(ones[:, None]), _edges(others[None]))


Edges = tuple[NDArray[np.floating], ...]
"""Left, top, right, bottom; arrays of their own, because sums over an axis of two are slow."""


def _edges(boxes: NDArray[np.floating]) -> Edges:
    return boxes[..., 0, 0], boxes[..., 0, 1], boxes[..., 1, 0], boxes[..., 1, 1]


def _grown(boxes: NDArray[np.float64], slack: NDArray[np.float64]) -> Edges:
    """Every detection's box, grown as much as each track's (T, 1): (T, D) each."""
    left, top, right, bottom = _edges(boxes)
    aside, down = (right - left) * slack, (bottom - top) * slack
    return left - aside, top - down, right + aside, bottom + down


def _iou(ones: Edges, others: Edges) -> NDArray[np.float64]:
    across = np.minimum(ones[2], others[2]) - np.maximum(ones[0], others[0])
    down = np.minimum(ones[3], others[3]) - np.maximum(ones[1], others[1])
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    union = _area(ones) + _area(others) - shared
    return np.asarray(shared / np.maximum(union, 1e-12), np.float64)


def _area(edges: Edges) -> NDArray[np.floating]:
    left, top, right, bottom = edges
    return np.asarray((right - left) * (bottom - top))


def _pose_likeness(
    tracks: TrackTable, rows: NDArray[np.intp], boxes: FloatArray, keypoints: FloatArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Object keypoint similarity (COCO) of tracks' last poses, moved on, with detections'.

    Args:
        tracks: Predicted to the time of the detections.
        rows: (P,) the track of each pair.
        boxes: (P, 2, 2) of the detection of each pair.
        keypoints: (P, 17, 3) of the detection of each pair.

    Returns:
        Similarity, (P,), and how many keypoints it rests on, (P,): the sum of the products
        of both confidences.
    """
    before = tracks.keypoints[rows]
    moved = (tracks.centre - tracks.seen_centre)[rows]
    across = before[:, :, 0] + moved[:, :1] - keypoints[:, :, 0]
    down = before[:, :, 1] + moved[:, 1:] - keypoints[:, :, 1]
    size = (boxes[:, 1] - boxes[:, 0]).astype(np.float64)
    area = np.maximum(size[:, 0] * size[:, 1], 1e-12)
    likeness = np.exp((across * across + down * down) / (-_TOLERANCE * area[:, None]))
    weight = before[:, :, 2] * keypoints[:, :, 2]
    evidence = weight.sum(axis=1)
    return (likeness * weight).sum(axis=1) / np.maximum(evidence, 1e-6), evidence
