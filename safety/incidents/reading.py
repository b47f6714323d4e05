"""Dates, times, numbers and choices as people write them in Korean and English."""

import re
import unicodedata
from datetime import date
from enum import StrEnum
from functools import cache
from typing import TypeVar

from safety.i18n import LANGUAGES, catalogue
from safety.incidents.errors import IncidentError

E = TypeVar("E", bound=StrEnum)

_DAY = re.compile(
    r"(\d{4})\s*(?:[-./]|년)\s*(\d{1,2})\s*(?:[-./]|월)\s*(\d{1,2})\s*[.일]?"
    r"(?:[ T]00:00(?::00)?(?:\.0+)?)?"
)
_SOLID_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = re.compile(r"(\d{1,2})\s*(?::|시)\s*(\d{1,2})?\s*분?(?::\d{2})?")
_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,3})?")
_YES = frozenset({"yes", "y", "true", "1", "o", "예", "네", "해당", "있음"})
_NO = frozenset(
    {"no", "n", "false", "0", "x", "아니오", "아니요", "해당 없음", "해당없음", "없음", "-"}
)


def plain(text: str) -> str:
    """For comparing: compatibility forms, no case, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def read_day(text: str) -> date:
    """A date: ``2026-03-05``, ``2026. 3. 5.``, ``2026/3/5``, ``20260305`` or ``2026년 3월 5일``.

    Raises:
        IncidentError: It is none, or there is no such day.
    """
    text = plain(text)
    found = _DAY.fullmatch(text) or _SOLID_DAY.fullmatch(text)
    try:
        if found:
            year, month, day = found.groups()
            return date(int(year), int(month), int(day))
    except ValueError:
        pass
    raise IncidentError(
        "accident.bad_day", "'{value}' is no date; write it as 2026-03-05", value=text[:40]
    )


def read_time(text: str) -> str:
    """A time of day as ``HH:MM``, from ``9:30``, ``09:30:00`` or ``9시 30분``.

    Raises:
        IncidentError: It is none.
    """
    found = _TIME.fullmatch(plain(text))
    if found:
        hour, minute = int(found.group(1)), int(found.group(2) or 0)
        if hour < 24 and minute < 60:
            return f"{hour:02d}:{minute:02d}"
    raise IncidentError(
        "accident.bad_time", "'{value}' is no time of day; write it as 09:30", value=text[:40]
    )


def read_days(text: str, *, most: float) -> float:
    """A number of days, 0 or more.

    Raises:
        IncidentError: It is none, or too large.
    """
    number = plain(text).removesuffix("일").removesuffix("days").replace(",", "").strip()
    if _NUMBER.fullmatch(number) and float(number) <= most:
        return float(number)
    raise IncidentError(
        "accident.bad_number",
        "'{value}' cannot be used here; write a number from 0 to {most}",
        value=text[:40],
        most=f"{most:g}",
    )


def read_count(text: str, *, most: int) -> int:
    """A whole number of people, 0 or more.

    Raises:
        IncidentError: It is none, or too large.
    """
    number = read_days(plain(text).removesuffix("명"), most=most)
    if number != int(number):
        raise IncidentError(
            "accident.bad_number",
            "'{value}' cannot be used here; write a number from 0 to {most}",
            value=text[:40],
            most=str(most),
        )
    return int(number)


def read_yes(text: str) -> bool:
    """Yes or no.

    Raises:
        IncidentError: Neither.
    """
    said = plain(text)
    if said in _YES | _NO:
        return said in _YES
    raise IncidentError("accident.bad_yes", "'{value}' is neither yes nor no", value=text[:40])


def read_choice(text: str, values: type[E], prefix: str) -> E:
    """One of a closed list, by its own name or by its text in either language.

    Args:
        text: As it was written.
        values: The list.
        prefix: Of its translation keys, without the last dot.

    Raises:
        IncidentError: It is none of them; the message lists the texts.
    """
    found = _spellings(values, prefix).get(plain(text))
    if found is not None:
        return values(found)
    raise IncidentError(
        "accident.bad_choice",
        "'{value}' is not on the list; use one of: {choices}",
        value=text[:40],
        choices=[f"{prefix}.{value}" for value in values],
    )


@cache
def _spellings(values: type[StrEnum], prefix: str) -> dict[str, str]:
    known = {plain(value): value.value for value in values}
    for language in LANGUAGES:
        texts = catalogue(language)
        known |= {plain(texts.get(f"{prefix}.{value}", value)): value.value for value in values}
    return known
