"""Files of accidents: CSV in UTF-8, UTF-16 or CP949, and XLSX; read line by line, never trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from safety.i18n import translator
from safety.incidents.accident_entry import COLUMNS, AccidentEntry, read_entry
from safety.incidents.errors import IncidentError
from safety.incidents.reading import plain
from safety.incidents.tables import MOST_ROWS, lines_of, template_of

NEEDED: Final = ("occurred_on", "kind", "worker_group")
EXAMPLES: Final = frozenset({"예시", "example"})
"""A line with this as its reference is the template's example and is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong in one place of a file.

    Attributes:
        line: As a spreadsheet numbers them: the first is 1.
        column: Of the template; empty if the whole line is meant.
    """

    line: int
    column: str
    error: IncidentError


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One accident of a file."""

    number: int
    entry: AccidentEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Accidents:
    """What is in a file."""

    lines: Sequence[Line]
    problems: Sequence[Problem] = field(default_factory=tuple)


def read_accidents(data: bytes, *, today: date) -> Accidents:
    """Every line of a file that can be used, and what is wrong with the others.

    Args:
        data: CSV or XLSX, with the headings of the template in either language.
        today: The site's date.

    Raises:
        IncidentError: The file as a whole cannot be used.
    """
    lines: list[Line] = []
    problems: list[Problem] = []
    seen = 0
    for number, values in lines_of(data, COLUMNS, prefix="accident.field", needed=NEEDED):
        if plain(values.get("reference", "")) in EXAMPLES:
            continue
        seen += 1
        if seen > MOST_ROWS:
            raise IncidentError(
                "accident.too_many_rows",
                "the file has more than {most} lines; split it into several",
                most=MOST_ROWS,
            )
        reading = read_entry(values, today=today)
        problems += [
            Problem(line=number, column=name, error=error)
            for name, error in reading.problems.items()
        ]
        if reading.entry is not None:
            lines.append(Line(number=number, entry=reading.entry))
    return Accidents(lines=lines, problems=problems)


def template(language: str) -> bytes:
    """The CSV template with one example line; Excel opens it as it is (UTF-8 with mark)."""
    translate = translator(language)
    example: Mapping[str, str] = {
        "reference": translate("accident.example"),
        "occurred_on": "2026-03-05",
        "occurred_time": "09:30",
        "kind": translate("accident.kind.caught"),
        "outcome": translate("accident.outcome.lost_time"),
        "worker_group": translate("accident.group.own"),
        "injured": "1",
        "deaths": "0",
        "lost_days": "14",
    }
    return template_of(COLUMNS, [example], prefix="accident.field", language=language)
