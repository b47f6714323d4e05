"""Watches the watchers: camera statuses become coverage, figures and blindness alerts."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from sqlmodel import Session

from cameras.messages import CameraStatus
from cameras.specs import CameraSpec
from safety.clock import Clock, Instant
from safety.engine.blindness import Blindness, BlindnessWatch
from safety.engine.coverage import CoverageKeeper, Interval
from safety.engine.metrics import EngineMetrics
from safety.engine.recorder import Entry, Recorder
from safety.store import coverage
from safety.store.times import utc

TICK_S = 1.0


class CameraDesk:
    """Everything the engine knows about cameras.

    Args:
        recorder: Takes coverage to the record.
        alert: Called when a camera's blindness becomes an alert, and when that is over.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        recorder: Recorder,
        metrics: EngineMetrics,
        alert: Callable[[Blindness], None],
    ) -> None:
        self._clock = clock
        self._recorder = recorder
        self._metrics = metrics
        self._alert = alert
        self._keeper = CoverageKeeper()
        self._blindness = BlindnessWatch()
        self._limits_s: dict[str, float] = {}
        self._statuses: dict[str, CameraStatus] = {}

    @property
    def statuses(self) -> Mapping[str, CameraStatus]:
        """The newest status of every camera that has one, by camera id."""
        return self._statuses

    @property
    def intervals(self) -> Mapping[str, Interval]:
        """What each camera is in now, by camera id."""
        return self._keeper.current

    def resume(self, open_alerts: Mapping[str, tuple[str, Instant]]) -> None:
        """Take over blindness alerts of an earlier life: camera id → alert key, since."""
        self._blindness.resume(open_alerts)

    def configure(self, cameras: Iterable[CameraSpec]) -> None:
        """Set which cameras there are."""
        known = {camera.id: camera for camera in cameras}
        self._limits_s = {
            camera.id: camera.blind_alert_after_s for camera in known.values() if camera.enabled
        }
        self._statuses = {key: value for key, value in self._statuses.items() if key in known}
        enabled = {camera.id: camera.enabled for camera in known.values()}
        self._write(self._keeper.configure(enabled, self._clock.now()))

    def observe(self, status: CameraStatus) -> None:
        """Take one camera's word."""
        self._statuses[status.camera_id] = status
        self._metrics.camera_seen(status)
        self._write(self._keeper.observe(status, self._clock.now()))

    def lost(self, camera_ids: Iterable[str]) -> None:
        """These cameras' shard is gone."""
        now = self._clock.now()
        for camera_id in camera_ids:
            self._statuses.pop(camera_id, None)
            self._write(self._keeper.lost(camera_id, now))

    async def run(self) -> None:
        """Notice silence and lasting blindness; cancel to stop."""
        before = self._clock.now()
        while True:
            await self._clock.sleep_async(TICK_S)
            now = self._clock.now()
            self._write(self._keeper.tick(now))
            for interval in self._keeper.current.values():
                self._metrics.covered(interval, now.monotonic - before.monotonic)
            for episode in self._blindness.update(self._keeper.current, self._limits_s, now):
                self._alert(episode)
            before = now

    def finish(self) -> None:
        """The engine stops: nobody watches from here on."""
        self._write(self._keeper.finish(self._clock.now()))

    def _write(self, intervals: Iterable[Interval]) -> None:
        for interval in intervals:
            key = ("coverage", interval.camera_id, repr(interval.started), str(interval.open))
            self._recorder.put(Entry(key=key, write=partial(self._save, interval)))

    @staticmethod
    def _save(interval: Interval, session: Session) -> None:
        coverage.save_interval(
            session,
            camera_id=interval.camera_id,
            state=interval.state,
            reason=interval.reason,
            started_at=utc(interval.started),
            seconds=interval.seconds,
            is_open=interval.open,
        )
