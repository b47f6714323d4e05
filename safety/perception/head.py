"""The detection and pose heads of YOLO11 as ONNX operators, decoding included.

Boxes come out as centre x, centre y, width, height and keypoints as x, y, all in pixels
of the network's input; class scores and keypoint confidences after the sigmoid.
"""

from collections.abc import Sequence

import numpy as np

from safety.perception.graph import Graph
from safety.perception.layers import emit
from safety.perception.modules import Module


def head(graph: Graph, module: Module, features: Sequence[str]) -> str:
    """Add the head to the graph; its output is [batch, channels, anchors]."""
    strides = [float(stride) for stride in module.array("stride")]
    centres, scales = _anchors(graph, features, strides)
    parts = [
        _boxes(graph, module, _branch(graph, module.child("cv2"), features), centres, scales),
        graph.node("Sigmoid", _branch(graph, module.child("cv3"), features)),
    ]
    if module.kind == "Pose":
        raw = _branch(graph, module.child("cv4"), features)
        parts.append(_keypoints(graph, module, raw, centres, scales))
    return graph.node("Concat", *parts, axis=1)


def channels(module: Module) -> int:
    """How many rows the head's output has."""
    keypoints = int(np.prod(module.attribute("kpt_shape"))) if module.kind == "Pose" else 0
    return 4 + int(module.attribute("nc")) + keypoints


def _branch(graph: Graph, module: Module, features: Sequence[str]) -> str:
    """One output of the head over all levels, [batch, channels, anchors]."""
    levels = [
        graph.node("Reshape", emit(graph, step, x), graph.integers(0, 0, -1))
        for step, x in zip(module.children(), features, strict=True)
    ]
    return graph.node("Concat", *levels, axis=2)


def _anchors(graph: Graph, features: Sequence[str], strides: Sequence[float]) -> tuple[str, str]:
    """Cell centres [1, 2, anchors] in cells, and the cell size [1, 1, anchors] in pixels."""
    centres, scales = [], []
    for x, stride in zip(features, strides, strict=True):
        shape = graph.node("Shape", x, start=2)
        rows, columns = graph.nodes("Split", [shape, graph.integers(1, 1)], outputs=2, axis=0)
        across = _flat(graph, _ramp(graph, columns, (1, -1)), shape)
        down = _flat(graph, _ramp(graph, rows, (-1, 1)), shape)
        centres.append(graph.node("Concat", across, down, axis=1))
        zeros = graph.node("Mul", across, graph.number(0.0))
        scales.append(graph.node("Add", zeros, graph.number(stride)))
    return graph.node("Concat", *centres, axis=2), graph.node("Concat", *scales, axis=2)


def _ramp(graph: Graph, count: str, shape: tuple[int, int]) -> str:
    """0.5, 1.5, … up to ``count``, as a row or a column."""
    end = graph.node("Squeeze", graph.node("Cast", count, to=1), graph.integers(0))
    steps = graph.node("Range", graph.number(0.0), end, graph.number(1.0))
    steps = graph.node("Add", steps, graph.number(0.5))
    return graph.node("Reshape", steps, graph.integers(*shape))


def _flat(graph: Graph, grid: str, shape: str) -> str:
    return graph.node("Reshape", graph.node("Expand", grid, shape), graph.integers(1, 1, -1))


def _boxes(graph: Graph, module: Module, raw: str, centres: str, scales: str) -> str:
    """Distances to the four sides, as expectations over bins, turned into boxes.

    Source: Li et al., Generalized Focal Loss, NeurIPS 2020, section 3.2.
    """
    bins = int(module.attribute("reg_max"))
    raw = graph.node("Reshape", raw, graph.integers(0, 4, bins, -1))
    raw = graph.node("Softmax", graph.node("Transpose", raw, perm=[0, 2, 1, 3]), axis=1)
    weights = np.arange(bins, dtype=np.float32).reshape(1, bins, 1, 1)
    sides = graph.node("Conv", raw, graph.constant(weights), kernel_shape=[1, 1])
    sides = graph.node("Reshape", sides, graph.integers(0, 4, -1))
    near, far = graph.nodes("Split", [sides, graph.integers(2, 2)], outputs=2, axis=1)
    first = graph.node("Sub", centres, near)
    last = graph.node("Add", centres, far)
    middle = graph.node("Mul", graph.node("Add", first, last), graph.number(0.5))
    size = graph.node("Sub", last, first)
    return graph.node("Mul", graph.node("Concat", middle, size, axis=1), scales)


def _keypoints(graph: Graph, module: Module, raw: str, centres: str, scales: str) -> str:
    count, numbers = (int(n) for n in module.attribute("kpt_shape"))
    raw = graph.node("Reshape", raw, graph.integers(0, count, numbers, -1))
    place, confidence = graph.nodes(
        "Split", [raw, graph.integers(2, numbers - 2)], outputs=2, axis=2
    )
    corner = graph.node("Sub", centres, graph.number(0.5))
    place = graph.node("Add", graph.node("Mul", place, graph.number(2.0)), corner)
    place = graph.node("Mul", place, scales)
    confidence = graph.node("Sigmoid", confidence)
    joined = graph.node("Concat", place, confidence, axis=2)
    return graph.node("Reshape", joined, graph.integers(0, count * numbers, -1))
