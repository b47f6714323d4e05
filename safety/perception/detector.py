"""What every detector is, whichever engine runs the network."""

from collections.abc import Sequence
from typing import Protocol

from safety.types import Detections, Picture


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

    def close(self) -> None:
        """Free the engine; the detector cannot be used after this."""
        ...
