"""Reminders of corrective actions and legal deadlines: alerts that go the way of all alerts."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import Session

from alerts import escalation
from alerts.notices import SiteContext
from alerts.telling import facts_of
from safety.clock import Clock
from safety.engine.site import EngineSite
from safety.errors import StoreUnavailable
from safety.incidents.reminders import Reminder
from safety.store import alerts
from safety.store.alerts import OPEN_STATES
from safety.store.database import Database
from safety.store.incident_reminders import KINDS, due_reminders
from safety.store.times import utc
from safety.types import Severity

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 60.0
WORKING_HOURS: Final = range(8, 20)
"""Nobody is woken for a reminder that can wait."""


class ReminderDesk:
    """Looks once a minute what is due.

    Args:
        site: The configuration in force, asked anew every time.
        told: Called after something may have been put into the outbox.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        database: Database,
        site: Callable[[], EngineSite],
        told: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._database = database
        self._site = site
        self._told = told

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._clock.sleep_async(LOOK_EVERY_S)
            try:
                raised = await asyncio.to_thread(
                    remind, self._database, site=self._site().context, now=utc(self._clock.now())
                )
            except StoreUnavailable as error:
                log.warning("reminders_wait_for_store", why=str(error))
            except Exception:
                log.exception("reminders_failed")
            else:
                if raised:
                    self._told()


def remind(database: Database, *, site: SiteContext, now: datetime) -> int:
    """Raise an alert for what is due, each once, and end those of what is done.

    Args:
        database: The record.
        site: Names, language, time zone and policy.
        now: UTC.

    Returns:
        How many alerts were raised.

    Raises:
        StoreUnavailable: Nothing was written; call again later.
    """
    local = now.astimezone(ZoneInfo(site.usable_timezone))
    with database.reading() as session:
        due = {each.key: each for each in due_reminders(session, local.date())}
        wanted = [
            each
            for each in due.values()
            if (each.urgent or local.hour in WORKING_HOURS)
            and not alerts.has_alert(session, each.key)
        ]
        over = _over(session, due)
    if not wanted and not over:
        return 0
    with database.transaction() as session:
        for key, alert_id in over:
            alerts.clear(session, key, at=now)
            if alerts.get(session, alert_id).state in OPEN_STATES:
                alerts.expire(session, alert_id, at=now)
        return sum(_raise(session, each, site, now) for each in wanted)


def _over(session: Session, due: dict[str, Reminder]) -> list[tuple[str, str]]:
    """Reminders on record of what is done by now, or that a later one has replaced."""
    return [
        (alert.dedupe_key, alert.id)
        for kind in KINDS
        for alert in alerts.uncleared(session, kind=kind)
        if alert.dedupe_key not in due
    ]


def _raise(session: Session, reminder: Reminder, site: SiteContext, now: datetime) -> bool:
    alert = alerts.raise_alert(
        session,
        kind=reminder.kind,
        dedupe_key=reminder.key,
        severity=Severity.WARNING,
        message_key=f"alert.{reminder.kind}",
        # Each is a conversation of its own: the last one's answer is none to this one.
        params=reminder.params | {"about": reminder.key, "time": site.local(now)},
        raised_at=now,
    )
    if alert is None:
        return False
    known = {key: reminder.params[key] for key in reminder.params if key.endswith("_id")}
    escalation.begin(session, alert, facts=facts_of(alert, site), known=known, site=site, now=now)
    return True
