"""What a monthly report is made of: every part of it from the record."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from safety import __version__
from safety.months import first_day, month_of, months_from, shifted, span
from safety.reports.accidents import accident_facts
from safety.reports.alerts import alert_facts
from safety.reports.changes import changes_between
from safety.reports.charts import accident_chart, accident_cusum, gaps, violation_chart
from safety.reports.coverage import camera_coverage, monitored_hours
from safety.reports.hours import counted, month_rows
from safety.reports.incidents import incident_rows
from safety.reports.indicators import MonthFacts, closing_days, indicators, near_misses
from safety.reports.ppe import ppe_facts, worn_shares
from safety.reports.schema import (
    SCHEMA,
    SCHEMA_VERSION,
    Chart,
    Indicator,
    MonthlyReport,
    MonthRow,
    SiteFacts,
    Target,
)
from safety.reports.target import target_facts
from safety.reports.violations import violation_facts
from safety.site.spec import SiteSpec
from safety.store import accidents, baselines, report_revisions, work_months
from safety.store.report_counts import violation_counts

_ALL = frozenset(work_months.GROUPS)

_SERIES = 12
"""Months before the reported one that indicators and charts show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Who makes a report, of which site, when.

    Attributes:
        site: Names, zones, shifts and time zone as they are now.
        now: UTC.
        by: Login or program, for the audit trail.
    """

    site: SiteSpec
    now: datetime
    by: str

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.site.timezone)

    @property
    def today(self) -> date:
        """By the site's calendar."""
        return self.now.astimezone(self.zone).date()


def report_of(content: str) -> MonthlyReport:
    """A report as it was kept."""
    return MonthlyReport.model_validate(json.loads(content))


def composed(
    session: Session, maker: Maker, month: str, *, revision: int, reason: str | None
) -> MonthlyReport:
    """The report of a month from the record as it is now; takes up to seconds, and only reads.

    Args:
        session: A session.
        maker: Who asks.
        month: One that has begun.
        revision: Its number.
        reason: Why it replaces another; None: it is the first.
    """
    identity = report_revisions.identity(session)
    rows = _rows(session, month)
    target = target_facts(rows, baselines.history(session), month)
    facts = _month_facts(session, maker, month, _hours_of(rows, month))
    series = [*_earlier(session, maker, month, rows), *indicators(facts)]
    since, until = span(month, maker.zone)
    first_change = span(shifted(month, -_SERIES), maker.zone)[0]
    changes = changes_between(session, since=first_change, until=until)
    shown_from = _shown_from(rows, target, month)
    return MonthlyReport(
        schema_name=SCHEMA,
        schema_version=SCHEMA_VERSION,
        software=__version__,
        site=SiteFacts(id=identity.site_id, name=maker.site.name, timezone=maker.site.timezone),
        month=month,
        revision=revision,
        revision_reason=reason,
        revised_at=maker.now.astimezone(UTC).replace(microsecond=0),
        closed=maker.now >= until,
        fictional=identity.fictional,
        months=tuple(row for row in rows if row.month >= shown_from),
        target=target,
        accidents=accident_facts(rows, month),
        incidents=incident_rows(
            session, since=since, until=until, zone=maker.zone, today=maker.today
        ),
        violations=facts.violations,
        indicators=tuple(series),
        coverage=facts.coverage,
        alerts=facts.alerts,
        changes=tuple(change for change in changes if change.at >= since),
        charts=_charts(session, maker, rows, target, series, [month_of(c.at) for c in changes]),
        notes=_notes(rows, target, identity.fictional),
        ppe=ppe_facts(session, maker.site, facts.worn, since=since, until=until),
    )


def _rows(session: Session, month: str) -> tuple[MonthRow, ...]:
    """Every month from the first that anything was entered for, to the reported one."""
    baseline = baselines.newest(session)
    worked = work_months.list_months(session, last=month)
    happened = accidents.list_accidents(session, date.min, first_day(shifted(month, 1)))
    starts = [f"{month[:4]}-01"]
    starts += [row.month for row in worked[:1]]
    starts += [month_of(one.occurred_on) for one in happened[:1]]
    if baseline is not None:
        starts.append(baseline.first_month)
    return month_rows(months_from(min(starts), month), worked, happened, groups=_groups(session))


