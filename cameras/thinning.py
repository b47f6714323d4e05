"""Which of a camera's pictures are analysed, when it sends more than are wanted."""

import zlib

from safety.clock import Instant

_TOLERANCE = 0.25
"""A picture may come this part of the interval early, for network jitter."""


class Thinning:
    """Chooses pictures so that ``max_fps`` holds on average.

    Cameras that were connected at the same moment, as all are when a shard starts, would
    otherwise be due at the same moment for ever, and the last of them would wait for all
    others: each camera therefore has a part of the interval of its own to be out of step by.

    Args:
        camera_id: Decides how much it is out of step.
        max_fps: Pictures per second at the most.
    """

    def __init__(self, camera_id: str, max_fps: float) -> None:
        self._interval_s = 1 / max_fps
        self._shift_s = self._interval_s * zlib.crc32(camera_id.encode()) / 2**32
        self._due: float | None = None

    def wants(self, at: Instant) -> bool:
        """Whether the picture captured at ``at`` is one of them; ask once for every picture."""
        now = at.monotonic
        if self._due is None or now >= self._due + self._interval_s:
            # It begins, was away, or sends fewer pictures than are wanted.
            self._due = now + self._shift_s
            return True
        if now < self._due - _TOLERANCE * self._interval_s:
            return False
        self._due += self._interval_s
        return True
