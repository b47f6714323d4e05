"""Figures for a screen in the hall: days since the last accident, told honestly, and coverage.

"No accident was entered" is not "there was no accident": without one on record there is no
number of days, and what is known only so far is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session

from dashboard.kpi import maker_of
from dashboard.visit import Visit
from dashboard.wall import Wall, read_wall
from safety.months import day_after, first_day, month_of, months_from, shifted
from safety.reports.hours import counted
from safety.store import accidents, baselines, coverage, report_revisions, work_months

WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiWall:
    """The screen.

    Attributes:
        days: Since the last accident that counts; None: none is on record.
        last: Its day.
        groups: Whose workers count: ``own`` or ``all``.
        known_from: Day from which on anybody kept a record; None: nobody has begun.
        known_until: Last day of the last month whose hours were entered: up to here somebody
            has closed the books; None: no month was.
        overdue: Months that are over and whose hours nobody has entered.
        watched: Share of the last day that all cameras together watched; None: not known.
        fictional: The record is made up.
    """

    days: int | None
    last: date | None
    groups: str
    known_from: date | None
    known_until: date | None
    overdue: int
    live: Wall
    watched: float | None
    fictional: bool


def read_kpi_wall(visit: Visit) -> KpiWall:
    """The screen of this moment."""
    maker = maker_of(visit)
    today = maker.today
    live = read_wall(visit)
    with visit.database.reading() as session:
        baseline = baselines.newest(session)
        groups = "all" if baseline is not None and baseline.groups == "all" else "own"
        whose = frozenset(work_months.GROUPS if groups == "all" else ("own",))
        on_record = accidents.list_accidents(session, date.min, today + timedelta(days=1))
        days = [one.occurred_on for one in counted(on_record, whose)]
        entered = _closed_months(session, whose)
        watched = _watched(session, visit, [tile.id for tile in live.tiles])
        identity = report_revisions.known_identity(session)
    last = max(days, default=None)
    starts = [first_day(month) for month in entered[:1]] + sorted(days)[:1]
    until = day_after(entered[-1]) - timedelta(days=1) if entered else None
    return KpiWall(
        days=None if last is None else (today - last).days,
        last=last,
        groups=groups,
        known_from=min(starts, default=None),
        known_until=None if until is None else min(until, today),
        overdue=_overdue(entered, month_of(today)),
        live=live,
        watched=watched,
        fictional=identity is not None and identity.fictional,
    )


def _closed_months(session: Session, groups: frozenset[str]) -> list[str]:
    """Months whose hours were entered for every group that counts, in order."""
    known: dict[str, set[str]] = {}
    for row in work_months.list_months(session):
        known.setdefault(row.month, set()).add(row.worker_group)
    return [month for month, entered in known.items() if groups <= entered]


def _overdue(entered: Sequence[str], present: str) -> int:
    """Months before the present one that lack hours, from the first entered one on."""
    if not entered:
        return 0
    return len(set(months_from(entered[0], shifted(present, -1))) - set(entered))


def _watched(session: Session, visit: Visit, cameras: Sequence[str]) -> float | None:
    """Live or degraded seconds of all cameras by those there were; what is not known counts not."""
    if not cameras:
        return None
    totals = coverage.totals(session, since=visit.now - WINDOW, until=visit.now)
    seen = sum(
        totals[camera].live_s + totals[camera].degraded_s for camera in cameras if camera in totals
    )
    return min(1.0, seen / (WINDOW.total_seconds() * len(cameras)))
