"""Clocks of others: how far they are off, and how old their messages really are."""

from collections import deque

from safety.clock import Instant

WINDOW_S = 10.0
ANNOUNCED_S = 2.0
"""A clock that is further off than this is announced."""
OLDEST_S = 5.0
"""A message can count as this late at most; more is a clock that was set."""


class ClockSkew:
    """Learns the difference between a sender's clock and ours from its messages.

    The quickest message of the last seconds tells the difference; what another one took
    longer is its age. So a wrong clock does no harm, and a message that was held up on its
    way is known to be old. A sender that only tells whole seconds is taken to speak at once.
    """

    def __init__(self) -> None:
        self._offsets: deque[tuple[float, float]] = deque()
        self._fine = False
        self.skew_s = 0.0

    def age_s(self, sent_wall: float, now: Instant) -> float:
        """How old a message is that was sent at ``sent_wall`` by its sender's clock."""
        offset = now.monotonic - sent_wall
        self._fine = self._fine or not sent_wall.is_integer()
        self._offsets.append((now.monotonic, offset))
        while now.monotonic - self._offsets[0][0] > WINDOW_S:
            self._offsets.popleft()
        quickest = min(each for _, each in self._offsets)
        if offset - quickest > OLDEST_S:
            # Its clock was set back: measure anew from here.
            self._offsets.clear()
            self._offsets.append((now.monotonic, offset))
            quickest = offset
        self.skew_s = sent_wall - now.wall + (offset - quickest)
        return offset - quickest if self._fine else 0.0

    @property
    def announced(self) -> bool:
        """Whether people should be told."""
        return abs(self.skew_s) > ANNOUNCED_S
