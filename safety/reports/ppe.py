"""For how long protective equipment was worn where a rule asks for it: shares of time.

Counted are person-seconds of whoever was in a zone with an armed rule. Nobody is told apart, so
nobody can be ranked. Days are the unit of the interval; see ``safety.kpi.clustered``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from safety.kpi.clustered import clustered_interval
from safety.reports.schema import PpeFacts, PpeShare
from safety.reports.violations import OUTSIDE_SHIFTS
from safety.site.spec import SiteSpec
from safety.store.ppe_hours import PpeCount, counts
from safety.types import PpeItem
from zones.shifts import active

_HOUR_S = 3600.0
_HALF_HOUR = timedelta(minutes=30)
_ORDER = {item.value: number for number, item in enumerate(PpeItem)}


@dataclass(slots=True)
class _Sum:
    worn_s: float = 0.0
    missing_s: float = 0.0
    unknown_s: float = 0.0
    stays: int = 0
    days: dict[date, tuple[float, float]] = field(default_factory=dict)

    def add(self, one: PpeCount, day: date) -> None:
        self.worn_s += one.worn_s
        self.missing_s += one.missing_s
        self.unknown_s += one.unknown_s
        self.stays += one.stays
        worn, decided = self.days.get(day, (0.0, 0.0))
        self.days[day] = worn + one.worn_s, decided + one.worn_s + one.missing_s


def worn_shares(
    session: Session, zone: ZoneInfo, *, since: datetime, until: datetime
) -> tuple[PpeShare, ...]:
    """Each item's share over all rules in a window, UTC."""
    found = counts(session, since=since, until=until, by_rule=False)
    return _shares(found, zone, lambda one: (one.item,), {})


def ppe_facts(
    session: Session,
    site: SiteSpec,
    overall: tuple[PpeShare, ...],
    *,
    since: datetime,
    until: datetime,
) -> PpeFacts:
    """The shares of a window, UTC, in every respect.

    Args:
        site: Names, shifts and time zone as they are now.
        overall: As ``worn_shares`` gives them.
    """
    zone = ZoneInfo(site.timezone)
    found = counts(session, since=since, until=until, by_rule=True)
    names = {part.id: part.name for part in (*site.zones, *site.rules, *site.plant.shifts)}

    def shifts_of(one: PpeCount) -> Iterable[str]:
        # An hour belongs to the shifts that are on in its middle.
        middle = (one.hour + _HALF_HOUR).timestamp()
        return active(site.plant.shifts, middle, site.timezone) or (OUTSIDE_SHIFTS,)

    return PpeFacts(
        overall=overall,
        by_zone=_shares(found, zone, lambda one: (one.zone_id,), names),
        by_rule=_shares(found, zone, lambda one: (one.rule_id,), names),
        by_shift=_shares(found, zone, shifts_of, names),
        by_hour=_shares(found, zone, lambda one: (f"{one.hour.astimezone(zone):%H}",), {}),
    )


def _shares(
    found: Sequence[PpeCount],
    zone: ZoneInfo,
    keys_of: Callable[[PpeCount], Iterable[str]],
    names: Mapping[str, str],
) -> tuple[PpeShare, ...]:
    sums: dict[tuple[str, str], _Sum] = {}
    for one in found:
        day = one.hour.astimezone(zone).date()
        for key in keys_of(one):
            sums.setdefault((key, one.item), _Sum()).add(one, day)
    in_order = sorted(sums.items(), key=lambda entry: (entry[0][0], _ORDER[entry[0][1]]))
    return tuple(_share(key, names.get(key, key), item, total) for (key, item), total in in_order)


def _share(key: str, name: str, item: str, total: _Sum) -> PpeShare:
    decided = total.worn_s + total.missing_s
    days = [each for each in total.days.values() if each[1] > 0]
    interval = clustered_interval(days, stays=total.stays)
    return PpeShare(
        key=key,
        name=name,
        item=item,
        worn_hours=round(total.worn_s / _HOUR_S, 4),
        missing_hours=round(total.missing_s / _HOUR_S, 4),
        unknown_hours=round(total.unknown_s / _HOUR_S, 4),
        days=len(days),
        stays=total.stays,
        share=round(total.worn_s / decided, 6) if decided > 0 else None,
        lower=None if interval is None else round(interval.lower, 6),
        upper=None if interval is None else round(interval.upper, 6),
    )
