"""Tiny ONNX networks with a scripted answer, in the form that Ultralytics exports."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from safety.types import FloatArray

POSE_ROWS = 4 + 1 + 51
"""Numbers per anchor of a pose network with one class."""

POSE_CARD: dict[str, str] = {
    "task": "pose",
    "names": "{0: 'person'}",
    "kpt_shape": "[17, 3]",
    "stride": "32",
}


PPE_CARD: dict[str, str] = {
    "task": "detect",
    "names": "{0: 'hardhat', 1: 'no-hardhat', 2: 'vest', 3: 'no-vest'}",
    "stride": "32",
}


def person(
    x_px: float, y_px: float, width_px: float, height_px: float, score: float
) -> list[float]:
    """One anchor: a box by its middle, and all keypoints in the middle of it."""
    return [x_px, y_px, width_px, height_px, score, *([x_px, y_px, 0.9] * 17)]


def write_network(
    path: Path,
    anchors: FloatArray,
    *,
    card: Mapping[str, str] = POSE_CARD,
    size_px: tuple[int, int] | None = None,
    fits: int | None = None,
) -> Path:
    """A network that gives the same anchors for every picture.

    Args:
        anchors: (anchors, rows) float32.
        card: Its metadata.
        size_px: Width and height that it was exported for; None for any.
        fits: For more pictures than this at once, and for pictures with a white pixel, it wants
            more memory than any machine has.
    """
    answer = numpy_helper.from_array(anchors.T[None].astype(np.float32), "answer")
    one = numpy_helper.from_array(np.array([0, 1, 1]), "one")
    zero = numpy_helper.from_array(np.array(0, np.float32), "zero")
    nodes = [
        helper.make_node("ReduceMax", ["images"], ["brightest"], axes=[1, 2, 3]),
        helper.make_node("Reshape", ["brightest", "one"], ["scalar"]),
        helper.make_node("Mul", ["scalar", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "answer"], ["output0"]),
    ]
    constants = [answer, one, zero]
    if fits is not None:
        constants += _greed(nodes, fits)
    width, height = size_px or ("width", "height")
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, height, width])
    rows = helper.make_tensor_value_info(
        "output0", TensorProto.FLOAT, ["batch", anchors.shape[1], len(anchors)]
    )
    graph = helper.make_graph(nodes, "scripted", [images], [rows], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    helper.set_model_props(model, dict(card))
    onnx.save(model, str(path))
    return path


def write_network_for(
    engine: str, path: Path, anchors: FloatArray, *, card: Mapping[str, str] = POSE_CARD
) -> Path:
    """The same in the form that an engine takes, which decides the file's suffix."""
    if engine != "ultralytics":
        return write_network(path.with_suffix(".onnx"), anchors, card=card)
    from tests.support.torch_networks import write_torch_network

    return write_torch_network(path.with_suffix(".pt"), anchors, card=card)


_TOO_MUCH = 2**46
"""Numbers; twice what a process can address."""


def _greed(nodes: list[onnx.NodeProto], fits: int) -> list[onnx.TensorProto]:
    """Let the answer depend on a tensor whose size depends on the pictures."""
    nodes[-1:] = [
        helper.make_node("Shape", ["images"], ["batch"], start=0, end=1),
        helper.make_node("Sub", ["batch", "fits"], ["beyond"]),
        helper.make_node("Max", ["beyond", "none"], ["surplus"]),
        helper.make_node("ReduceMax", ["images"], ["most"], keepdims=0),
        helper.make_node("Greater", ["most", "white"], ["is_white"]),
        helper.make_node("Cast", ["is_white"], ["whites"], to=TensorProto.INT64),
        helper.make_node("Add", ["surplus", "whites"], ["wishes"]),
        helper.make_node("Mul", ["wishes", "much"], ["wanted"]),
        helper.make_node("Add", ["wanted", "little"], ["size"]),
        helper.make_node("Expand", ["zero", "size"], ["space"]),
        helper.make_node("ReduceMax", ["space"], ["void"], keepdims=0),
        helper.make_node("Add", ["nothing", "void"], ["still_nothing"]),
        helper.make_node("Add", ["still_nothing", "answer"], ["output0"]),
    ]
    whole = {"fits": fits, "none": 0, "much": _TOO_MUCH, "little": 1}
    constants = [numpy_helper.from_array(np.array([n]), name) for name, n in whole.items()]
    return [*constants, numpy_helper.from_array(np.array(0.99, np.float32), "white")]
