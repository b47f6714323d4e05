"""Files of hours worked and headcount by month: CSV or XLSX, read line by line."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from safety.errors import AnjeonError
from safety.i18n import translator
from safety.incidents.errors import IncidentError
from safety.incidents.reading import plain, read_choice, read_count
from safety.incidents.tables import MOST_ROWS, lines_of, template_of
from safety.incidents.types import WorkerGroup
from safety.months import checked_month

COLUMNS: Final = ("month", "group", "hours", "headcount")
PREFIX: Final = "hours.field"
MOST_PEOPLE: Final = 1_000_000

_YEAR_FIRST = re.compile(r"(\d{4})\s*[-./년]\s*(\d{1,2})\s*(?:[-.월]\s*(?:0?1\s*일?)?)?(?:[ T].*)?")
_SOLID = re.compile(r"(\d{4})(\d{2})")
_HOURS = re.compile(r"\d{1,9}(?:\.\d{1,4})?")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursLine:
    """One month of one group, as a file says; ``group`` is ``own`` or ``contractor``."""

    number: int
    month: str
    group: str
    hours: float
    headcount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursProblem:
    """What is wrong in one place of a file; ``column`` is empty if the whole line is meant."""

    line: int
    column: str
    error: AnjeonError


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursFile:
    """What is in a file."""

    lines: Sequence[HoursLine]
    problems: Sequence[HoursProblem]


def read_hours_file(data: bytes) -> HoursFile:
    """Every line that can be used, and what is wrong with the others.

    Args:
        data: CSV or XLSX, with the headings of the template in either language. Without a
            group column all are own workers. Lines with neither hours nor headcount, as the
            template has them, are passed over.

    Raises:
        IncidentError: The file as a whole cannot be used.
    """
    lines: list[HoursLine] = []
    problems: list[HoursProblem] = []
    first: dict[tuple[str, str], int] = {}
    found = lines_of(data, COLUMNS, prefix=PREFIX, needed=("month", "hours", "headcount"))
    for seen, (number, values) in enumerate(found, start=1):
        if seen > MOST_ROWS:
            raise IncidentError(
                "accident.too_many_rows",
                "the file has more than {most} lines; split it into several",
                most=MOST_ROWS,
            )
        if not (values.get("hours") or values.get("headcount")):
            continue
        line, wrong = _line(number, values)
        problems += wrong
        if line is None:
            continue
        earlier = first.setdefault((line.month, line.group), number)
        if earlier == number:
            lines.append(line)
            continue
        problems.append(
            HoursProblem(
                line=number,
                column="month",
                error=IncidentError(
                    "hours.twice",
                    "{month} is there twice for this group (line {line}); remove one",
                    month=line.month,
                    line=earlier,
                ),
            )
        )
    return HoursFile(lines=lines, problems=problems)


def hours_template(language: str, months: Iterable[str]) -> bytes:
    """The CSV template: a line to fill in for each month and group."""
    translate = translator(language)
    lines = [
        {"month": month, "group": translate(f"accident.group.{group.value}")}
        for month in months
        for group in WorkerGroup
    ]
    return template_of(COLUMNS, lines, prefix=PREFIX, language=language)


def read_month(text: str) -> str:
    """A month: ``2026-11``, ``2026.11``, ``202611``, ``2026년 11월`` or its first day.

    Raises:
        MonthFault: It is none.
    """
    wanted = plain(text)
    found = _YEAR_FIRST.fullmatch(wanted) or _SOLID.fullmatch(wanted)
    return checked_month(f"{found[1]}-{int(found[2]):02d}" if found else text)


def read_worked(text: str) -> float:
    """Hours worked, 0 or more: ``8320``, ``8,320.5`` or ``8320시간``.

    Raises:
        IncidentError: It is no such number.
    """
    number = plain(text).replace(",", "")
    for unit in ("시간", "hours", "h"):
        number = number.removesuffix(unit).strip()
    if _HOURS.fullmatch(number):
        return float(number)
    raise IncidentError(
        "hours.bad_hours",
        "'{value}' is no number of hours; write it like 8320 or 8320.5",
        value=text[:40],
    )


def read_group(text: str) -> str:
    """``own`` (also if nothing is said) or ``contractor``, in either language.

    Raises:
        IncidentError: Neither.
    """
    if not text.strip():
        return WorkerGroup.OWN.value
    return read_choice(text, WorkerGroup, "accident.group").value


def _line(
    number: int, values: Mapping[str, str]
) -> tuple[HoursLine | None, Sequence[HoursProblem]]:
    problems: list[HoursProblem] = []

    def read(column: str, how: Callable[[str], T]) -> T | None:
        try:
            return how(values.get(column, ""))
        except AnjeonError as error:
            problems.append(HoursProblem(line=number, column=column, error=error))
            return None

    read_by: dict[str, Any] = {
        "month": read("month", read_month),
        "group": read("group", read_group),
        "hours": read("hours", read_worked),
        "headcount": read("headcount", lambda text: read_count(text, most=MOST_PEOPLE)),
    }
    return (None if problems else HoursLine(number=number, **read_by)), problems
