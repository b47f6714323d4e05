"""Runs networks with Ultralytics itself: TensorRT ``.engine`` files, and ``.pt`` of any kind.

Ultralytics only computes the network here; fitting pictures in and reading the output is the
same as for all engines, so that the results are.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from ultralytics.nn.autobackend import AutoBackend

from safety.perception.devices import Hardware
from safety.perception.engine import engine_failed, engine_refused
from safety.perception.models import NetworkCard
from safety.types import FloatArray


class UltralyticsEngine:
    """A network in Ultralytics, on the processor or an NVIDIA GPU.

    Opening a ``.pt`` file runs code in it: use only files that you trust.

    Args:
        model: ``.pt`` or ``.engine``.
        device: ``cpu`` or ``cuda``.

    Raises:
        ModelError: Ultralytics cannot run the file.
    """

    backend = "ultralytics"

    def __init__(self, model: Path, *, device: Hardware) -> None:
        self._device = torch.device("cuda:0" if device == "cuda" else "cpu")
        try:
            self._network = AutoBackend(model=str(model), device=self._device, verbose=False)
        except Exception as error:  # unpickling and TensorRT raise whatever they like
            raise engine_refused("Ultralytics", model, error) from error
        self._half = bool(self._network.fp16)

    @property
    def card(self) -> NetworkCard:
        """What the network says about itself."""
        network = self._network
        inner = getattr(network, "model", None)
        task = network.task or getattr(inner, "task", None) or "unknown"
        keypoints = getattr(network, "kpt_shape", None)
        fixed = not network.dynamic and network.format == "engine"
        return NetworkCard(
            task=str(task),
            names=tuple(str(network.names[i]) for i in range(len(network.names))),
            keypoints=None if keypoints is None else (int(keypoints[0]), int(keypoints[1])),
            end_to_end=bool(network.end2end),
            fixed_px=(int(network.imgsz[1]), int(network.imgsz[0])) if fixed else None,
            output_rows=None,
        )

    def run(self, canvas: NDArray[np.uint8]) -> FloatArray:
        try:
            pictures = torch.from_numpy(canvas).to(self._device).permute(0, 3, 1, 2)
            scaled = (pictures.half() if self._half else pictures.float()) / 255
            with torch.inference_mode():
                output = self._network(scaled.contiguous())
            numbers: FloatArray = _first(output).float().cpu().numpy()
        except (RuntimeError, ValueError, AssertionError, MemoryError) as error:
            raise engine_failed("Ultralytics", error) from error
        return numbers

    def close(self) -> None:
        del self._network
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def _first(output: Any) -> Any:
    """The decoded predictions; some heads give their raw features beside them."""
    while isinstance(output, (list, tuple)):
        output = output[0]
    return output
