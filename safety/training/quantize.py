"""INT8 after training: the convolutions in 8 bits, the head in float.

With the head in 8 bits as well, box borders and joints move by whole pixels; without it the
loss is small. The preset is "mixed": weights symmetric, activations asymmetric, because SiLU's
output is not symmetric.
"""

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from safety.perception.letterbox import fit, place
from safety.training.dataset import read_picture
from safety.training.needs import TrainingError, require
from safety.types import Picture

PICTURES = 160
"""Pictures that show NNCF which values occur."""

_SUFFIXES = (".webp", ".jpg", ".jpeg", ".png", ".bmp")


def quantize(
    model: Path, *, pictures: Path, out: Path, network_px: tuple[int, int] = (640, 384)
) -> Path:
    """Write an INT8 version of an ONNX file.

    Args:
        pictures: Folder with pictures like those that the network will see.
        network_px: Width and height that the pictures are fitted to.

    Raises:
        TrainingError: Packages or pictures are missing.
    """
    onnx.save(quantized(onnx.load(str(model)), calibration(pictures, network_px)), str(out))
    return out


def calibration(
    pictures: Path, network_px: tuple[int, int] = (640, 384), count: int = PICTURES
) -> list[Picture]:
    """A fixed random choice of the pictures below a folder, fitted into the network's input.

    Raises:
        TrainingError: There are none.
    """
    paths = sorted(p for p in pictures.rglob("*") if p.suffix.lower() in _SUFFIXES)
    random.Random(0).shuffle(paths)  # noqa: S311 - a choice of pictures
    found = [picture for picture in map(read_picture, paths[:count]) if picture is not None]
    if not found:
        raise TrainingError(
            "training.no_pictures_there",
            "{folder} holds no pictures; INT8 needs about {count} like those that the network"
            " will see",
            folder=str(pictures),
            count=count,
        )
    return [fitted(picture, network_px) for picture in found]


def fitted(picture: Picture, network_px: tuple[int, int]) -> Picture:
    """A picture in the network's input, grey around it."""
    canvas = np.empty((network_px[1], network_px[0], 3), np.uint8)
    place(picture, canvas, fit(picture, network_px))
    return canvas


def quantized(model: onnx.ModelProto, pictures: Sequence[Picture]) -> onnx.ModelProto:
    """An ONNX model with 8-bit convolutions (QDQ nodes); its card is kept.

    Args:
        model: Weights in 32 bits.
        pictures: (height, width, 3) uint8 RGB, all of the network's size.
    """
    require("nncf", "onnxruntime")
    import nncf

    named = onnx.ModelProto()
    named.CopyFrom(model)
    for number, node in enumerate(named.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"

    def prepared(picture: Picture) -> dict[str, Any]:
        return {"images": picture.transpose(2, 0, 1)[None].astype(np.float32) / 255}

    result: onnx.ModelProto = nncf.quantize(
        named,
        nncf.Dataset(list(pictures), prepared),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(pictures),
        ignored_scope=nncf.IgnoredScope(names=head_nodes(named)),
    )
    onnx.helper.set_model_props(result, {p.key: p.value for p in model.metadata_props})
    return result


def head_nodes(model: onnx.ModelProto) -> list[str]:
    """Names of the head's nodes: all from the first that belongs to it.

    Raises:
        TrainingError: The file is neither from our converter nor from Ultralytics' exporter.
    """
    nodes = list(model.graph.node)
    modules = [_module(node.name) for node in nodes]
    last = max(modules, default=-1)
    for number, node in enumerate(nodes):
        ours = any(a.name == "start" and a.i == 2 for a in node.attribute)
        if modules[number] == last >= 0 or (last < 0 and node.op_type == "Shape" and ours):
            return [node.name for node in nodes[number:]]
    raise TrainingError(
        "training.no_head",
        "the network's head cannot be told from the rest; quantize the .pt file, or an .onnx"
        " that Anjeon or Ultralytics exported",
    )


def _module(name: str) -> int:
    """Number of the module in a node name as Ultralytics' exporter gives it; -1 for others."""
    found = re.match(r"/model\.(\d+)/", name)
    return int(found[1]) if found else -1
