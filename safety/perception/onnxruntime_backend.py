"""Runs networks with ONNX Runtime: where OpenVINO does not exist, and on NVIDIA GPUs."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as state

from safety.perception.devices import Hardware, missing
from safety.perception.engine import engine_failed, engine_refused
from safety.types import FloatArray

_FAILURES = (
    state.EPFail,
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NotImplemented,
    state.RuntimeException,
    MemoryError,
)
"""What ONNX Runtime raises; they have no common base of their own."""

Provider = str | tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where a network runs and what it must take.

    Attributes:
        device: ``cpu``, ``cuda`` or ``tensorrt``.
        network_px: Width and height of its input.
        max_batch: Pictures at once at the most.
        cache_dir: Where TensorRT keeps what it built, which takes minutes the first time.
    """

    device: Hardware
    network_px: tuple[int, int]
    max_batch: int
    cache_dir: Path


class OnnxRuntimeEngine:
    """A network in ONNX Runtime.

    Args:
        model: ONNX file.
        room: Where it runs.

    Raises:
        ModelError: ONNX Runtime cannot run the file, or cannot use the device.
    """

    backend = "onnxruntime"

    def __init__(self, model: Path, room: Room) -> None:
        options = onnxruntime.SessionOptions()
        # Waiting threads would otherwise spin and take the cores from the decoders.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        if room.device != "cpu":
            # CUDA and cuDNN may lie in packages of their own instead of the system's folders.
            onnxruntime.preload_dlls()
        providers = _providers(model, room)
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=providers)
        except _FAILURES as error:
            raise engine_refused("ONNX Runtime", model, error) from error
        wanted, used = providers[0], self._session.get_providers()[0]
        if used != (wanted if isinstance(wanted, str) else wanted[0]):
            # ONNX Runtime only warns, and would go on on the processor.
            raise missing(
                room.device,
                "ONNX Runtime could not start it; check the versions of CUDA and cuDNN",
            )
        images = self._session.get_inputs()[0]
        self._input = images.name
        self._precision = np.float16 if images.type == "tensor(float16)" else np.float32

    def run(self, canvas: NDArray[np.uint8]) -> FloatArray:
        blob = cv2.dnn.blobFromImages(list(canvas), scalefactor=1 / 255)
        try:
            fed = {self._input: blob.astype(self._precision, copy=False)}
            outputs = self._session.run(None, fed)[0]
        except _FAILURES as error:
            raise engine_failed("ONNX Runtime", error) from error
        numbers: FloatArray = outputs.astype(np.float32, copy=False)
        return numbers

    def close(self) -> None:
        del self._session


def _providers(model: Path, room: Room) -> list[Provider]:
    """ONNX Runtime's names, best first; what one cannot compute, the next one does."""
    providers: list[Provider] = ["CPUExecutionProvider"]
    if room.device in ("cuda", "tensorrt"):
        # As on the processor, in full 32 bits; and no long search for every new batch size.
        exact = {"use_tf32": 0, "cudnn_conv_algo_search": "HEURISTIC"}
        providers.insert(0, ("CUDAExecutionProvider", exact))
    if room.device == "tensorrt":
        room.cache_dir.mkdir(parents=True, exist_ok=True)
        providers.insert(0, ("TensorrtExecutionProvider", _tensorrt(model, room)))
    return providers


def _tensorrt(model: Path, room: Room) -> dict[str, Any]:
    """One engine for all batch sizes, or each new one would be built for minutes."""
    name = onnx.load(str(model), load_external_data=False).graph.input[0].name
    width, height = room.network_px
    sizes = {"min": 1, "opt": min(4, room.max_batch), "max": room.max_batch}
    profile = {
        f"trt_profile_{which}_shapes": f"{name}:{count}x3x{height}x{width}"
        for which, count in sizes.items()
    }
    cache = {"trt_engine_cache_enable": True, "trt_engine_cache_path": str(room.cache_dir)}
    return {**cache, **profile}
