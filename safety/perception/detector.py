"""What every detector is, whichever engine runs the network."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from safety.types import Detections, Picture

Take = Callable[[], Picture | None]
"""Gives the next picture; None if there is none at the moment."""


class Detector(Protocol):
    """Finds persons and vehicles in pictures. Used from one thread at a time.

    Attributes:
        network_px: Width and height of the network's input.
        backend: Which engine runs it: ``"openvino"``, ``"onnxruntime"`` or ``"recorded"``.
        nonfinite_outputs: Candidates dropped since the start because the network gave NaN or
            infinity. Anything above 0 means that the network or the machine is broken: a
            camera analysed by it must not be called live.
    """

    @property
    def network_px(self) -> tuple[int, int]: ...

    @property
    def backend(self) -> str: ...

    @property
    def nonfinite_outputs(self) -> int: ...

    def detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        """What is in each picture, in the same order.

        Pictures may differ in size; each is fitted into the network's input. Those that have
        the network's width and its aspect already are not resampled.

        Raises:
            ValueError: An array is no RGB uint8 picture.
            ModelError: The engine failed.
        """
        ...

    def stream(self, take: Take) -> Iterator[Detections]:
        """What is in each picture that ``take`` gives, in the same order, each as soon as known.

        ``take`` is asked when there is room for another picture, so that it can choose the
        newest one as late as possible. While the caller deals with one result, the engine may
        be at work on the next. Ends when ``take`` had nothing and all results are out.

        Raises:
            ValueError, ModelError: As ``detect``; pictures without a result have none then.
        """
        ...

    def close(self) -> None:
        """Free the engine; the detector cannot be used after this."""
        ...


def in_batches(
    detect: Callable[[Sequence[Picture]], list[Detections]], take: Take, size: int
) -> Iterator[Detections]:
    """``Detector.stream`` for engines that run whole batches.

    Args:
        detect: Runs one batch.
        size: Pictures per batch at the most.
    """
    while True:
        pictures: list[Picture] = []
        while len(pictures) < size and (picture := take()) is not None:
            pictures.append(picture)
        if not pictures:
            return
        yield from detect(pictures)
