"""Carries one messenger's deliveries, one after the other, whatever happens to the others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from sqlmodel import Session

from alerts.breaker import Breaker, retry_after_s
from alerts.channels.base import (
    ChannelBusy,
    ChannelGone,
    Messenger,
    Notice,
    Paper,
    TakesPicture,
    TakesReport,
)
from alerts.dispatch_metrics import DispatchMetrics
from alerts.health import HealthState
from alerts.notices import notice_from
from alerts.waiting import pause, wait_set
from safety.clock import Clock
from safety.errors import ChannelError, ChannelRefused, StoreUnavailable
from safety.store import outbox
from safety.store.database import Database
from safety.store.refusals import NotFound
from safety.store.tables import Delivery
from safety.store.times import utc

log = structlog.get_logger(__name__)

PictureOf = Callable[[str], Awaitable[bytes | None]]
"""Violation id → a JPEG in which nobody can be recognised; None: none in time."""

ReportOf = Callable[[str], Awaitable[Paper | None]]
"""Month → its report as a file, as it was kept; None: there is none."""

_STORE_RETRY_S = (0.25, 5.0)
_DRIVER_GRACE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchTimings:
    """Seconds, and how many deliveries a channel is given at a time.

    Attributes:
        poll_s: How often the outbox is read without being nudged.
        gather_s: How long more is waited for after a nudge, lest a storm has it read all the time.
        attempt_s: Deadline of one attempt.
        fails_after_s: A channel that fails for so long is reported as failed.
    """

    poll_s: float = 0.5
    gather_s: float = 0.03
    attempt_s: float = 10.0
    fails_after_s: float = 60.0
    batch: int = 20


class DeliveryWorker:
    """One messenger's task.

    A delivery's outcome is written to the database before the next one is begun; while the
    database is away the worker waits for it, so that nothing is sent twice because of that.

    Args:
        answered: Called after every attempt with the error or None, and whether it is final
            for the channel.
        ready: Called when the worker could take more.
        picture_of: Gives pictures in which nobody can be recognised; None: there are none.
        report_of: Gives monthly reports as files; None: there are none.
    """

    def __init__(
        self,
        messenger: Messenger,
        *,
        database: Database,
        clock: Clock,
        timings: DispatchTimings,
        breaker: Breaker,
        metrics: DispatchMetrics,
        answered: Callable[[ChannelError | None], None],
        ready: Callable[[], None],
        picture_of: PictureOf | None = None,
        report_of: ReportOf | None = None,
    ) -> None:
        self.channel_id = messenger.channel_id
        self._messenger = messenger
        self._database = database
        self._clock = clock
        self._timings = timings
        self._breaker = breaker
        self._metrics = metrics
        self._answered = answered
        self._ready = ready
        self._picture_of = picture_of
        self._report_of = report_of
        self._inbox: asyncio.Queue[Sequence[Delivery]] = asyncio.Queue(maxsize=1)
        self._busy = False
        self._idle = asyncio.Event()
        self._leaving = False
        self._gone: ChannelError | None = None

    @property
    def appetite(self) -> int:
        """How many deliveries it can take now."""
        if self._busy or self._leaving or not self._breaker.allows(self._clock.now()):
            return 0
        return 1 if self._breaker.is_open else self._timings.batch

    @property
    def hindrance(self) -> HealthState | None:
        """Why it does not even try, if so."""
        if self._gone is not None:
            return HealthState.DISABLED
        return HealthState.OPEN if self._breaker.is_open else None

    def take(self, deliveries: Sequence[Delivery]) -> None:
        """Begin with these; only after ``appetite`` asked for some."""
        if deliveries:
            self._busy = True
            self._idle.clear()
            self._inbox.put_nowait(deliveries)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            for delivery in await self._inbox.get():
                if self._leaving or not self._breaker.allows(self._clock.now()):
                    break  # The rest is still pending in the outbox.
                await self._deliver(delivery)
            self._busy = False
            self._idle.set()
            self._ready()

    async def finish(self, seconds: float) -> None:
        """Let the delivery that is under way end, ``seconds`` at the most; begin no other."""
        self._leaving = True
        if self._busy:
            await wait_set(self._idle, seconds)

    async def _deliver(self, delivery: Delivery) -> None:
        now = self._clock.now()
        left_s = (delivery.deadline_at - utc(now)).total_seconds()
        if self._gone is not None:
            await self._give_up(delivery, str(self._gone), attempted=False)
            return
        if left_s <= 0:
            error = delivery.last_error or "the channel took no deliveries before the deadline"
            await self._give_up(delivery, f"deadline passed: {error}", attempted=False)
            return
        failure = await self._send(delivery, min(self._timings.attempt_s, left_s))
        if failure is None:
            at = utc(self._clock.now())
            self._breaker.succeeded()
            self._answered(None)
            await self._record(lambda session: outbox.delivered(session, delivery.id, at=at))
            return
        log.warning(
            "delivery_failed",
            channel=self.channel_id,
            delivery=delivery.id,
            attempt=delivery.attempts + 1,
            problem=str(failure),
        )
        await self._failed(delivery, failure)

    async def _send(self, delivery: Delivery, timeout_s: float) -> ChannelError | None:
        """One attempt; the channel's border for exceptions."""
        notice = await self._with_report(await self._illustrated(notice_from(delivery)))
        started = self._clock.now().monotonic
        result = "failed"
        try:
            async with asyncio.timeout(timeout_s + _DRIVER_GRACE_S):
                await self._messenger.send(notice, timeout_s=timeout_s)
            result = "delivered"
        except ChannelError as error:
            if isinstance(error, ChannelRefused):
                result = "refused"
            return error
        except TimeoutError:
            return ChannelError(
                "channel.timeout",
                "channel {channel} did not answer within {seconds:g} s; it will be tried again",
                channel=self.channel_id,
                seconds=timeout_s,
            )
        except Exception as error:
            log.exception("messenger_driver_failed", channel=self.channel_id)
            return ChannelError(
                "channel.driver",
                "the driver of channel {channel} failed ({problem}); see the log",
                channel=self.channel_id,
                problem=type(error).__name__,
            )
        finally:
            elapsed_s = self._clock.now().monotonic - started
            self._metrics.attempted(self.channel_id, result, elapsed_s)
        return None

    async def _illustrated(self, notice: Notice) -> Notice:
        """The notice with its picture, where the channel shows one and there is one."""
        wanted = isinstance(self._messenger, TakesPicture) and self._messenger.takes_picture
        violation_id = notice.data.get("violation_id")
        if self._picture_of is None or not wanted or not isinstance(violation_id, str):
            return notice
        try:
            return replace(notice, picture=await self._picture_of(violation_id))
        except Exception:
            # Words without a picture are better than none.
            log.exception("no_picture", channel=self.channel_id)
            return notice

    async def _with_report(self, notice: Notice) -> Notice:
        """The notice with the monthly report that it is about, where the channel carries it."""
        wanted = isinstance(self._messenger, TakesReport) and self._messenger.takes_report
        month = notice.data.get("report_month")
        if self._report_of is None or not wanted or not isinstance(month, str):
            return notice
        try:
            return replace(notice, paper=await self._report_of(month))
        except Exception:
            # The notice carries a link as well.
            log.exception("no_report_to_attach", channel=self.channel_id)
            return notice

    async def _failed(self, delivery: Delivery, failure: ChannelError) -> None:
        if isinstance(failure, ChannelGone):
            self._gone = failure
        self._answered(failure)
        if isinstance(failure, ChannelRefused):
            await self._give_up(delivery, str(failure), attempted=True)
            return
        now = self._clock.now()
        self._breaker.failed(now)
        asked_s = failure.retry_after_s if isinstance(failure, ChannelBusy) else None
        wait_s = retry_after_s(delivery.attempts + 1, asked_s=asked_s)
        retry_at = utc(now) + timedelta(seconds=wait_s)
        await self._record(
            lambda session: outbox.failed(
                session, delivery.id, error=str(failure), retry_at=retry_at
            )
        )

    async def _give_up(self, delivery: Delivery, error: str, *, attempted: bool) -> None:
        log.error("delivery_dead", channel=self.channel_id, delivery=delivery.id, problem=error)
        self._metrics.died(self.channel_id)
        await self._record(
            lambda session: outbox.dead(session, delivery.id, error=error, attempted=attempted)
        )

    async def _record(self, write: Callable[[Session], object]) -> None:
        """Write an outcome, for as long as it takes."""

        def transaction() -> None:
            with self._database.transaction() as session:
                write(session)

        wait_s = _STORE_RETRY_S[0]
        while True:
            try:
                await asyncio.to_thread(transaction)
            except NotFound:
                log.warning("delivery_vanished", channel=self.channel_id)
                return
            except StoreUnavailable as error:
                log.warning("outcome_waits", channel=self.channel_id, problem=str(error))
            except Exception:
                # Going on would send the same notice again and again.
                log.exception("outcome_refused", channel=self.channel_id)
            else:
                return
            await pause(wait_s)
            wait_s = min(_STORE_RETRY_S[1], wait_s * 2)
