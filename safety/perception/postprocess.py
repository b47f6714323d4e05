"""From a YOLO network's raw output to detections: threshold, NMS, coordinates.

Semantics are those of Ultralytics' ``non_max_suppression`` for its ``predict`` mode: best
class only, score above the threshold, greedy NMS per class, at most 300 results.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from safety.errors import ModelError
from safety.perception.detector import FoundOut, Objects
from safety.perception.letterbox import Placement
from safety.types import KEYPOINTS, Detections, FloatArray, IntArray, ObjectClass

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


class Decoder(Protocol[FoundOut]):
    """Reads the output of one network.

    Attributes:
        names: Class names that the results count.
        nonfinite_outputs: Anchors dropped so far because a number in them was NaN or infinite.
    """

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def nonfinite_outputs(self) -> int: ...

    def decode(self, output: FloatArray, placement: Placement) -> FoundOut:
        """What one picture shows.

        Args:
            output: (4 + classes + further, anchors) float32: centre x, centre y, width, height,
                scores, further numbers; in network pixels.
            placement: Where the picture lay in the network's input.

        Raises:
            ModelError: The output has another form, as when NMS was exported with the network.
        """
        ...


class _Anchors:
    """The part of the output that all YOLO networks have: boxes and scores.

    Args:
        classes: For every class of the network what it is called in the results, by number;
            objects of classes below 0 are left out.
        further: Numbers per anchor after the scores.
        confidence: Objects that score this or less are dropped.
        iou: Overlap above which the weaker of two boxes is dropped.
    """

    def __init__(
        self, classes: Sequence[int], *, further: int, confidence: float, iou: float
    ) -> None:
        self._classes = np.array(classes, np.int64)
        self._rows = 4 + len(classes) + further
        self._confidence = confidence
        self._iou = iou
        self.nonfinite_outputs = 0

    def read(
        self, output: FloatArray, placement: Placement
    ) -> tuple[FloatArray, FloatArray, IntArray, FloatArray]:
        """Boxes (N, 4) normalised, scores (N,), classes (N,), further numbers (N, further)."""
        if output.ndim != 2 or len(output) != self._rows:
            raise ModelError(
                "model.output",
                "the network's output has the shape {shape}, not ({rows}, anchors); export it with"
                " 'yolo export format=onnx dynamic=True nms=False'",
                shape=output.shape,
                rows=self._rows,
            )
        first_further = 4 + len(self._classes)
        rows = self._candidates(output, first_further)
        best = rows[:, 4:first_further].argmax(axis=1)
        scores = rows[:, 4:first_further].max(axis=1)
        middle, half = rows[:, 0:2], rows[:, 2:4] / 2
        boxes = np.concatenate([middle - half, middle + half], axis=1)
        offset = (best * _CLASS_OFFSET_PX).astype(np.float32)
        kept = suppress(boxes + offset[:, None], scores, self._iou)
        return (
            placement.normalised(boxes[kept].reshape(-1, 2, 2)).reshape(-1, 4),
            scores[kept],
            self._classes[best[kept]],
            rows[kept, first_further:],
        )

    def _candidates(self, output: FloatArray, first_further: int) -> FloatArray:
        """Anchors above the threshold, as rows; those with broken numbers dropped and counted."""
        scores = output[4:first_further]
        # NaN compares false with everything: written so that it counts as a candidate here.
        rows: FloatArray = output[:, ~(scores.max(axis=0) <= self._confidence)].T
        finite = np.isfinite(rows).all(axis=1)
        self.nonfinite_outputs += int(len(rows) - finite.sum())
        rows = rows[finite]
        wanted: FloatArray = rows[self._classes[rows[:, 4:first_further].argmax(axis=1)] >= 0]
        return wanted


class PoseDecoder:
    """Reads the output of one pose network.

    Args:
        classes: Index into ``ObjectClass`` for every class of the network, in its order; -1 for
            classes that are of no interest.
        confidence: Objects that score this or less are dropped.
        iou: Overlap above which the weaker of two boxes is dropped.
    """

    names = tuple(kind.value for kind in ObjectClass)

    def __init__(self, classes: Sequence[int], *, confidence: float, iou: float) -> None:
        self._anchors = _Anchors(classes, further=_KEYPOINT_ROWS, confidence=confidence, iou=iou)

    @property
    def nonfinite_outputs(self) -> int:
        return self._anchors.nonfinite_outputs

    def decode(self, output: FloatArray, placement: Placement) -> Detections:
        boxes, scores, classes, further = self._anchors.read(output, placement)
        keypoints = further.reshape(-1, len(KEYPOINTS), 3)
        keypoints[..., :2] = placement.normalised(keypoints[..., :2])
        return Detections(boxes=boxes, scores=scores, classes=classes, keypoints=keypoints)


class ObjectDecoder:
    """Reads the output of one network that finds boxes alone.

    Args:
        names: The class names of the results.
        classes: Index into ``names`` for every class of the network, in its order; -1 for
            classes that are of no interest.
        confidence: Objects that score this or less are dropped.
        iou: Overlap above which the weaker of two boxes is dropped.
    """

    def __init__(
        self, names: Sequence[str], classes: Sequence[int], *, confidence: float, iou: float
    ) -> None:
        self.names = tuple(names)
        self._anchors = _Anchors(classes, further=0, confidence=confidence, iou=iou)

    @property
    def nonfinite_outputs(self) -> int:
        return self._anchors.nonfinite_outputs

    def decode(self, output: FloatArray, placement: Placement) -> Objects:
        boxes, scores, classes, _ = self._anchors.read(output, placement)
        return Objects(boxes=boxes, scores=scores, classes=classes)
