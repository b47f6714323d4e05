"""What every detector is, whichever engine runs the network."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from safety.types import Detections, FloatArray, IntArray, Picture

Take = Callable[[], Picture | None]
"""Gives the next picture; None if there is none at the moment."""

Found = TypeVar("Found")
FoundOut = TypeVar("FoundOut", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """What a network without keypoints found in one picture; row i is one object.

    Attributes:
        boxes: (N, 4) float32, left, top, right, bottom, normalised to the picture.
        scores: (N,) float32, 0-1, highest first.
        classes: (N,) int64, index into the detector's ``names``.
    """

    boxes: FloatArray
    scores: FloatArray
    classes: IntArray

    def __post_init__(self) -> None:
        n = len(self.boxes)
        for name, shape in {"boxes": (n, 4), "scores": (n,), "classes": (n,)}.items():
            got = getattr(self, name).shape
            if got != shape:
                raise ValueError(f"Objects.{name} has shape {got}, expected {shape}")

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def empty(cls) -> "Objects":
        """Nothing found."""
        return cls(
            boxes=np.zeros((0, 4), np.float32),
            scores=np.zeros(0, np.float32),
            classes=np.zeros(0, np.int64),
        )


class NetworkDetector(Protocol[Found]):
    """Runs one network over pictures. Used from one thread at a time.

    Attributes:
        names: Class names; ``classes`` of the results counts them.
        network_px: Width and height of the network's input.
        backend: Which engine runs it: ``"openvino"``, ``"onnxruntime"`` or ``"recorded"``.
        nonfinite_outputs: Candidates dropped since the start because the network gave NaN or
            infinity. Anything above 0 means that the network or the machine is broken: a
            camera analysed by it must not be called live.
    """

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def network_px(self) -> tuple[int, int]: ...

    @property
    def backend(self) -> str: ...

    @property
    def nonfinite_outputs(self) -> int: ...

    def detect(self, pictures: Sequence[Picture]) -> list[Found]:
        """What is in each picture, in the same order.

        Pictures may differ in size; each is fitted into the network's input. Those that have
        the network's width and its aspect already are not resampled.

        Raises:
            ValueError: An array is no RGB uint8 picture.
            ModelError: The engine failed.
        """
        ...

    def stream(self, take: Take) -> Iterator[Found]:
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


class Detector(NetworkDetector[Detections], Protocol):
    """Finds persons, with their pose, and vehicles."""


class ObjectDetector(NetworkDetector[Objects], Protocol):
    """Finds objects of its own classes, such as protective equipment."""


def in_batches(
    detect: Callable[[Sequence[Picture]], list[Found]], take: Take, size: int
) -> Iterator[Found]:
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
