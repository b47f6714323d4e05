"""The monthly report by itself: made on the first working day, and people are told of it."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import Session

from alerts import escalation
from alerts.notices import SiteContext
from alerts.telling import facts_of
from safety.clock import Clock
from safety.engine.reminders import WORKING_HOURS
from safety.engine.site import EngineSite
from safety.errors import StoreUnavailable
from safety.i18n import translator
from safety.months import month_of, shifted
from safety.reports.monthly import Maker, monthly_report
from safety.site.spec import SiteSpec
from safety.store import alerts, baselines, work_months
from safety.store.database import Database
from safety.store.kpi_tables import Baseline
from safety.store.times import utc
from safety.types import Severity
from zones.shifts import korean_holidays

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 600.0
KIND: Final = "report_ready"
MISSING: Final = "hours_missing"
_BY = "Anjeon"
_SATURDAY = 5


class ReportDesk:
    """Looks every ten minutes whether last month's report is due.

    It is due from the morning of the month's first working day on, at sites that have
    registered a baseline: those take part in a programme that asks for it. Where the month's
    hours are not entered yet, people are asked for them, and the report follows them.

    Args:
        site: The configuration in force, asked anew every time.
        told: Called after something was put into the outbox.
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
            site = self._site()
            try:
                done = await asyncio.to_thread(
                    report_if_due,
                    self._database,
                    site=site.spec,
                    context=site.context,
                    now=utc(self._clock.now()),
                )
            except StoreUnavailable as error:
                log.warning("report_waits_for_store", why=str(error))
            except Exception:
                log.exception("report_failed")
            else:
                if done:
                    self._told()


def report_if_due(
    database: Database, *, site: SiteSpec, context: SiteContext, now: datetime
) -> bool:
    """Make last month's report and tell people, or ask them for its hours; each once.

    Args:
        database: The record.
        site: What the report is of.
        context: Names, language, time zone and policy.
        now: UTC.

    Returns:
        Whether people are told now.

    Raises:
        StoreUnavailable: Nothing was written; call again later.
    """
    local = now.astimezone(ZoneInfo(site.timezone))
    if local.hour not in WORKING_HOURS or local.date() < first_working_day(local.date()):
        return False
    month = shifted(month_of(local.date()), -1)
    with database.reading() as session:
        baseline = baselines.newest(session)
        if baseline is None or alerts.has_alert(session, f"{KIND}:{month}"):
            return False
        complete = _hours_entered(session, baseline, month)
        asked = alerts.has_alert(session, f"{MISSING}:{month}")
    if not complete:
        # A report that is kept without its hours could only be mended by a revision.
        if asked:
            return False
        with database.transaction() as session:
            return _tell(session, MISSING, month, {}, {}, context, now)
    report = monthly_report(database, Maker(site=site, now=now, by=_BY), month)
    verdict = translator(context.language)(f"kpi.verdict.{report.target.verdict}")
    with database.transaction() as session:
        known = {"report_month": month}
        return _tell(session, KIND, month, {"verdict": verdict}, known, context, now)


def first_working_day(day: date) -> date:
    """The first day of this day's month that is no weekend and no public holiday of Korea."""
    first = day.replace(day=1)
    days = (first + timedelta(days=n) for n in range(28))
    return next(d for d in days if d.weekday() < _SATURDAY and d not in korean_holidays())


def _hours_entered(session: Session, baseline: Baseline, month: str) -> bool:
    """Whether the month's hours are there of everybody whom the baseline counts."""
    wanted = set(work_months.GROUPS) if baseline.groups == "all" else {"own"}
    rows = work_months.list_months(session, first=month, last=month)
    return wanted <= {row.worker_group for row in rows}


def _tell(
    session: Session,
    kind: str,
    month: str,
    params: Mapping[str, str],
    known: Mapping[str, str],
    site: SiteContext,
    now: datetime,
) -> bool:
    alert = alerts.raise_alert(
        session,
        kind=kind,
        dedupe_key=f"{kind}:{month}",
        severity=Severity.WARNING,
        message_key=f"alert.{kind}",
        params={"about": month, "month": month, "time": site.local(now), **params},
        raised_at=now,
    )
    if alert is None:
        return False
    facts = facts_of(alert, site)
    escalation.begin(session, alert, facts=facts, known=known, site=site, now=now)
    # Something to do, not a situation that lasts.
    alerts.clear(session, alert.dedupe_key, at=now)
    return True
