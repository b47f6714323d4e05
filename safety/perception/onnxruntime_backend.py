"""Runs networks with ONNX Runtime: where OpenVINO does not exist, such as on ARM."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Generic

import cv2
import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as state

from safety.perception.detector import Found, Take, in_batches
from safety.perception.engine import engine_failed, engine_refused
from safety.perception.letterbox import fit, place
from safety.perception.postprocess import Decoder
from safety.types import Picture

_FAILURES = (
    state.EPFail,
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NotImplemented,
    state.RuntimeException,
)
"""What ONNX Runtime raises; they have no common base of their own."""

_STREAM_BATCH = 4
"""More would not be faster, and all of them wait for the last one."""


class OnnxRuntimeDetector(Generic[Found]):
    """A network in ONNX Runtime on the processor: pictures as one batch.

    Args:
        model: ONNX file.
        decoder: Reads the network's output.
        network_px: Width and height of the network's input.
        max_batch: Pictures per run at the most; more are run one batch after the other.

    Raises:
        ModelError: ONNX Runtime cannot run the file.
    """

    backend = "onnxruntime"

    def __init__(
        self,
        model: Path,
        decoder: Decoder[Found],
        *,
        network_px: tuple[int, int],
        max_batch: int,
    ) -> None:
        self.network_px = network_px
        self._decoder = decoder
        self._max_batch = max_batch
        width, height = network_px
        self._canvas = np.empty((max_batch, height, width, 3), np.uint8)
        options = onnxruntime.SessionOptions()
        # Waiting threads would otherwise spin and take the cores from the decoders.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except _FAILURES as error:
            raise engine_refused("ONNX Runtime", model, error) from error
        images = self._session.get_inputs()[0]
        self._input = images.name
        self._precision = np.float16 if images.type == "tensor(float16)" else np.float32

    @property
    def names(self) -> tuple[str, ...]:
        return self._decoder.names

    @property
    def nonfinite_outputs(self) -> int:
        return self._decoder.nonfinite_outputs

    def detect(self, pictures: Sequence[Picture]) -> list[Found]:
        results: list[Found] = []
        for first in range(0, len(pictures), self._max_batch):
            results += self._detect_batch(pictures[first : first + self._max_batch])
        return results

    def stream(self, take: Take) -> Iterator[Found]:
        return in_batches(self.detect, take, min(self._max_batch, _STREAM_BATCH))

    def close(self) -> None:
        del self._session

    def _detect_batch(self, pictures: Sequence[Picture]) -> list[Found]:
        canvas = self._canvas[: len(pictures)]
        placements = [fit(picture, self.network_px) for picture in pictures]
        for picture, target, placement in zip(pictures, canvas, placements, strict=True):
            place(picture, target, placement)
        blob = cv2.dnn.blobFromImages(list(canvas), scalefactor=1 / 255)
        try:
            outputs = self._session.run(
                None, {self._input: blob.astype(self._precision, copy=False)}
            )[0]
            outputs = outputs.astype(np.float32, copy=False)
        except _FAILURES as error:
            raise engine_failed("ONNX Runtime", error) from error
        return [
            self._decoder.decode(output, placement)
            for output, placement in zip(outputs, placements, strict=True)
        ]
