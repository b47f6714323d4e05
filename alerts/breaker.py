"""When to try again, and when to leave a channel alone."""

import random

from safety.clock import Instant

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 300.0


def retry_after_s(attempts: int, *, asked_s: float | None = None) -> float:
    """Seconds until the next attempt: doubling from 1 s to 5 min, with jitter.

    Args:
        attempts: Attempts that have failed so far, this one included.
        asked_s: What the receiver asked for; never less than this, 14 minutes at most.
    """
    full_s = min(LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(attempts - 1, 20))
    jittered_s = full_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
    return max(jittered_s, min(asked_s or 0.0, 14 * 60.0))


class Breaker:
    """Opens after some failures in a row; lets one probe through after a pause that doubles.

    Args:
        failures: How many in a row open it.
        pause_s: First pause.
        longest_s: Longest pause.
    """

    def __init__(
        self, *, failures: int = 5, pause_s: float = 15.0, longest_s: float = 300.0
    ) -> None:
        self._limit = failures
        self._first_pause_s = pause_s
        self._longest_s = longest_s
        self._failures = 0
        self._pause_s = pause_s
        self._opened_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it keeps deliveries back, a probe excepted."""
        return self._opened_at is not None

    def allows(self, now: Instant) -> bool:
        """Whether an attempt may be made: always while closed, a probe after the pause."""
        return self._opened_at is None or now.monotonic - self._opened_at >= self._pause_s

    def succeeded(self) -> None:
        """The channel works."""
        self._failures = 0
        self._opened_at = None
        self._pause_s = self._first_pause_s

    def failed(self, now: Instant) -> None:
        """An attempt failed; a failed probe doubles the pause."""
        self._failures += 1
        if self._opened_at is not None:
            self._pause_s = min(self._longest_s, self._pause_s * 2)
        if self._failures >= self._limit:
            self._opened_at = now.monotonic
