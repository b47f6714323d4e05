"""Violations by zone, rule, shift and hour, against the time that somebody really watched."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

from safety.reports.schema import Tally, Violations
from safety.site.spec import SiteSpec
from safety.store.report_counts import ViolationCount
from zones.shifts import active

PER_HOURS = 1_000
"""Rates are per 1,000 monitored camera-hours."""

OUTSIDE_SHIFTS = "outside_shifts"


class _Named(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


def violation_facts(
    counts: Sequence[ViolationCount], site: SiteSpec, monitored: Mapping[str, float]
) -> Violations:
    """All violations of a month.

    Args:
        counts: As the database added them up.
        site: Names, shifts and time zone as they are now.
        monitored: Monitored hours by camera; a zone on the floor plan counts those of every
            calibrated camera.
    """
    told = [one for one in counts if not one.shadow]
    all_hours = sum(monitored.values())
    on_floor = {camera.id for camera in site.cameras if camera.calibration is not None}
    zone_cameras = {
        zone.id: on_floor if zone.camera_id is None else {zone.camera_id} for zone in site.zones
    }

    def hours_of_zone(zone_id: str) -> float:
        cameras = zone_cameras.get(zone_id)
        if cameras is None:
            return all_hours
        return sum(monitored.get(camera, 0.0) for camera in cameras)

    zone_of_rule = {rule.id: getattr(rule, "zone_id", None) or "" for rule in site.rules}
    return Violations(
        total=sum(one.count for one in told),
        shadow=sum(one.count for one in counts if one.shadow),
        by_kind=_tallies(told, lambda one: one.rule_kind, {}, lambda _: all_hours),
        by_zone=_tallies(told, lambda one: one.zone_id or "", _names(site.zones), hours_of_zone),
        by_rule=_tallies(
            told,
            lambda one: one.rule_id,
            _names(site.rules),
            lambda rule_id: hours_of_zone(zone_of_rule.get(rule_id, "")),
        ),
        by_shift=_by_shift(told, site),
        by_hour=_by_hour(told, ZoneInfo(site.timezone)),
    )


def _tallies(
    counts: Sequence[ViolationCount],
    key: Callable[[ViolationCount], str],
    names: Mapping[str, str],
    hours: Callable[[str], float],
) -> tuple[Tally, ...]:
    sums: Counter[str] = Counter()
    for one in counts:
        sums[key(one)] += one.count
    in_order = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    return tuple(_tally(name, names.get(name, name), n, hours(name)) for name, n in in_order)


def _tally(key: str, name: str, count: int, hours: float) -> Tally:
    return Tally(
        key=key,
        name=name,
        count=count,
        monitored_hours=round(hours, 2),
        rate=round(count / hours * PER_HOURS, 4) if hours > 0 else None,
    )


def _by_shift(counts: Sequence[ViolationCount], site: SiteSpec) -> tuple[Tally, ...]:
    """Counts only: coverage is not kept by shift, so there is no honest rate."""
    shifts = site.plant.shifts
    sums: Counter[str] = Counter()
    for one in counts:
        on = active(shifts, one.from_at.timestamp(), site.timezone) or {OUTSIDE_SHIFTS}
        for shift in on:
            sums[shift] += one.count
    names = _names(shifts)
    return tuple(
        Tally(key=key, name=names.get(key, key), count=n, monitored_hours=0, rate=None)
        for key, n in sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    )


def _by_hour(counts: Sequence[ViolationCount], zone: ZoneInfo) -> tuple[tuple[int, ...], ...]:
    table = [[0] * 24 for _ in range(7)]
    for one in counts:
        local = one.from_at.astimezone(zone)
        table[local.weekday()][local.hour] += one.count
    return tuple(tuple(row) for row in table)


def _names(parts: Sequence[_Named]) -> dict[str, str]:
    return {part.id: part.name for part in parts}
