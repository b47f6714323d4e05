"""Whether a channel works: when a failure becomes worth telling somebody."""

from enum import StrEnum

from safety.clock import Instant


class HealthState(StrEnum):
    """What is known of a channel."""

    UNKNOWN = "unknown"
    OK = "ok"
    FAILING = "failing"
    OPEN = "open"
    """Its breaker is open: it is left alone for a while."""
    DISABLED = "disabled"
    """The receiver wants nothing any more (HTTP 410)."""


class ChannelHealth:
    """Follows the answers of one channel.

    Args:
        fails_after_s: Failing for so long, without one success, is worth an alert.
    """

    def __init__(self, *, fails_after_s: float) -> None:
        self._fails_after_s = fails_after_s
        self._failing_since: float | None = None
        self._told = False
        self.state = HealthState.UNKNOWN

    def answered(self, ok: bool, now: Instant, *, for_good: bool = False) -> bool:
        """Take one answer; True if somebody should be told that it fails, or works again.

        A failure ``for_good`` is worth telling at once.
        """
        if ok:
            self.state = HealthState.OK
            self._failing_since = None
            told, self._told = self._told, False
            return told
        self.state = HealthState.FAILING
        if self._failing_since is None:
            self._failing_since = now.monotonic
        lasted = now.monotonic - self._failing_since
        if self._told or (lasted < self._fails_after_s and not for_good):
            return False
        self._told = True
        return True
