"""Carries out the policy: the steps of ladders, updates, and the word that somebody answered."""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from prometheus_client import CollectorRegistry

from alerts.escalation import advance
from alerts.escalation_book import Due, EscalationBook
from alerts.policy_metrics import PolicyMetrics
from safety.clock import Clock
from safety.engine.site import EngineSite
from safety.errors import StoreUnavailable
from safety.store import conversations
from safety.store.conversations import Waiting
from safety.store.database import Database
from safety.store.times import utc

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0


class PolicyDesk:
    """Looks at every conversation whose time has come.

    Args:
        site: The configuration in force, asked anew every time.
        told: Called after something may have been put into the outbox.
        registry: Where metrics go.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        database: Database,
        site: Callable[[], EngineSite],
        told: Callable[[], None],
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._clock = clock
        self._database = database
        self._site = site
        self._told = told
        self._metrics = PolicyMetrics(registry or CollectorRegistry())
        self._book = EscalationBook()
        self._awaited = asyncio.Event()
        self._store_ok = True

    def look_now(self) -> None:
        """Somebody has answered an alert."""
        self._awaited.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._awaited.clear()
            await self._look()
            await self._pause()

    async def _look(self) -> None:
        try:
            waiting = await asyncio.to_thread(self._read)
            due = self._book.due(waiting, self._clock.now())
            for each in due:
                await self._carry_on(each)
        except StoreUnavailable as error:
            if self._store_ok:
                log.warning("policy_waits_for_store", why=str(error))
            self._store_ok = False
            return
        except Exception:
            log.exception("policy_failed")
            return
        self._store_ok = True
        if due:
            self._told()

    async def _carry_on(self, due: Due) -> None:
        try:
            await asyncio.to_thread(self._advance, due)
        except StoreUnavailable:
            raise
        except Exception:
            # One conversation that cannot go on must not hold up all others.
            log.exception("conversation_failed", alert=due.lead_id)

    def _read(self) -> Sequence[Waiting]:
        with self._database.reading() as session:
            self._metrics.unanswered(
                conversations.count_unanswered(session), utc(self._clock.now())
            )
            return conversations.waiting(session)

    def _advance(self, due: Due) -> None:
        with self._database.transaction() as session:
            went = advance(
                session,
                due.lead_id,
                site=self._site().context,
                logical=due.logical,
                now=utc(self._clock.now()),
                snoozed=due.snoozed,
            )
        self._metrics.steps.inc(went.steps)
        self._metrics.exhausted.inc(went.exhausted)

    async def _pause(self) -> None:
        """Until somebody asks, or the next look by the clock."""
        timer = asyncio.ensure_future(self._clock.sleep_async(LOOK_EVERY_S))
        asked = asyncio.ensure_future(self._awaited.wait())
        try:
            await asyncio.wait({timer, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            asked.cancel()
