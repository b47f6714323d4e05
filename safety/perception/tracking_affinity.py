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
    slack = np.minimum(SLACK_PER_S * (now - tracks.seen_at), MOST_SLACK)
    half = tracks.size * (0.5 + slack[:, None])
    expected = np.stack([tracks.centre - half, tracks.centre + half], axis=1)
    boxes_overlap = _overlap_grown(expected, slack, boxes)
    likeness, evidence = _pose_likeness(tracks, boxes, keypoints)
    joint = (OVERLAP_WEIGHT * boxes_overlap + evidence * likeness) / (OVERLAP_WEIGHT + evidence)
    return np.where(boxes_overlap > 0, joint, 0)


def overlap(ones: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union of boxes (N, 2, 2) with boxes (M, 2, 2): (N, M)."""
    return _iou(ones[:, None], others[None])


def _overlap_grown(
    expected: NDArray[np.float64], slack: NDArray[np.float64], boxes: FloatArray
) -> NDArray[np.float64]:
    """IoU of grown tracks' boxes with detections grown as much, (T, D)."""
    centre = boxes.mean(axis=1)
    half = (boxes[:, 1] - boxes[:, 0])[None] * (0.5 + slack[:, None, None])
    grown = np.stack([centre - half, centre + half], axis=2)
    return _iou(expected[:, None], grown)


def _iou(ones: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    low = np.maximum(ones[..., 0, :], others[..., 0, :])
    high = np.minimum(ones[..., 1, :], others[..., 1, :])
    shared = (high - low).clip(0).prod(axis=-1)
    areas = [(b[..., 1, :] - b[..., 0, :]).prod(axis=-1) for b in (ones, others)]
    union: NDArray[np.float64] = np.maximum(areas[0] + areas[1] - shared, 1e-12)
    return np.asarray(shared / union, np.float64)


def _pose_likeness(
    tracks: TrackTable, boxes: FloatArray, keypoints: FloatArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Object keypoint similarity (COCO) of the moved last pose with each detection's.

    Returns:
        Similarity, (T, D), and how many keypoints it rests on, (T, D): the sum of the
        products of both confidences.
    """
    moved = tracks.keypoints[:, :, :2] + (tracks.centre - tracks.seen_centre)[:, None]
    area = (boxes[:, 1] - boxes[:, 0]).prod(axis=-1)
    distance = ((moved[:, None] - keypoints[None, :, :, :2]) ** 2).sum(axis=-1)
    tolerance = 2 * (2 * POSE_TOLERANCE * _ANNOTATOR_SIGMAS) ** 2
    likeness = np.exp(-distance / (tolerance * np.maximum(area, 1e-12)[None, :, None]))
    weight = tracks.keypoints[:, None, :, 2] * keypoints[None, :, :, 2]
    evidence = weight.sum(axis=-1)
    return (likeness * weight).sum(axis=-1) / np.maximum(evidence, 1e-6), evidence
