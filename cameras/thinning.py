"""Which of a camera's pictures are analysed, when it sends more than are wanted."""

import math
from collections.abc import Collection

from safety.clock import Instant

_TOLERANCE = 0.25
"""A picture may come this part of the interval early, for network jitter."""


class Thinning:
    """Chooses pictures so that ``max_fps`` holds on average.

    Pictures of several cameras that are due at the same moment wait for each other. Each camera
    therefore has a part of the interval of its own, counted on the clock that all of them share:
    those of one rate stay out of step for ever, whenever they began.

    Args:
        max_fps: Pictures per second at the most.
        phase: Its part of the interval, 0-1; see ``phase_of``.
    """

    def __init__(self, max_fps: float, *, phase: float = 0.0) -> None:
        self._interval_s = 1 / max_fps
        self._phase = phase
        self._due: float | None = None

    def wants(self, at: Instant) -> bool:
        """Whether the picture captured at ``at`` is one of them; ask once for every picture."""
        now = at.monotonic
        if self._due is None or now >= self._due + self._interval_s:
            # It begins, was away, or sends fewer pictures than are wanted.
            self._due = self._turn_after(now)
            return True
        if now < self._due - _TOLERANCE * self._interval_s:
            return False
        self._due += self._interval_s
        return True

    def _turn_after(self, now: float) -> float:
        turns = math.floor(now / self._interval_s - self._phase) + 1
        return (turns + self._phase) * self._interval_s


def first_free(numbers: Collection[int]) -> int:
    """The smallest number, from 0, that is not among these."""
    return next(number for number in range(len(numbers) + 1) if number not in numbers)


def phase_of(number: int) -> float:
    """The part of the interval for the camera of this number, from 0: 0, 1/2, 1/4, 3/4, 1/8, ...

    However many cameras there are, they lie nearly evenly (van der Corput's sequence).
    """
    phase, part = 0.0, 0.5
    while number:
        phase += part * (number & 1)
        number, part = number >> 1, part / 2
    return phase