def _groups(session: Session) -> frozenset[str]:
    """Whose workers count."""
    baseline = baselines.newest(session)
    return _ALL if baseline is not None and baseline.groups == "all" else frozenset({"own"})


def _month_facts(
    session: Session, maker: Maker, month: str, worked_hours: float | None
) -> MonthFacts:
    since, until = span(month, maker.zone)
    names = {camera.id: camera.name for camera in maker.site.cameras}
    coverage = camera_coverage(session, names, since=since, until=min(until, maker.now))
    counts = violation_counts(session, since=since, until=until)
    return MonthFacts(
        month=month,
        violations=violation_facts(counts, maker.site, monitored_hours(coverage)),
        coverage=coverage,
        alerts=alert_facts(session, since=since, until=until),
        near_misses=near_misses(session, since=since, until=until),
        closing_days=closing_days(session, since=since, until=until),
        worked_hours=worked_hours,
        worn=worn_shares(session, maker.zone, since=since, until=until),
    )


def _earlier(
    session: Session, maker: Maker, month: str, rows: tuple[MonthRow, ...]
) -> list[Indicator]:
    """Indicators of the months before: as reported then, else as the record has them."""
    found: list[Indicator] = []
    for before in range(_SERIES, 0, -1):
        earlier = shifted(month, -before)
        kept = report_revisions.newest(session, earlier)
        if kept is not None:
            found += [one for one in report_of(kept.content).indicators if one.month == earlier]
            continue
        facts = _month_facts(session, maker, earlier, _hours_of(rows, earlier))
        if any(camera.installed_hours for camera in facts.coverage) or facts.near_misses:
            found += indicators(facts)
    return found


def _hours_of(rows: tuple[MonthRow, ...], month: str) -> float | None:
    return next((row.hours for row in rows if row.month == month), None)


def _shown_from(rows: tuple[MonthRow, ...], target: Target, month: str) -> str:
    first = shifted(month, -_SERIES) if target.baseline is None else target.baseline.first_month
    return max(first, rows[0].month)


def _charts(
    session: Session,
    maker: Maker,
    rows: tuple[MonthRow, ...],
    target: Target,
    series: list[Indicator],
    breaks: list[str],
) -> tuple[Chart, ...]:
    month = rows[-1].month
    charts = [
        violation_chart([one for one in series if one.key == "violations"], sorted(set(breaks))),
        accident_chart([row for row in rows if row.month >= shifted(month, -24)]),
    ]
    until = min(maker.today, first_day(shifted(month, 1)))
    happened = accidents.list_accidents(session, date.min, until)
    days = [one.occurred_on for one in counted(happened, _groups(session))]
    if len(days) > 1:
        charts.append(gaps(days[-25:], until))
    baseline, before = target.baseline, target.before
    if baseline is not None and before is not None and before.months and target.after is not None:
        since = [row for row in rows if row.month >= baseline.programme_start]
        charts.append(accident_cusum(since, before.cases / before.months))
    return tuple(charts)


def _notes(rows: Sequence[MonthRow], target: Target, fictional: bool) -> tuple[str, ...]:
    notes = ["note.supplementary", "note.exact", "note.monitored", "note.no_forecast"]
    if fictional:
        notes.insert(0, "note.fictional")
    if target.bad_year:
        notes.append("note.bad_year")
    facts = (target.before, target.after)
    if any(one is not None and one.months_without_hours for one in facts):
        notes.append("note.months_left_out")
    worked = next((row.month for row in rows if row.hours is not None), None)
    if worked is not None and any(row.accidents for row in rows if row.month < worked):
        notes.append("note.before_hours")
    if target.baseline is not None and target.baseline.changes:
        notes.append("note.baseline_changed")
    return tuple(notes)
