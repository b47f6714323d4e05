"""Networks in 16 bits and in INT8 run on every engine, next to those in 32 bits."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import openvino
import pytest
from onnx import TensorProto, helper, numpy_helper

from safety.errors import ModelError
from safety.perception.devices import Engine
from safety.perception.eight_bits import check_8_bits
from safety.perception.halve import halve_weights
from safety.perception.load import load_object_detector
from safety.types import Picture
from tests.support.networks import PPE_CARD, write_network

ENGINES: tuple[Engine, ...] = ("openvino", "onnxruntime")
GREY = np.full((256, 256, 3), 114, np.uint8)
BRIGHT = np.full((256, 256, 3), 230, np.uint8)
ANCHOR = [128.0, 128.0, 64.0, 80.0, 0.0, 0.0, 0.0]
"""A box in the middle; the last score, that of no-vest, is the picture's brightness."""


@pytest.fixture
def model() -> onnx.ModelProto:
    """One convolution that measures brightness."""
    kernel = np.full((1, 3, 32, 32), 1 / (3 * 32 * 32), np.float32)
    constants = [
        numpy_helper.from_array(kernel, "kernel"),
        numpy_helper.from_array(np.array(ANCHOR, np.float32).reshape(1, 7, 1, 1), "anchor"),
        numpy_helper.from_array(np.array([0, 8, 1]), "rows"),
    ]
    nodes = [
        helper.make_node("Conv", ["images", "kernel"], ["tiles"], strides=[32, 32]),
        helper.make_node("ReduceMean", ["tiles"], ["brightness"], axes=[2, 3]),
        helper.make_node("Mul", ["brightness", "brightness"], ["squared"]),
        helper.make_node("Sub", ["squared", "squared"], ["nothing"]),
        helper.make_node("Add", ["nothing", "anchor"], ["known"]),
        helper.make_node("Concat", ["known", "brightness"], ["all"], axis=1),
        helper.make_node("Reshape", ["all", "rows"], ["output0"]),
    ]
    shape: list[str | int | None] = ["batch", 3, "height", "width"]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["batch", 8, 1])
    graph = helper.make_graph(nodes, "brightness", [images], [output], constants)
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    helper.set_model_props(network, PPE_CARD)
    return network


def test_the_network_measures_brightness(model: onnx.ModelProto, tmp_path: Path) -> None:
    assert list(_scores(model, tmp_path)) == pytest.approx([114 / 255, 230 / 255] * 2, abs=1e-4)


def test_weights_in_16_bits(model: onnx.ModelProto, tmp_path: Path) -> None:
    half = halve_weights(model)
    onnx.checker.check_model(half, full_check=True)
    kernel = next(w for w in half.graph.initializer if w.name == "kernel_half")
    assert kernel.data_type == TensorProto.FLOAT16
    assert list(_scores(half, tmp_path)) == pytest.approx([114 / 255, 230 / 255] * 2, abs=1e-3)


def test_weights_too_large_for_16_bits_are_refused(model: onnx.ModelProto) -> None:
    huge = numpy_helper.from_array(np.full((1, 3, 32, 32), 1e6, np.float32), "kernel")
    model.graph.initializer[0].CopyFrom(huge)
    with pytest.raises(ValueError, match="kernel"):
        halve_weights(model)


def test_everything_in_16_bits(model: onnx.ModelProto, tmp_path: Path) -> None:
    """As Ultralytics exports with half=True: pictures go in and boxes come out in 16 bits."""
    for weight in model.graph.initializer:
        numbers = numpy_helper.to_array(weight)
        if numbers.dtype == np.float32:
            weight.CopyFrom(numpy_helper.from_array(numbers.astype(np.float16), weight.name))
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.elem_type = TensorProto.FLOAT16
    assert list(_scores(model, tmp_path)) == pytest.approx([114 / 255, 230 / 255] * 2, abs=0.01)


def test_convolutions_in_int8(model: onnx.ModelProto, tmp_path: Path) -> None:
    """Quantised as NNCF and ONNX Runtime do it: pairs of quantise and dequantise."""
    kernel = numpy_helper.to_array(model.graph.initializer[0])
    step = float(kernel.max()) / 127
    model.graph.initializer[0].CopyFrom(
        numpy_helper.from_array(np.round(kernel / step).astype(np.int8), "kernel8")
    )
    numbers = {"step": step, "unit": 1 / 255}
    model.graph.initializer.extend(
        [numpy_helper.from_array(np.array(n, np.float32), name) for name, n in numbers.items()]
        + [
            numpy_helper.from_array(np.array(0, np.int8), "zero8"),
            numpy_helper.from_array(np.array(0, np.uint8), "zero"),
        ]
    )
    nodes = [
        helper.make_node("QuantizeLinear", ["images", "unit", "zero"], ["quantised"]),
        helper.make_node("DequantizeLinear", ["quantised", "unit", "zero"], ["again"]),
        helper.make_node("DequantizeLinear", ["kernel8", "step", "zero8"], ["kernel"]),
        helper.make_node("Conv", ["again", "kernel"], ["tiles"], strides=[32, 32]),
        *model.graph.node[1:],
    ]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    assert list(_scores(model, tmp_path)) == pytest.approx([114 / 255, 230 / 255] * 2, abs=0.01)


def test_8_bits_that_an_engine_computes_wrongly_are_refused(tmp_path: Path) -> None:
    meant = np.full((50, 8), 100, np.float32)
    shifted = meant + np.array([4, 4, 4, 4, 0, 0, 0, 0], np.float32)
    one, other = (
        openvino.compile_model(write_network(tmp_path / f"{i}.onnx", anchors, card=PPE_CARD), "CPU")
        for i, anchors in enumerate((meant, shifted))
    )

    def compiled(network: Any) -> Any:
        return lambda pictures: network([pictures[0].transpose(0, 3, 1, 2) / np.float32(255)])

    check_8_bits([compiled(one)], compiled(one), tmp_path / "net.onnx", (256, 256))
    with pytest.raises(ModelError, match="ANJEON_BACKEND=onnxruntime"):
        check_8_bits([compiled(one), compiled(other)], compiled(one), tmp_path / "n.onnx", (64, 64))


def _scores(network: onnx.ModelProto, folder: Path) -> Iterator[float]:
    """What each engine says about a grey and about a bright picture."""
    path = folder / "brightness.onnx"
    onnx.save(network, str(path))
    pictures: list[Picture] = [GREY, BRIGHT]
    for engine in ENGINES:
        detector = load_object_detector(
            path, width=256, backend=engine, device="cpu", cache_dir=folder
        )
        for found in detector.detect(pictures):
            (score,) = found.scores.tolist()
            yield score
        detector.close()
