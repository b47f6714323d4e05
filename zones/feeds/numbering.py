"""Numbered messages: whether one sender speaks on a topic, or two."""

from collections import deque

from safety.clock import Instant

WINDOW_S = 10.0
BACKWARD = 3
"""So many steps back in the window are no restart: two senders number against each other."""


class Numbering:
    """Watches numbers that should only grow; a sender that restarts begins anew once."""

    def __init__(self) -> None:
        self.newest: int | None = None
        self._backward: deque[float] = deque()

    def take(self, number: int, now: Instant) -> None:
        """Take the next message's number."""
        if self.newest is not None and number < self.newest:
            self._backward.append(now.monotonic)
        self.newest = number

    def disputed(self, now: Instant) -> bool:
        """Whether two senders seem to speak."""
        while self._backward and now.monotonic - self._backward[0] > WINDOW_S:
            self._backward.popleft()
        return len(self._backward) >= BACKWARD
