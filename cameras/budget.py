"""What the networks cost on this machine, and how much of it a shard may spend."""

import threading
from collections.abc import Mapping

import numpy as np

from safety.clock import Clock
from safety.perception.detector import Detector
from safety.types import Picture

USABLE = 0.8
"""Share of the network's speed that is planned with: decoding and rules need the rest."""

RUNS = 8
"""Pictures that are measured at the most, after one that is not,"""

LONGEST_S = 0.3
"""and for so long: the cameras wait."""


class NetworkCosts:
    """Measured milliseconds per picture, by size of the network. From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ms: dict[tuple[int, int], float] = {}

    def measure(self, detector: Detector, clock: Clock) -> None:
        """Time a network with pictures that keep it busy, before anybody else uses it.

        Beside other work it seems slower than it is: then less is planned, not too much.
        """
        width, height = detector.network_px
        picture: Picture = np.full((height, width, 3), 114, np.uint8)
        detector.detect([picture])
        begun, given = clock.now().monotonic, 0

        def take() -> Picture | None:
            nonlocal given
            if given >= RUNS or clock.now().monotonic - begun > LONGEST_S:
                return None
            given += 1
            return picture

        for _ in detector.stream(take):
            pass
        self.put((width, height), (clock.now().monotonic - begun) / given * 1000)

    def put(self, size: tuple[int, int], ms: float) -> None:
        """A network of this width and height takes so long for a picture."""
        with self._lock:
            self._ms[size] = ms

    def known(self) -> Mapping[tuple[int, int], float]:
        """What has been measured so far."""
        with self._lock:
            return dict(self._ms)


def picture_ms(known: Mapping[tuple[int, int], float], size: tuple[int, int]) -> float | None:
    """Milliseconds per picture of one size; None if nothing is known.

    A size that was not measured is reckoned from the nearest one by its area, to which the
    work of a convolutional network is proportional.
    """
    if size in known:
        return known[size]
    area = size[0] * size[1]
    nearest = min(known, key=lambda each: abs(each[0] * each[1] - area), default=None)
    return None if nearest is None else known[nearest] * area / (nearest[0] * nearest[1])
