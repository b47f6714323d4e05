"""Whether OpenVINO computes an INT8 network as it is meant.

OpenVINO 2026.4 turns some INT8 networks into wrong ones, without a word: a pose network that NNCF
had quantised gave 554 persons where ONNX Runtime found 30 from the same file. So every INT8
network is compared with itself computed in float, once, while it is loaded.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from safety.errors import ModelError

MOST_APART_PX = 3.0
"""Median difference of all boxes, in pixels of the network. Measured on a pose network and several
test pictures: 0.7-0.9 where it is computed as meant, 7.7-18 where it is not."""


def in_8_bits(path: Path) -> bool:
    """Whether an ONNX file holds quantised parts."""
    graph = onnx.load(str(path), load_external_data=False).graph
    return any(node.op_type == "DequantizeLinear" for node in graph.node)


def check_8_bits(
    compiled: Sequence[Any], in_float: Any, path: Path, network_px: tuple[int, int]
) -> None:
    """Compare compiled networks with the same network computed in float, by the boxes in noise.

    Raises:
        ModelError: One of them finds others.
    """
    width, height = network_px
    noise = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
    meant = in_float([noise])[0][0, :4]
    apart = max(float(np.median(np.abs(one([noise])[0][0, :4] - meant))) for one in compiled)
    if not apart <= MOST_APART_PX:
        raise ModelError(
            "model.wrong_in_8_bits",
            "OpenVINO computes the 8-bit network {path} wrongly on this processor (boxes are"
            " {apart:.1f} pixels away); use the network in 16 bits, or one made with 'anjeon model"
            " export --int8', or set ANJEON_BACKEND=onnxruntime",
            path=str(path),
            apart=apart,
        )
