"""What each camera could honestly be said to watch, second by second."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cameras.messages import CameraStatus
from safety.clock import Instant
from safety.types import CameraState

STALE_S = 3.0
"""Without a status for this long a camera counts as blind: nobody knows."""

EXTEND_S = 10.0
"""How often the interval that lasts is written; a crash loses at most this much."""

JUMP_S = 1.0
"""A wall clock that moved by more than this against the monotonic one starts a new interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A camera's uninterrupted time in one state.

    Attributes:
        seconds: Monotonic length; also what ``ended_wall`` is computed from, so that a
            jump of the wall clock lengthens or shortens nothing.
        open: It still lasts.
    """

    camera_id: str
    state: CameraState
    reason: str
    started: Instant
    seconds: float
    open: bool

    @property
    def ended_wall(self) -> float:
        """Unix time of its (present) end."""
        return self.started.wall + self.seconds

    def until(self, now: Instant, *, closed: bool) -> "Interval":
        """The same interval, grown to ``now``."""
        return replace(
            self, seconds=max(0.0, now.monotonic - self.started.monotonic), open=not closed
        )


class CoverageKeeper:
    """Turns camera statuses into intervals.

    ``observe`` and ``tick`` return the intervals to be written, identified by camera and
    start: writing one again replaces it.
    """

    def __init__(self) -> None:
        self._open: dict[str, Interval] = {}
        self._heard: dict[str, Instant] = {}
        self._written: dict[str, float] = {}

    @property
    def current(self) -> Mapping[str, Interval]:
        """The interval that lasts, by camera id."""
        return self._open

    def configure(self, cameras: Mapping[str, bool], now: Instant) -> list[Interval]:
        """Set which cameras exist, by id: enabled or not."""
        changed: list[Interval] = []
        for camera_id in [known for known in self._open if known not in cameras]:
            changed.append(self._open.pop(camera_id).until(now, closed=True))
            self._heard.pop(camera_id, None)
        for camera_id, enabled in cameras.items():
            if not enabled:
                self._heard.pop(camera_id, None)
                changed += self._enter(camera_id, CameraState.BLIND, "disabled", now)
            elif camera_id not in self._open or self._open[camera_id].reason == "disabled":
                self._heard[camera_id] = now
                changed += self._enter(camera_id, CameraState.BLIND, "starting", now)
        return changed

    def observe(self, status: CameraStatus, now: Instant) -> list[Interval]:
        """Take one camera's word; cameras that are not configured are ignored."""
        current = self._open.get(status.camera_id)
        if current is None or current.reason == "disabled":
            return []
        self._heard[status.camera_id] = now
        return self._enter(status.camera_id, status.state, status.reason, now)

    def lost(self, camera_id: str, now: Instant) -> list[Interval]:
        """The camera's shard is gone: nobody watches."""
        if camera_id not in self._open or self._open[camera_id].reason == "disabled":
            return []
        return self._enter(camera_id, CameraState.BLIND, "shard_lost", now)

    def tick(self, now: Instant) -> list[Interval]:
        """Call about once a second: silence becomes blindness, long intervals are written."""
        changed: list[Interval] = []
        for camera_id, heard in self._heard.items():
            if now.monotonic - heard.monotonic > STALE_S:
                changed += self.lost(camera_id, now)
        for camera_id, interval in list(self._open.items()):
            if abs(now.wall - interval.until(now, closed=False).ended_wall) > JUMP_S:
                changed += self._restart(interval, now)
            elif now.monotonic - self._written.get(camera_id, 0.0) >= EXTEND_S:
                changed.append(self._keep(interval.until(now, closed=False), now))
        return changed

    def finish(self, now: Instant) -> list[Interval]:
        """Close everything; the engine stops."""
        closed = [interval.until(now, closed=True) for interval in self._open.values()]
        self._open.clear()
        return closed

    def _enter(
        self, camera_id: str, state: CameraState, reason: str, now: Instant
    ) -> list[Interval]:
        current = self._open.get(camera_id)
        if current is not None and (current.state, current.reason) == (state, reason):
            return []
        fresh = Interval(
            camera_id=camera_id, state=state, reason=reason, started=now, seconds=0.0, open=True
        )
        closed = [] if current is None else [current.until(now, closed=True)]
        return [*closed, self._keep(fresh, now)]

    def _restart(self, interval: Interval, now: Instant) -> list[Interval]:
        fresh = replace(interval, started=now, seconds=0.0)
        return [interval.until(now, closed=True), self._keep(fresh, now)]

    def _keep(self, interval: Interval, now: Instant) -> Interval:
        self._open[interval.camera_id] = interval
        self._written[interval.camera_id] = now.monotonic
        return interval
