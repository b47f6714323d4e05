"""How long this shard takes from a frame's capture to what the rules say of it."""

from collections import deque

import numpy as np

from safety.clock import Instant

FRAMES = 500
"""The last frames, over which it is told."""

LEAST_FRAMES = 50
"""With fewer there is no 99th percentile worth its name."""

EVERY_S = 1.0
"""It is computed anew this often."""


class Latency:
    """Keeps the latencies of the last frames."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=FRAMES)
        self._told_at = 0.0
        self._p99_s: float | None = None

    @property
    def p99_s(self) -> float | None:
        """99th percentile of the last frames, seconds; None until there are enough."""
        return self._p99_s

    def add(self, captured_at: Instant, reported_at: Instant) -> None:
        """One more frame has been through the rules."""
        self._seconds.append(max(0.0, reported_at.monotonic - captured_at.monotonic))
        enough = len(self._seconds) >= LEAST_FRAMES
        if enough and reported_at.monotonic - self._told_at >= EVERY_S:
            self._told_at = reported_at.monotonic
            self._p99_s = float(np.percentile(self._seconds, 99))
