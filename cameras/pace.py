"""Real-time pace for sources that could deliver faster."""

import threading

from safety.clock import Clock

_LONGEST_WAIT_S = 0.5
_LONGEST_LAG_S = 1.0


class Pace:
    """Holds a thread until a moment of the film is due; the film starts with the first wait.

    Args:
        cancelled: Ends every wait when set.
    """

    def __init__(self, clock: Clock, cancelled: threading.Event) -> None:
        self._clock = clock
        self._cancelled = cancelled
        self._start: float | None = None

    def begin(self, played_s: float) -> None:
        """The film has been running for so long already."""
        self._start = self._clock.now().monotonic - played_s

    @property
    def cancelled(self) -> bool:
        """Whether waiting has been called off."""
        return self._cancelled.is_set()

    def wait_for(self, moment_s: float) -> bool:
        """Wait until ``moment_s`` seconds into the film; False if cancelled.

        A film that lags more than a second goes on from there, like a camera: it is not played
        faster to catch up.
        """
        begun_now = self._clock.now().monotonic - moment_s
        if self._start is None or begun_now - self._start > _LONGEST_LAG_S:
            self._start = begun_now
        while (left := self._start + moment_s - self._clock.now().monotonic) > 0:
            if self._cancelled.wait(min(left, _LONGEST_WAIT_S)):
                return False
        return not self.cancelled
