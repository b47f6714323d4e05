"""Leading indicators of one month: what can be acted on before anybody is hurt.

Never a forecast of accidents: how violations relate to injuries differs from plant to plant.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from safety.incidents.types import Kind
from safety.kpi.intervals import poisson_interval
from safety.reports.schema import (
    AlertFacts,
    CameraCoverage,
    Figure,
    Indicator,
    PpeShare,
    Violations,
)
from safety.store import incident_actions, incidents

_PER_CAMERA_HOURS = 1_000
_PER_PERSON_HOURS = 1_000
_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthFacts:
    """What indicators of one month are made of; ``worked_hours`` None: not entered.

    Attributes:
        worn: Each item of protective equipment that rules asked for.
    """

    month: str
    violations: Violations
    coverage: tuple[CameraCoverage, ...]
    alerts: AlertFacts
    near_misses: int
    closing_days: tuple[float, ...]
    worked_hours: float | None
    worn: tuple[PpeShare, ...]


def indicators(facts: MonthFacts) -> tuple[Indicator, ...]:
    """All indicators of a month, always in the same order."""
    return tuple(_all(facts))


def near_misses(session: Session, *, since: datetime, until: datetime) -> int:
    """Near misses that people reported in a window, UTC."""
    return len(
        incidents.list_incidents(
            session, kind=Kind.NEAR_MISS.value, since=since, until=until, limit=_MOST
        )
    )


def closing_days(session: Session, *, since: datetime, until: datetime) -> tuple[float, ...]:
    """Days from naming to doing, of the corrective actions that were done in a window, UTC."""
    return tuple(
        (action.done_at - action.created_at).total_seconds() / 86_400
        for action in incident_actions.done_between(session, since=since, until=until)
        if action.done_at is not None
    )


def _all(facts: MonthFacts) -> Iterator[Indicator]:
    monitored = sum(camera.monitored_hours for camera in facts.coverage)
    installed = sum(camera.installed_hours for camera in facts.coverage)
    worked = facts.worked_hours or 0.0
    month = facts.month
    yield _rate("violations", month, facts.violations.total, monitored, _PER_CAMERA_HOURS)
    for kind in facts.violations.by_kind:
        key = f"violations.{kind.key}"
        yield _rate(key, month, kind.count, monitored, _PER_CAMERA_HOURS)
    yield _rate("near_misses", month, facts.near_misses, worked, _PER_PERSON_HOURS)
    for worn in facts.worn:
        yield from _worn(month, worn)
    yield _share("precision", month, facts.alerts.precision)
    yield _plain("coverage", month, monitored, installed, "share")
    yield _plain(
        "acknowledge_s", month, facts.alerts.median_acknowledge_s, facts.alerts.acknowledged, "s"
    )
    days = facts.closing_days
    mean = math.fsum(days) / len(days) if days else None
    yield _plain("closing_days", month, mean, len(days), "days")


def _worn(month: str, worn: PpeShare) -> Iterator[Indicator]:
    """The share of the time that could be told, and how much could not."""
    decided = round(worn.worn_hours + worn.missing_hours, 4)
    yield Indicator(
        key=f"ppe.{worn.item}",
        month=month,
        numerator=worn.worn_hours,
        denominator=decided,
        unit="share",
        value=worn.share,
        lower=worn.lower,
        upper=worn.upper,
    )
    every = round(decided + worn.unknown_hours, 4)
    yield _plain(f"ppe_unknown.{worn.item}", month, worn.unknown_hours, every, "share")


def _rate(key: str, month: str, count: int, hours: float, per: float) -> Indicator:
    known = hours > 0
    interval = poisson_interval(count)
    return Indicator(
        key=key,
        month=month,
        numerator=count,
        denominator=round(hours, 2),
        unit=f"per_{per}_h",
        value=round(count / hours * per, 6) if known else None,
        lower=round(interval.lower / hours * per, 6) if known else None,
        upper=round(interval.upper / hours * per, 6) if known else None,
    )


def _share(key: str, month: str, figure: Figure) -> Indicator:
    return Indicator(
        key=key,
        month=month,
        numerator=figure.cases,
        denominator=figure.exposure,
        unit="share",
        value=figure.value,
        lower=figure.lower,
        upper=figure.upper,
    )


def _plain(
    key: str, month: str, numerator: float | None, denominator: float, unit: str
) -> Indicator:
    """A share without an interval, or a mean of so many."""
    of_share = unit == "share" and numerator is not None and denominator > 0
    value = numerator / denominator if of_share and numerator is not None else numerator
    return Indicator(
        key=key,
        month=month,
        numerator=round(numerator or 0.0, 4),
        denominator=round(denominator, 2),
        unit=unit,
        value=None if value is None or denominator <= 0 else round(value, 6),
        lower=None,
        upper=None,
    )
