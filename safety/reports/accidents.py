"""Accidents and the rates that are made of them."""

from collections.abc import Callable, Sequence

from safety.kpi.errors import KpiError
from safety.kpi.rates import (
    Rate,
    fatality_rate,
    frequency_rate,
    injury_rate,
    lost_time_frequency_rate,
    mean_severity,
    severity_rate,
    total_recordable_rate,
)
from safety.reports.hours import summed
from safety.reports.schema import Accidents, Figure, MonthRow, PlainFigure


def accident_facts(rows: Sequence[MonthRow], month: str) -> Accidents:
    """The reported month, and the rates of its calendar year up to it."""
    this = next(row for row in rows if row.month == month)
    year = [row for row in rows if row.month[:4] == month[:4] and row.month <= month]
    so_far = summed(year, month)
    people, hours = so_far.headcount, so_far.hours
    return Accidents(
        month=this,
        year_to_date=so_far,
        injury_rate=_figure(injury_rate, so_far.injured, people, 100),
        fatality_rate=_figure(fatality_rate, so_far.deaths, people, 10_000),
        frequency_rate=_figure(frequency_rate, so_far.accidents, hours, 1e6),
        lost_time_frequency_rate=_figure(lost_time_frequency_rate, so_far.lost_time, hours, 1e6),
        total_recordable_rate=_figure(total_recordable_rate, so_far.accidents, hours, 200_000),
        severity_rate=_severity(so_far.lost_days, hours),
        mean_severity=_mean_severity(so_far),
    )


def figure_of(rate: Rate) -> Figure:
    """A rate as reports carry it."""
    return Figure(
        cases=rate.cases,
        exposure=round(rate.exposure, 4),
        per=rate.per,
        value=round(rate.value, 6),
        lower=round(rate.lower, 6),
        upper=round(rate.upper, 6),
    )


def _figure(
    formula: Callable[[int, float], Rate], cases: int, exposure: float | None, per: float
) -> Figure:
    if not exposure:
        return Figure(cases=cases, exposure=0, per=per, value=None, lower=None, upper=None)
    return figure_of(formula(cases, exposure))


def _severity(days: float, hours: float | None) -> PlainFigure:
    if not hours:
        return PlainFigure(value=None, why="figure.no_hours")
    return PlainFigure(value=round(severity_rate(days, hours), 6))


def _mean_severity(row: MonthRow) -> PlainFigure:
    try:
        value = mean_severity(row.lost_days, row.accidents)
    except KpiError:
        value = None
    if value is None:
        return PlainFigure(value=None, why="figure.no_accident")
    return PlainFigure(value=round(value, 4))
