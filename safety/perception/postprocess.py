"""From a YOLO network's raw output to detections: threshold, NMS, coordinates.

Semantics are those of Ultralytics' ``non_max_suppression`` for its ``predict`` mode: best
class only, score above the threshold, greedy NMS per class, at most 300 results.
"""

from collections.abc import Sequence

import numpy as np

from safety.errors import ModelError
from safety.perception.letterbox import Placement
from safety.types import KEYPOINTS, Detections, FloatArray, IntArray

MAX_DETECTIONS = 300
"""Objects per picture at the most."""

_MAX_CANDIDATES = 30_000
"""Candidates that enter NMS at the most, best first."""

_CLASS_OFFSET_PX = 7680.0
"""Classes are moved apart by this much, so that NMS never mixes them."""


def suppress(boxes: FloatArray, scores: FloatArray, iou: float) -> IntArray:
    """Greedy non-maximum suppression.

    Args:
        boxes: (N, 4) left, top, right, bottom.
        scores: (N,), any order.
        iou: Boxes that overlap a better one by more than this are dropped.

    Returns:
        Indices of the boxes that stay, best first, at most ``MAX_DETECTIONS``.
    """
    order = np.argsort(-scores, kind="stable")[:_MAX_CANDIDATES]
    left, top, right, bottom = boxes.T
    areas = (right - left) * (bottom - top)
    kept: list[int] = []
    while order.size and len(kept) < MAX_DETECTIONS:
        best, order = order[0], order[1:]
        kept.append(int(best))
        width = np.minimum(right[best], right[order]) - np.maximum(left[best], left[order])
        height = np.minimum(bottom[best], bottom[order]) - np.maximum(top[best], top[order])
        shared = width.clip(min=0) * height.clip(min=0)
        union = areas[best] + areas[order] - shared
        order = order[shared <= iou * union]
    return np.array(kept, np.int64)


_KEYPOINT_ROWS = 3 * len(KEYPOINTS)


class PoseDecoder:
    """Reads the output of one pose network.

    Attributes:
        nonfinite_outputs: Anchors dropped so far because a number in them was NaN or infinite.

    Args:
        classes: Index into ``ObjectClass`` for every class of the network, in its order.
        confidence: Objects that score this or less are dropped.
        iou: Overlap above which the weaker of two boxes is dropped.
    """

    def __init__(self, classes: Sequence[int], *, confidence: float, iou: float) -> None:
        self._classes = np.array(classes, np.int64)
        self._confidence = confidence
        self._iou = iou
        self.nonfinite_outputs = 0

    def decode(self, output: FloatArray, placement: Placement) -> Detections:
        """Detections of one picture.

        Args:
            output: (4 + classes + 51, anchors) float32: centre x, centre y, width, height,
                scores, keypoints as x, y, confidence; in network pixels.
            placement: Where the picture lay in the network's input.

        Raises:
            ModelError: The output has another form, as when NMS was exported with the network.
        """
        count = len(self._classes)
        if output.ndim != 2 or len(output) != 4 + count + _KEYPOINT_ROWS:
            raise ModelError(
                "model.output",
                "the network's output has the shape {shape}, not ({rows}, anchors); export it with"
                " 'yolo export format=onnx dynamic=True nms=False'",
                shape=output.shape,
                rows=4 + count + _KEYPOINT_ROWS,
            )
        rows = self._candidates(output)
        if not len(rows):
            return Detections.empty()
        scores, classes = rows[:, 4 : 4 + count].max(axis=1), rows[:, 4 : 4 + count].argmax(axis=1)
        middle, half = rows[:, 0:2], rows[:, 2:4] / 2
        boxes = np.concatenate([middle - half, middle + half], axis=1)
        offset = (classes * _CLASS_OFFSET_PX).astype(np.float32)
        kept = suppress(boxes + offset[:, None], scores, self._iou)
        keypoints = rows[kept, 4 + count :].reshape(-1, len(KEYPOINTS), 3)
        keypoints[..., :2] = placement.normalised(keypoints[..., :2])
        return Detections(
            boxes=placement.normalised(boxes[kept].reshape(-1, 2, 2)).reshape(-1, 4),
            scores=scores[kept],
            classes=self._classes[classes[kept]],
            keypoints=keypoints,
        )

    def _candidates(self, output: FloatArray) -> FloatArray:
        """Anchors above the threshold, as rows; those with broken numbers dropped and counted."""
        scores = output[4 : 4 + len(self._classes)].max(axis=0)
        # NaN compares false with everything: written so that it counts as a candidate here.
        rows: FloatArray = output[:, ~(scores <= self._confidence)].T
        finite = np.isfinite(rows).all(axis=1)
        self.nonfinite_outputs += int(len(rows) - finite.sum())
        return rows[finite]
