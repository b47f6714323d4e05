"""INT8 after training: the convolutions in 8 bits, the head in float.

With the head in 8 bits as well, box borders and joints move by whole pixels; without it the
loss is small. Weights are symmetric per channel, activations asymmetric, because SiLU's output
is not symmetric. ONNX Runtime's quantizer writes the file: what NNCF 3.4 writes as ONNX is
computed wrongly by OpenVINO 2026.4 (hundreds of persons instead of tens).
"""

import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from safety.perception.letterbox import fit, place
from safety.training.dataset import read_picture
from safety.training.needs import TrainingError, require
from safety.types import Picture

PICTURES = 160
"""Pictures that show which values occur."""

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
    require("onnxruntime")
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    source_model = named(model)
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(source_model, str(source))
        quantize_static(
            source,
            result,
            _Reader(pictures),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            nodes_to_exclude=head_nodes(source_model),
        )
        smaller = onnx.load(str(result))
    onnx.helper.set_model_props(smaller, {p.key: p.value for p in model.metadata_props})
    return smaller


def named(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model with a name for every node; names that are there stay."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    for number, node in enumerate(result.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
    return result


class _Reader:
    """Gives the quantizer one prepared picture after the other."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self._pictures: Iterator[Picture] = iter(pictures)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The network's input for the next picture; None after the last."""
        picture = next(self._pictures, None)
        if picture is None:
            return None
        scaled: NDArray[np.float32] = np.divide(picture.transpose(2, 0, 1)[None], 255, dtype="f4")
        return {"images": scaled}


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
