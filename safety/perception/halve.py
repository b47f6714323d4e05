"""Networks half the size: weights kept in 16 bits, everything computed in 32 bits."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_LEAST_NUMBERS = 16
"""Smaller tensors (shapes, constants of the head) stay as they are."""


def halve_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with its weights as float16, each followed by a cast to float32.

    Engines carry the casts out once, while loading. Input, output and arithmetic stay float32,
    so every engine that takes the original takes the result.

    Raises:
        ValueError: A weight is too large for 16 bits.
    """
    smaller = onnx.ModelProto()
    smaller.CopyFrom(model)
    casts = []
    for weight in smaller.graph.initializer:
        numbers = numpy_helper.to_array(weight)
        if numbers.dtype != np.float32 or numbers.size < _LEAST_NUMBERS:
            continue
        if np.abs(numbers).max() > np.finfo(np.float16).max:
            raise ValueError(f"the weight {weight.name} has numbers too large for 16 bits")
        name = f"{weight.name}_half"
        casts.append(helper.make_node("Cast", [name], [weight.name], to=TensorProto.FLOAT))
        weight.CopyFrom(numpy_helper.from_array(numbers.astype(np.float16), name))
    nodes = [*casts, *smaller.graph.node]
    del smaller.graph.node[:]
    smaller.graph.node.extend(nodes)
    return smaller
