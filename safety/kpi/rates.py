"""The rates that Korean law, the OSHA and the ILO use, with exact intervals."""

from dataclasses import dataclass

from safety.kpi.errors import checked_count, checked_exposure
from safety.kpi.intervals import LEVEL, poisson_interval

DEATH_DAYS = 7_500
"""Lost days that a death counts as (산업재해통계업무처리규정, 별표 1)."""

WORKING_DAYS = 300
"""Working days in a year, in the formula for temporary disability."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Cases per so much exposure, with its exact Poisson interval."""

    cases: int
    exposure: float
    per: float
    value: float
    lower: float
    upper: float


def rate(cases: int, exposure: float, *, per: float, level: float = LEVEL) -> Rate:
    """``cases / exposure * per`` and its exact interval.

    Raises:
        KpiError: No exposure, or a number that cannot be one.
    """
    cases = checked_count(cases, "the number of cases")
    exposure = checked_exposure(exposure, "the exposure")
    interval = poisson_interval(cases, level)
    scale = per / exposure
    return Rate(
        cases=cases,
        exposure=exposure,
        per=per,
        value=cases * scale,
        lower=interval.lower * scale,
        upper=interval.upper * scale,
    )


def injury_rate(injured: int, workers: float) -> Rate:
    """재해율: injured per 100 insured workers, percent."""
    return rate(injured, workers, per=100)


def fatality_rate(deaths: int, workers: float) -> Rate:
    """사망만인율: deaths per 10,000 workers."""
    return rate(deaths, workers, per=10_000)


def frequency_rate(cases: int, hours: float) -> Rate:
    """도수율: cases per million hours worked."""
    return rate(cases, hours, per=1_000_000)


def lost_time_frequency_rate(lost_time_cases: int, hours: float) -> Rate:
    """LTIFR: lost-time cases per million hours worked."""
    return rate(lost_time_cases, hours, per=1_000_000)


def total_recordable_rate(recordable_cases: int, hours: float) -> Rate:
    """TRIR: recordable cases per 200,000 hours, 100 full-time workers for a year."""
    return rate(recordable_cases, hours, per=200_000)


def severity_rate(lost_days: float, hours: float) -> float:
    """강도율: lost days per 1,000 hours worked. Days are no counts: there is no interval.

    Raises:
        KpiError: No hours, or a negative number of days.
    """
    hours = checked_exposure(hours, "the number of hours worked")
    if lost_days == 0:
        return 0.0
    return checked_exposure(lost_days, "the number of lost days") / hours * 1_000


def mean_severity(lost_days: float, cases: int) -> float | None:
    """평균강도율: lost days per case; None without a case.

    Raises:
        KpiError: A negative number.
    """
    cases = checked_count(cases, "the number of cases")
    if not cases:
        return None
    return checked_exposure(lost_days, "the number of lost days") / cases if lost_days else 0.0


def lost_days(*, days_off: float, deaths: int = 0) -> float:
    """Lost days of accidents: a death counts 7,500, temporary disability days off x 300 / 365.

    Raises:
        KpiError: A negative number.
    """
    deaths = checked_count(deaths, "the number of deaths")
    off = checked_exposure(days_off, "the number of days off") if days_off else 0.0
    return deaths * DEATH_DAYS + off * WORKING_DAYS / 365
