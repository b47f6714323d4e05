"""Calendar months of a site, written ``2026-11``."""

import re
from datetime import UTC, date, datetime, tzinfo

from safety.errors import AnjeonError

_FORM = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_FIRST_YEAR, _LAST_YEAR = 1990, 2999


class MonthFault(AnjeonError):
    """No month of a site's record."""


def checked_month(text: str) -> str:
    """The month itself.

    Raises:
        MonthFault: It is not written like ``2026-11``, or lies outside 1990 to 2999.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None or not _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
        raise MonthFault(
            "month.form", "{text} is no month; write it like 2026-11", text=text.strip()[:40]
        )
    return found[0]


def month_of(day: date) -> str:
    """The month of a day."""
    return f"{day.year:04d}-{day.month:02d}"


def shifted(month: str, months: int) -> str:
    """So many months later (earlier if negative)."""
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + months, 12)
    return f"{year:04d}-{number + 1:02d}"


def months_from(first: str, last: str) -> tuple[str, ...]:
    """Every month from ``first`` to ``last``, both included; none if they are the wrong way."""
    count = (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:]) + 1
    return tuple(shifted(first, number) for number in range(count))


def first_day(month: str) -> date:
    """The first day of a month."""
    return date(int(month[:4]), int(month[5:]), 1)


def day_after(month: str) -> date:
    """The day after a month's last one."""
    return first_day(shifted(month, 1))


def span(month: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """A month of the site as (first moment, moment after the last one), UTC.

    Summer time is accounted for: the month may be an hour shorter or longer than its days.
    """
    start, end = first_day(month), day_after(month)
    return (
        datetime(start.year, start.month, 1, tzinfo=zone).astimezone(UTC),
        datetime(end.year, end.month, 1, tzinfo=zone).astimezone(UTC),
    )
