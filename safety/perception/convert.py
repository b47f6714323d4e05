"""Turns an Ultralytics YOLO11 checkpoint into ONNX, without PyTorch.

The result is what Ultralytics' own dynamic export computes: input ``images`` float32
[N, 3, H, W] RGB 0-1, output ``output0`` float32 [N, 4 + classes + keypoints, anchors].
"""

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np
import onnx

from safety.errors import ModelError
from safety.perception.checkpoint import read_checkpoint
from safety.perception.graph import Graph
from safety.perception.head import channels, head
from safety.perception.layers import emit
from safety.perception.modules import Module

_REVISION = b"anjeon-convert-1"
"""Part of the cache key: change it whenever the graph that is written changes."""

_TASKS = {"PoseModel": "pose", "DetectionModel": "detect"}


def convert(path: Path) -> onnx.ModelProto:
    """The network of a ``.pt`` file as an ONNX model with dynamic batch, height and width.

    Raises:
        ModelError: The file is missing, damaged or no YOLO11 detection or pose network.
    """
    network = _network(path)
    graph = Graph()
    results: list[str] = []
    layers = network.child("model").children()
    for layer in layers[:-1]:
        results.append(emit(graph, layer, *_inputs(graph, layer, results)))
    last = layers[-1]
    if last.kind not in ("Detect", "Pose"):
        raise _no_network(path)
    output = head(graph, last, _inputs(graph, last, results))
    return graph.model(output, channels(last), _metadata(network, last))


def converted(path: Path, cache_dir: Path) -> Path:
    """The ONNX file for a ``.pt`` file, made at the first call and kept in ``cache_dir``.

    The name is the SHA-256 of the checkpoint and the converter's revision, and the file
    appears whole or not at all, so that several processes may ask at the same time.

    Raises:
        ModelError: As for ``convert``; or the cache directory cannot be written.
    """
    target = cache_dir / f"{_digest(path)}.onnx"
    if target.is_file():
        return target
    content = convert(path).SerializeToString()
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cache_dir, suffix=".part", delete=False) as part:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
        Path(part.name).replace(target)
    except OSError as error:
        raise ModelError(
            "model.cache",
            "the converted network cannot be kept in {directory} ({why}); make it writable",
            directory=str(cache_dir),
            why=error.strerror or str(error),
        ) from error
    return target


def _digest(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            "model.missing",
            "the model file {path} cannot be read ({why}); check ANJEON_POSE_MODEL",
            path=str(path),
            why=error.strerror or str(error),
        ) from error
    return hashlib.sha256(_REVISION + content).hexdigest()


def _network(path: Path) -> Module:
    checkpoint = read_checkpoint(path)
    network = checkpoint.get("ema") or checkpoint.get("model")
    if not isinstance(network, Module) or network.kind not in _TASKS:
        raise _no_network(path)
    return network


def _no_network(path: Path) -> ModelError:
    return ModelError(
        "model.no_network",
        "the model file {path} holds no YOLO11 detection or pose network; use one trained with"
        " Ultralytics, such as yolo11n-pose.pt",
        path=str(path),
    )


def _inputs(graph: Graph, layer: Module, results: list[str]) -> list[str]:
    """What a layer reads: the one before it (-1) or earlier ones by their index."""
    source = layer.attribute("f")
    sources = source if isinstance(source, list) else [source]
    return [results[i] if results else graph.input for i in sources]


def _metadata(network: Module, last: Module) -> dict[str, str]:
    """Under the keys, and in the notation, of Ultralytics' own export."""
    metadata = {
        "description": "YOLO11 network converted from an Ultralytics checkpoint by Anjeon",
        "author": "Ultralytics",
        "license": "AGPL-3.0 (https://ultralytics.com/license)",
        "stride": str(int(np.max(last.array("stride")))),
        "task": _TASKS[network.kind],
        "names": str(dict(network.attribute("names"))),
        "channels": "3",
        "end2end": "False",
    }
    if last.kind == "Pose":
        metadata["kpt_shape"] = str([int(n) for n in last.attribute("kpt_shape")])
    return metadata
