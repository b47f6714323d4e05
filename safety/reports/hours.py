"""Months of a site: hours worked beside accidents, for every rate and comparison."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from safety.incidents.types import Outcome
from safety.kpi.rates import lost_days
from safety.months import month_of, months_from
from safety.reports.schema import MonthRow, PeriodFacts
from safety.store.incident_tables import Accident
from safety.store.kpi_tables import WorkMonth

_ONLY_FIRST_AID = Outcome.FIRST_AID.value
_LOST_TIME = {Outcome.LOST_TIME.value, Outcome.FATALITY.value}


@dataclass(slots=True)
class _Sums:
    accidents: int = 0
    injured: int = 0
    lost_time: int = 0
    deaths: int = 0
    days_off: float = 0.0

    def add(self, accident: Accident) -> None:
        self.accidents += 1
        self.injured += accident.injured
        self.lost_time += accident.outcome in _LOST_TIME
        self.deaths += accident.deaths
        self.days_off += accident.lost_days


def month_rows(
    months: Iterable[str],
    worked: Iterable[WorkMonth],
    accidents: Iterable[Accident],
    *,
    groups: frozenset[str],
) -> tuple[MonthRow, ...]:
    """One row for each month.

    Args:
        months: In order.
        worked: Hours and headcount as entered.
        accidents: All of them; see ``counted``.
        groups: Whose workers count; a month's hours are known only if each group's are.
    """
    entered: dict[str, dict[str, WorkMonth]] = {}
    for row in worked:
        entered.setdefault(row.month, {})[row.worker_group] = row
    sums: dict[str, _Sums] = {}
    for accident in counted(accidents, groups):
        sums.setdefault(month_of(accident.occurred_on), _Sums()).add(accident)
    return tuple(
        _row(month, entered.get(month, {}), sums.get(month, _Sums()), groups) for month in months
    )


def counted(accidents: Iterable[Accident], groups: frozenset[str]) -> list[Accident]:
    """Those that statistics count: of these groups' workers, and worse than first aid."""
    return [
        one for one in accidents if one.worker_group in groups and one.outcome != _ONLY_FIRST_AID
    ]


def period(rows: Sequence[MonthRow], first: str, last: str) -> PeriodFacts:
    """Accidents and hours from ``first`` to ``last``; a month without hours counts in neither."""
    by_month = {row.month: row for row in rows}
    wanted = [by_month[month] for month in months_from(first, last) if month in by_month]
    known = [row for row in wanted if row.hours is not None]
    return PeriodFacts(
        months=len(known),
        months_without_hours=tuple(row.month for row in wanted if row.hours is None),
        cases=sum(row.accidents for row in known),
        hours=round(sum(row.hours or 0.0 for row in known), 2),
    )


def summed(rows: Sequence[MonthRow], label: str) -> MonthRow:
    """Several months as one; the headcount is their mean, hours None if one month lacks them."""
    hours = [row.hours for row in rows]
    heads = [row.headcount for row in rows if row.headcount is not None]
    complete = bool(rows) and None not in hours
    return MonthRow(
        month=label,
        hours=round(sum(value or 0.0 for value in hours), 2) if complete else None,
        headcount=round(sum(heads) / len(heads)) if len(heads) == len(rows) and heads else None,
        accidents=sum(row.accidents for row in rows),
        injured=sum(row.injured for row in rows),
        lost_time=sum(row.lost_time for row in rows),
        deaths=sum(row.deaths for row in rows),
        lost_days=round(sum(row.lost_days for row in rows), 2),
    )


def _row(
    month: str, entered: Mapping[str, WorkMonth], sums: _Sums, groups: frozenset[str]
) -> MonthRow:
    known = groups <= entered.keys()
    return MonthRow(
        month=month,
        hours=round(sum(entered[group].hours for group in groups), 2) if known else None,
        headcount=sum(entered[group].headcount for group in groups) if known else None,
        accidents=sums.accidents,
        injured=sums.injured,
        lost_time=sums.lost_time,
        deaths=sums.deaths,
        lost_days=round(lost_days(days_off=sums.days_off, deaths=sums.deaths), 2),
    )
