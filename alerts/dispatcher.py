"""Reads the outbox and hands its deliveries to the messengers' workers."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog
from prometheus_client import CollectorRegistry

from alerts.breaker import Breaker
from alerts.channels.base import ChannelGone, Messenger
from alerts.delivery_worker import DeliveryWorker, DispatchTimings, PictureOf, ReportOf
from alerts.dispatch_metrics import DispatchMetrics
from alerts.health import ChannelHealth, HealthState
from alerts.notices import SiteContext
from alerts.storm import StormGuard
from alerts.waiting import pause, wait_set
from safety.clock import Clock
from safety.errors import ChannelError, ChannelRefused, StoreUnavailable
from safety.store import outbox
from safety.store.database import Database
from safety.store.tables import Delivery
from safety.store.times import utc

log = structlog.get_logger(__name__)

_BACKLOG_EVERY_S = 5.0
_ORPHANS = 100


class Dispatcher:
    """Delivers what the outbox holds, each messenger at its own pace.

    The outbox in the database is the queue: after a crash the dispatcher goes on exactly where
    it was. A receiver may get a notice twice only if a crash came between its answer and our
    note of it; the notice then has the same id.

    Args:
        database: The record.
        messengers: By channel id; opened and closed by the caller.
        clock: The time.
        registry: Where metrics go.
        timings: Pauses and deadlines.
        make_breaker: A breaker for one channel.
        on_channel_health: Called with channel id, whether it works, and why not, at every
            change.
        picture_of: Gives blurred pictures of violations to messengers that show some.
        report_of: Gives monthly reports to messengers that carry them.
    """

    def __init__(
        self,
        database: Database,
        messengers: Mapping[str, Messenger],
        *,
        clock: Clock,
        registry: CollectorRegistry | None = None,
        timings: DispatchTimings = DispatchTimings(),
        make_breaker: Callable[[], Breaker] = Breaker,
        on_channel_health: Callable[[str, bool, ChannelError | None], None] | None = None,
        picture_of: PictureOf | None = None,
        report_of: ReportOf | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._timings = timings
        self._make_breaker = make_breaker
        self._metrics = DispatchMetrics(registry or CollectorRegistry())
        self._on_channel_health = on_channel_health
        self._picture_of = picture_of
        self._report_of = report_of
        self._messengers: dict[str, Messenger] = {}
        self._workers: dict[str, DeliveryWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._health: dict[str, ChannelHealth] = {}
        self._nudged = asyncio.Event()
        self._running = False
        self._store_ok = True
        self._backlog_at = float("-inf")
        self._guard = StormGuard(clock, self._metrics)
        for channel_id, messenger in messengers.items():
            self._add(channel_id, messenger)

    @property
    def health(self) -> dict[str, HealthState]:
        """What is known of every messenger."""
        return {
            channel_id: worker.hindrance or self._health[channel_id].state
            for channel_id, worker in self._workers.items()
        }

    def nudge(self) -> None:
        """Read the outbox now: something was put into it."""
        self._nudged.set()

    async def configure(self, messengers: Mapping[str, Messenger]) -> None:
        """Use these messengers from now on; an unchanged driver object goes on undisturbed.

        A messenger that is left out finishes what it is sending; its driver is the caller's
        to close.
        """
        gone = [key for key, old in self._messengers.items() if messengers.get(key) is not old]
        await asyncio.gather(*(self._remove(channel_id) for channel_id in gone))
        for channel_id, messenger in messengers.items():
            if channel_id not in self._messengers:
                self._add(channel_id, messenger)
        self.nudge()

    def obey(self, site: SiteContext) -> None:
        """Keep to the limits of this site's policy; until this is called there are none."""
        self._guard.configure(site)

    async def run(self) -> None:
        """Deliver until cancelled."""
        self._running = True
        for channel_id in self._workers:
            self._start(channel_id)
        try:
            while True:
                self._nudged.clear()
                await self._poll()
                if await wait_set(self._nudged, self._timings.poll_s):
                    await pause(self._timings.gather_s)
        finally:
            self._running = False
            tasks, self._tasks = list(self._tasks.values()), {}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll(self) -> None:
        """Give every worker what it can take; the database's border for exceptions."""
        wanted = {key: n for key, w in self._workers.items() if (n := w.appetite) > 0}
        now = self._clock.now().monotonic
        look_back = now - self._backlog_at >= _BACKLOG_EVERY_S
        if not wanted and not look_back:
            return
        try:
            due = await asyncio.to_thread(self._read_due, wanted)
            if look_back:
                await asyncio.to_thread(self._look_at_backlog)
                self._backlog_at = now
        except StoreUnavailable as error:
            if self._store_ok:
                log.warning("outbox_unreadable", problem=str(error))
            self._store_ok = False
            return
        except Exception:
            log.exception("outbox_poll_failed")
            return
        self._store_ok = True
        for channel_id, deliveries in due.items():
            if channel_id in self._workers:
                self._workers[channel_id].take(deliveries)

    def _read_due(self, wanted: Mapping[str, int]) -> dict[str, Sequence[Delivery]]:
        now = utc(self._clock.now())
        due: dict[str, Sequence[Delivery]] = {}
        with self._database.reading() as session:
            for channel_id, limit in wanted.items():
                due[channel_id] = outbox.due(session, now, limit, channel_id=channel_id)
        for channel_id, found in due.items():
            # Only what waits has to be counted, and perhaps folded.
            if found and self._guard.limits(channel_id):
                with self._database.transaction() as session:
                    due[channel_id] = self._guard.next_batch(
                        session, channel_id, appetite=wanted[channel_id], at=now
                    )
        return due

    def _look_at_backlog(self) -> None:
        """Update the figures, and give up what waits in vain for a channel that is not there."""
        now = utc(self._clock.now())
        with self._database.reading() as session:
            backlog = outbox.backlog(session)
        self._metrics.backlog(backlog, now)
        orphaned = [k for k, b in backlog.items() if b.waiting and k not in self._messengers]
        if not orphaned:
            return
        with self._database.transaction() as session:
            for channel_id in orphaned:
                for delivery in outbox.due(session, now, _ORPHANS, channel_id=channel_id):
                    if delivery.deadline_at <= now:
                        error = "deadline passed: this channel is not configured any more"
                        outbox.dead(session, delivery.id, error=error, attempted=False)
                        self._metrics.died(channel_id)

    def _add(self, channel_id: str, messenger: Messenger) -> None:
        self._messengers[channel_id] = messenger
        self._health[channel_id] = ChannelHealth(fails_after_s=self._timings.fails_after_s)
        self._workers[channel_id] = DeliveryWorker(
            messenger,
            database=self._database,
            clock=self._clock,
            timings=self._timings,
            breaker=self._make_breaker(),
            metrics=self._metrics,
            answered=partial(self._answered, channel_id),
            ready=self.nudge,
            picture_of=self._picture_of,
            report_of=self._report_of,
        )
        if self._running:
            self._start(channel_id)

    def _start(self, channel_id: str) -> None:
        name = f"messenger-{channel_id}"
        self._tasks[channel_id] = asyncio.create_task(self._workers[channel_id].run(), name=name)

    async def _remove(self, channel_id: str) -> None:
        del self._messengers[channel_id]
        worker = self._workers.pop(channel_id)
        task = self._tasks.pop(channel_id, None)
        if task is not None:
            await worker.finish(self._timings.attempt_s)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        del self._health[channel_id]

    def _answered(self, channel_id: str, error: ChannelError | None) -> None:
        health = self._health[channel_id]
        for_good = isinstance(error, ChannelRefused)
        changed = health.answered(error is None, self._clock.now(), for_good=for_good)
        if isinstance(error, ChannelGone):
            log.error("channel_disabled", channel=channel_id, problem=str(error))
        if changed and self._on_channel_health is not None:
            self._on_channel_health(channel_id, error is None, error)
