"""The sirens: from violation to sound, before and without any database."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

import structlog
from prometheus_client import CollectorRegistry

from alerts.channels.base import Receipt, Siren, SirenLevel
from alerts.episodes import Attention, Episodes, Wanted
from alerts.health import ChannelHealth, HealthState
from alerts.siren_metrics import SirenMetrics
from alerts.siren_worker import SirenTimings, SirenWorker
from safety.clock import Clock
from safety.errors import ChannelError
from safety.types import Violation

log = structlog.get_logger(__name__)


class SirenControl:
    """Makes every siren show the worst open violation that concerns it.

    Each siren has its own task, so that one that hangs delays neither another nor the caller.
    While something is wrong the level is asserted anew every third of ``ttl_s``, which also
    overrides what anybody else commands on the same device; a siren that hears nothing goes
    quiet by itself. Quiet is commanded three times, then never again until the next alarm:
    another Anjeon may be using the same siren. A siren that cannot go quiet by itself is also
    told so at the start: an earlier life may have left it sounding.

    Args:
        sirens: By channel id; opened and closed by the caller.
        timings: Time-to-live of commands, pauses and limits.
        stale_after_s: A violation that nobody has reported for so long sounds no more.
        unreachable_after_s: A siren that fails for so long is reported as failed.
        registry: Where metrics go.
        on_first_command: Called once per violation with its id and the seconds from the
            capture of its first frame to the first siren's confirmation.
        on_channel_health: Called with channel id, whether it works, and why not, at every
            change.
    """

    def __init__(
        self,
        sirens: Mapping[str, Siren],
        *,
        clock: Clock,
        timings: SirenTimings = SirenTimings(),
        stale_after_s: float = 60.0,
        unreachable_after_s: float = 5.0,
        registry: CollectorRegistry | None = None,
        on_first_command: Callable[[str, float], None] | None = None,
        on_channel_health: Callable[[str, bool, ChannelError | None], None] | None = None,
    ) -> None:
        self._clock = clock
        self._timings = timings
        self._unreachable_after_s = unreachable_after_s
        self._metrics = SirenMetrics(registry or CollectorRegistry())
        self._on_first_command = on_first_command
        self._on_channel_health = on_channel_health
        self._episodes = Episodes(stale_after_s=stale_after_s)
        self._latencies: dict[str, dict[str, float]] = {}
        self._sirens: dict[str, Siren] = {}
        self._workers: dict[str, SirenWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._health: dict[str, ChannelHealth] = {}
        self._running = False
        for channel_id, siren in sirens.items():
            self._add(channel_id, siren)

    @property
    def silent(self) -> bool:
        """No siren is meant to sound."""
        return all(level is SirenLevel.OFF for level in self.levels.values())

    @property
    def levels(self) -> dict[str, SirenLevel]:
        """What every siren should show now."""
        return {key: self._wanted(key).level for key in self._sirens}

    @property
    def health(self) -> dict[str, HealthState]:
        """Whether every siren works."""
        return {channel_id: health.state for channel_id, health in self._health.items()}

    def latencies(self, violation_id: str) -> dict[str, float]:
        """Seconds from capture to the first confirmed command, by channel; empty if none yet."""
        return dict(self._latencies.get(violation_id, {}))

    async def report(
        self,
        violation: Violation,
        channels: tuple[str, ...] | None,
        attention: Attention = Attention.NONE,
    ) -> None:
        """Take one report of a violation, in any order and as often as it comes.

        Args:
            violation: The report.
            channels: Channels of its rule; None: all.
            attention: What people have said of it already.
        """
        self._episodes.report(violation, channels, attention=attention)
        self._poke()

    async def attend(self, violation_id: str, attention: Attention = Attention.SEEN) -> None:
        """Somebody has acknowledged the violation, or judged it."""
        self._episodes.attend(violation_id, attention, self._clock.now())
        self._poke()

    async def configure(self, sirens: Mapping[str, Siren]) -> None:
        """Use these sirens from now on; an unchanged driver object goes on undisturbed.

        A siren that is left out is told to be quiet; its driver is the caller's to close.
        """
        gone = [key for key, siren in self._sirens.items() if sirens.get(key) is not siren]
        await asyncio.gather(*(self._remove(channel_id) for channel_id in gone))
        for channel_id, siren in sirens.items():
            if channel_id not in self._sirens:
                self._add(channel_id, siren)

    async def run(self) -> None:
        """Drive the sirens until cancelled. Sounding ones then end by their time-to-live."""
        self._running = True
        for channel_id in self._sirens:
            self._start(channel_id)
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Command nothing any more; what sounds ends by its time-to-live, or when it is closed."""
        self._running = False
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _add(self, channel_id: str, siren: Siren) -> None:
        self._sirens[channel_id] = siren
        self._health[channel_id] = ChannelHealth(fails_after_s=self._unreachable_after_s)
        self._workers[channel_id] = SirenWorker(
            siren,
            clock=self._clock,
            timings=self._timings,
            wanted=partial(self._wanted, channel_id),
            succeeded=partial(self._succeeded, channel_id),
            answered=partial(self._answered, channel_id),
        )
        if self._running:
            self._start(channel_id)

    async def _remove(self, channel_id: str) -> None:
        task = self._tasks.pop(channel_id, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        del self._sirens[channel_id]
        worker = self._workers.pop(channel_id)
        await worker.quieten()
        del self._health[channel_id]
        self._metrics.forget(channel_id)

    def _start(self, channel_id: str) -> None:
        name = f"siren-{channel_id}"
        self._tasks[channel_id] = asyncio.create_task(self._workers[channel_id].run(), name=name)

    def _poke(self) -> None:
        for violation_id in self._episodes.forget_old(self._clock.now()):
            self._latencies.pop(violation_id, None)
        for worker in self._workers.values():
            worker.poke()

    def _wanted(self, channel_id: str) -> Wanted:
        quiet_when = self._sirens[channel_id].quiet_when
        return self._episodes.wanted(channel_id, self._clock.now(), quiet_when=quiet_when)

    def _succeeded(self, channel_id: str, wanted: Wanted, receipt: Receipt) -> None:
        self._metrics.confirmed(channel_id, wanted.level, receipt.latency_s)
        for violation_id in wanted.violations:
            captured = self._episodes.captured_at(violation_id)
            known = self._latencies.setdefault(violation_id, {})
            if captured is None or channel_id in known:
                continue
            first = not known
            known[channel_id] = receipt.at.monotonic - captured
            if first and self._on_first_command is not None:
                self._on_first_command(violation_id, known[channel_id])

    def _answered(self, channel_id: str, error: ChannelError | None) -> None:
        health = self._health[channel_id]
        failing = health.state is HealthState.FAILING
        if error is not None:
            self._metrics.failed(channel_id)
            if not failing:
                log.warning("siren_failed", channel=channel_id, problem=str(error))
        elif failing:
            log.info("siren_works_again", channel=channel_id)
        changed = health.answered(error is None, self._clock.now())
        self._metrics.reachable(channel_id, error is None)
        if changed and self._on_channel_health is not None:
            self._on_channel_health(channel_id, error is None, error)
