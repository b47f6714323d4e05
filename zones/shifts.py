"""Which shifts of a site's calendar are on."""

from collections.abc import Container, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from holidays import country_holidays

from zones.plant import Day, ShiftSpec

_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@cache
def korean_holidays() -> Container[date]:
    """Public holidays of Korea, substitute holidays and elections among them."""
    return country_holidays("KR")


def active(
    shifts: Iterable[ShiftSpec],
    at_wall: float,
    timezone: str,
    holidays: Container[date] | None = None,
) -> frozenset[str]:
    """The shifts that are on at a moment.

    A shift belongs to the day on which it begins: one that crosses midnight goes on into a
    holiday, and one that begins on a holiday is off until its end. Its times are those on the
    clock on the wall: where clocks change, a night shift is an hour shorter or longer; an hour
    that comes twice belongs to it both times, and one that is left out begins it when it would.

    Args:
        shifts: The calendar.
        at_wall: The moment, seconds since 1970.
        timezone: IANA name of the site's time zone.
        holidays: The public holidays; not given: those of Korea.

    Returns:
        Ids.
    """
    days_off = korean_holidays() if holidays is None else holidays
    zone = ZoneInfo(timezone)
    now = datetime.fromtimestamp(at_wall, UTC)
    today = now.astimezone(zone).date()
    begins_on = (today - timedelta(days=1), today)
    return frozenset(
        shift.id
        for shift in shifts
        if any(_is_on(shift, day, now, zone) for day in begins_on if _is_due(shift, day, days_off))
    )


def _is_due(shift: ShiftSpec, day: date, days_off: Container[date]) -> bool:
    return _DAYS[day.weekday()] in shift.days and (shift.on_holidays or day not in days_off)


def _is_on(shift: ShiftSpec, day: date, now: datetime, zone: ZoneInfo) -> bool:
    """Whether the shift that begins on this day is on now."""
    last_day = day if shift.end > shift.start else day + timedelta(days=1)
    begin = datetime.combine(day, shift.start, zone)
    end = datetime.combine(last_day, shift.end, zone).replace(fold=1)
    return begin.astimezone(UTC) <= now < end.astimezone(UTC)
