"""A small builder for ONNX graphs: names its own values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 10


class Graph:
    """Collects nodes and constants; every value is called by a string.

    ``input`` is the name of the one input, float32 [batch, 3, height, width].
    """

    input = "images"

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._known: dict[tuple[object, ...], str] = {}

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """A tensor that belongs to the graph."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def integers(self, *values: int) -> str:
        """A vector of int64; equal ones are shared."""
        return self._shared(("integers", *values), np.array(values, np.int64))

    def number(self, value: float) -> str:
        """A scalar of float32; equal ones are shared."""
        return self._shared(("number", value), np.array(value, np.float32))

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator with one output and return that."""
        return self.nodes(operator, inputs, outputs=1, **attributes)[0]

    def nodes(
        self, operator: str, inputs: Sequence[str], *, outputs: int, **attributes: Any
    ) -> list[str]:
        """Add an operator with several outputs and return those."""
        names = [f"n{len(self._nodes)}_{i}" for i in range(outputs)]
        self._nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names

    def model(self, result: str, channels: int, metadata: dict[str, str]) -> onnx.ModelProto:
        """The finished model; its output is ``output0``, float32 [batch, channels, anchors]."""
        self._nodes.append(helper.make_node("Identity", [result], ["output0"]))
        images = helper.make_tensor_value_info(
            self.input, TensorProto.FLOAT, ["batch", 3, "height", "width"]
        )
        output = helper.make_tensor_value_info(
            "output0", TensorProto.FLOAT, ["batch", channels, "anchors"]
        )
        graph = helper.make_graph(self._nodes, "yolo", [images], [output], self._constants)
        model = helper.make_model(
            graph,
            producer_name="anjeon",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        helper.set_model_props(model, metadata)
        return model

    def _shared(
        self, key: tuple[object, ...], values: NDArray[np.float32] | NDArray[np.int64]
    ) -> str:
        if key not in self._known:
            self._known[key] = self.constant(values)
        return self._known[key]
