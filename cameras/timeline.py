"""Timestamps of one connection that begin at zero and go on evenly, whatever the camera does."""

from safety.clock import Instant

LONGEST_JUMP_S = 5.0
"""Timestamps that leave the time of arrival by more than this have been set anew."""


class Timeline:
    """Places a camera's timestamps; the first one is zero.

    Cameras set their clocks in the middle of a stream, and RTP's timestamps start again after
    13 hours at 90 kHz. Clips and viewers would take either for a pause or a step back.
    """

    def __init__(self) -> None:
        self._shift_s: float | None = None
        self._last: tuple[float, Instant] | None = None

    def place(self, pts_s: float, at: Instant) -> float:
        """Seconds on this timeline.

        Args:
            pts_s: The camera's timestamp; out of order by the depth of its B-frames at most.
            at: When the picture arrived.
        """
        if self._shift_s is None:
            self._shift_s = -pts_s
        if self._last is not None:
            last_s, last_at = self._last
            expected_s = last_s + at.monotonic - last_at.monotonic
            if abs(pts_s + self._shift_s - expected_s) > LONGEST_JUMP_S:
                self._shift_s = expected_s - pts_s
        placed_s = pts_s + self._shift_s
        self._last = placed_s, at
        return placed_s
