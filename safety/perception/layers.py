"""The modules of a YOLO11 backbone and neck as ONNX operators."""

from collections.abc import Callable

import numpy as np

from safety.errors import ModelError
from safety.perception.graph import Graph
from safety.perception.modules import Module
from safety.types import FloatArray


def emit(graph: Graph, module: Module, *inputs: str) -> str:
    """Add a module to the graph and return its output.

    Raises:
        ModelError: The module is not one that YOLO11 has.
    """
    emitter = _EMITTERS.get(module.kind)
    if emitter is None:
        raise ModelError(
            "model.layer",
            "a {kind} module stands where YOLO11 has none; export the network to ONNX instead",
            kind=module.kind,
        )
    return emitter(graph, module, *inputs)


def folded(convolution: Module, norm: Module | None) -> tuple[FloatArray, FloatArray]:
    """Weights and bias of a convolution with the batch norm behind it multiplied in."""
    weight = convolution.array("weight").astype(np.float64)
    has_bias = convolution.has_array("bias")
    bias = convolution.array("bias").astype(np.float64) if has_bias else np.zeros(len(weight))
    if norm is not None:
        variance = norm.array("running_var").astype(np.float64)
        scale = norm.array("weight") / np.sqrt(variance + float(norm.attribute("eps")))
        weight = weight * scale[:, None, None, None]
        bias = norm.array("bias") + (bias - norm.array("running_mean")) * scale
    return weight.astype(np.float32), bias.astype(np.float32)


def conv2d(graph: Graph, module: Module, x: str, norm: Module | None = None) -> str:
    """A convolution, batch norm folded in."""
    weight, bias = folded(module, norm)
    top, left = module.attribute("padding")
    return graph.node(
        "Conv",
        x,
        graph.constant(weight),
        graph.constant(bias),
        kernel_shape=list(module.attribute("kernel_size")),
        strides=list(module.attribute("stride")),
        pads=[top, left, top, left],
        dilations=list(module.attribute("dilation")),
        group=int(module.attribute("groups")),
    )


def _conv(graph: Graph, module: Module, x: str) -> str:
    norm = module.child("bn") if module.has("bn") else None
    return emit(graph, module.child("act"), conv2d(graph, module.child("conv"), x, norm))


def _silu(graph: Graph, _module: Module, x: str) -> str:
    return graph.node("Mul", x, graph.node("Sigmoid", x))


def _identity(_graph: Graph, _module: Module, x: str) -> str:
    return x


def _sequence(graph: Graph, module: Module, x: str) -> str:
    for step in module.children():
        x = emit(graph, step, x)
    return x


def _concat(graph: Graph, module: Module, *inputs: str) -> str:
    return graph.node("Concat", *inputs, axis=int(module.attribute("d")))


def _upsample(graph: Graph, module: Module, x: str) -> str:
    factor = float(module.attribute("scale_factor"))
    scales = graph.constant(np.array([1, 1, factor, factor], np.float32))
    return graph.node(
        "Resize",
        x,
        "",
        scales,
        mode=str(module.attribute("mode")),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _max_pool(graph: Graph, module: Module, x: str) -> str:
    size, stride, pad = (int(module.attribute(n)) for n in ("kernel_size", "stride", "padding"))
    return graph.node(
        "MaxPool", x, kernel_shape=[size, size], strides=[stride, stride], pads=[pad] * 4
    )


def _added(graph: Graph, module: Module, x: str, y: str) -> str:
    return graph.node("Add", x, y) if module.attribute("add") else y


def _bottleneck(graph: Graph, module: Module, x: str) -> str:
    y = emit(graph, module.child("cv2"), emit(graph, module.child("cv1"), x))
    return _added(graph, module, x, y)


def _c3k(graph: Graph, module: Module, x: str) -> str:
    deep = emit(graph, module.child("m"), emit(graph, module.child("cv1"), x))
    flat = emit(graph, module.child("cv2"), x)
    return emit(graph, module.child("cv3"), graph.node("Concat", deep, flat, axis=1))


def _halves(graph: Graph, module: Module, x: str) -> list[str]:
    width = int(module.attribute("c"))
    return graph.nodes("Split", [x, graph.integers(width, width)], outputs=2, axis=1)


def _c3k2(graph: Graph, module: Module, x: str) -> str:
    parts = _halves(graph, module, emit(graph, module.child("cv1"), x))
    for step in module.child("m").children():
        parts.append(emit(graph, step, parts[-1]))
    return emit(graph, module.child("cv2"), graph.node("Concat", *parts, axis=1))


def _sppf(graph: Graph, module: Module, x: str) -> str:
    parts = [emit(graph, module.child("cv1"), x)]
    for _ in range(3):
        parts.append(emit(graph, module.child("m"), parts[-1]))
    return emit(graph, module.child("cv2"), graph.node("Concat", *parts, axis=1))


def _c2psa(graph: Graph, module: Module, x: str) -> str:
    kept, attended = _halves(graph, module, emit(graph, module.child("cv1"), x))
    attended = emit(graph, module.child("m"), attended)
    return emit(graph, module.child("cv2"), graph.node("Concat", kept, attended, axis=1))


def _psa_block(graph: Graph, module: Module, x: str) -> str:
    x = _added(graph, module, x, emit(graph, module.child("attn"), x))
    return _added(graph, module, x, emit(graph, module.child("ffn"), x))


def _attention(graph: Graph, module: Module, x: str) -> str:
    heads, key, head = (int(module.attribute(n)) for n in ("num_heads", "key_dim", "head_dim"))
    qkv = emit(graph, module.child("qkv"), x)
    qkv = graph.node("Reshape", qkv, graph.integers(0, heads, 2 * key + head, -1))
    q, k, v = graph.nodes("Split", [qkv, graph.integers(key, key, head)], outputs=3, axis=2)
    q = graph.node("Mul", q, graph.number(float(module.attribute("scale"))))
    attention = graph.node("MatMul", graph.node("Transpose", q, perm=[0, 1, 3, 2]), k)
    attention = graph.node("Softmax", attention, axis=-1)
    attention = graph.node("Transpose", attention, perm=[0, 1, 3, 2])
    shape = graph.node("Shape", x)
    mixed = graph.node("Reshape", graph.node("MatMul", v, attention), shape)
    position = emit(graph, module.child("pe"), graph.node("Reshape", v, shape))
    return emit(graph, module.child("proj"), graph.node("Add", mixed, position))


_EMITTERS: dict[str, Callable[..., str]] = {
    "Conv": _conv,
    "DWConv": _conv,
    "Conv2d": conv2d,
    "SiLU": _silu,
    "Identity": _identity,
    "Sequential": _sequence,
    "Concat": _concat,
    "Upsample": _upsample,
    "MaxPool2d": _max_pool,
    "Bottleneck": _bottleneck,
    "C3k": _c3k,
    "C3k2": _c3k2,
    "SPPF": _sppf,
    "C2PSA": _c2psa,
    "PSABlock": _psa_block,
    "Attention": _attention,
}
