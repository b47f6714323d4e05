"""Times, durations and numbers as people read them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from safety.i18n import Translate

DASH = "–"
"""Stands where there is no value."""


def full_time(at: datetime | None, zone: ZoneInfo) -> str:
    """Date, time to the second and the zone's name, e.g. ``2026-01-05 14:03:22 KST``."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z") if at else DASH


def short_time(at: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    """The time alone if it was today at the site, else date and time; the zone's name."""
    if at is None:
        return DASH
    local = at.astimezone(zone)
    same_day = local.date() == now.astimezone(zone).date()
    return local.strftime("%H:%M:%S %Z" if same_day else "%m-%d %H:%M %Z")


def utc_from_unix(seconds: float) -> datetime:
    """Unix seconds as a UTC time."""
    return datetime.fromtimestamp(seconds, UTC)


def iso_utc(at: datetime) -> str:
    """For machines: ISO 8601 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def duration(seconds: float | None, translate: Translate) -> str:
    """A length of time in its two largest units, e.g. ``3 min 20 s``."""
    if seconds is None:
        return DASH
    whole = max(0, round(seconds))
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    if days:
        return translate("duration.days", days=days, hours=hours)
    if hours:
        return translate("duration.hours", hours=hours, minutes=minutes)
    if minutes:
        return translate("duration.minutes", minutes=minutes, seconds=left)
    return translate("duration.seconds", seconds=left)


def milliseconds(seconds: float | None) -> str:
    """A latency, e.g. ``87 ms``, from a second on ``1.25 s``."""
    if seconds is None:
        return DASH
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def since(start: datetime, now: datetime) -> float:
    """Seconds from ``start`` to ``now``, never negative."""
    return max(timedelta(0), now - start).total_seconds()


def file_size(size: float | None) -> str:
    """Bytes with a decimal unit, e.g. ``1.4 MB``."""
    if size is None:
        return DASH
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def percent(share: float | None) -> str:
    """A share of one, e.g. ``99.2 %``; rounded down so that 100 means all of it."""
    if share is None:
        return DASH
    return f"{int(max(0.0, min(1.0, share)) * 1000) / 10:g} %"
