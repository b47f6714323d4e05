"""Detectors over engines that take several pictures as one batch."""

from collections.abc import Iterator, Sequence
from typing import Generic, Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from safety.perception.detector import Found, Take, in_batches
from safety.perception.engine import OutOfMemory
from safety.perception.letterbox import fit, place
from safety.perception.postprocess import Decoder
from safety.types import FloatArray, Picture

log = structlog.get_logger(__name__)

_STREAM_BATCH = 4
"""More would not be faster, and all of them wait for the last one."""


class BatchEngine(Protocol):
    """Runs one network."""

    @property
    def backend(self) -> str: ...

    def run(self, canvas: NDArray[np.uint8]) -> FloatArray:
        """The network's output (N, rows, anchors) for RGB pictures (N, height, width, 3).

        Raises:
            OutOfMemory: There is not enough memory for so many pictures.
            ModelError: The engine failed.
        """
        ...

    def close(self) -> None:
        """Free the engine."""
        ...


class BatchDetector(Generic[Found]):
    """A network that takes pictures in batches; in smaller ones where memory is short.

    Args:
        engine: Runs the network.
        decoder: Reads its output.
        network_px: Width and height of its input.
        max_batch: Pictures per run at the most; more are run one batch after the other.
    """

    def __init__(
        self,
        engine: BatchEngine,
        decoder: Decoder[Found],
        *,
        network_px: tuple[int, int],
        max_batch: int,
    ) -> None:
        self.network_px = network_px
        self.backend = engine.backend
        self._engine = engine
        self._decoder = decoder
        self._batch = max_batch
        width, height = network_px
        self._canvas = np.empty((max_batch, height, width, 3), np.uint8)

    @property
    def names(self) -> tuple[str, ...]:
        return self._decoder.names

    @property
    def nonfinite_outputs(self) -> int:
        return self._decoder.nonfinite_outputs

    def detect(self, pictures: Sequence[Picture]) -> list[Found]:
        results: list[Found] = []
        while len(results) < len(pictures):
            batch = pictures[len(results) : len(results) + self._batch]
            try:
                results += self._detect_batch(batch)
            except OutOfMemory:
                if len(batch) == 1:
                    raise
                self._batch = len(batch) // 2
                log.warning("detector_takes_fewer_pictures", at_once=self._batch)
        return results

    def stream(self, take: Take) -> Iterator[Found]:
        return in_batches(self.detect, take, min(self._batch, _STREAM_BATCH))

    def close(self) -> None:
        self._engine.close()

    def _detect_batch(self, pictures: Sequence[Picture]) -> list[Found]:
        canvas = self._canvas[: len(pictures)]
        placements = [fit(picture, self.network_px) for picture in pictures]
        for picture, target, placement in zip(pictures, canvas, placements, strict=True):
            place(picture, target, placement)
        return [
            self._decoder.decode(output, placement)
            for output, placement in zip(self._engine.run(canvas), placements, strict=True)
        ]
