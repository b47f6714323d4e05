"""What people enter of an accident, from a form, a program or a line of a file: one check."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar

from safety.incidents.errors import IncidentError
from safety.incidents.reading import (
    read_choice,
    read_count,
    read_day,
    read_days,
    read_time,
    read_yes,
)
from safety.incidents.texts import LONG, SHORT, checked
from safety.incidents.types import AccidentKind, Outcome, WorkerGroup

MOST_PEOPLE: Final = 1000
MOST_DAYS: Final = 36_500.0
EARLIEST: Final = date(1990, 1, 1)
"""Nothing older is counted; such a date is a slip of the pen."""

LONG_TEXTS: Final = ("description", "unsafe_state", "unsafe_act", "cause", "prevention")
SHORT_TEXTS: Final = ("place", "process", "work", "reference")

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccidentEntry:
    """An accident as entered; the columns of ``Accident`` with the same names."""

    occurred_on: date
    occurred_time: str | None = None
    kind: AccidentKind
    outcome: Outcome
    worker_group: WorkerGroup
    injured: int = 1
    deaths: int = 0
    lost_days: float = 0.0
    long_treatment: int = 0
    longer_treatment: int = 0
    occupational_disease: bool = False
    reference: str = ""
    place: str = ""
    process: str = ""
    work: str = ""
    description: str = ""
    unsafe_state: str = ""
    unsafe_act: str = ""
    cause: str = ""
    prevention: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What became of somebody's values: an entry, or what is wrong by field."""

    entry: AccidentEntry | None
    problems: Mapping[str, IncidentError] = field(default_factory=dict)


def read_entry(values: Mapping[str, str], *, today: date) -> Reading:
    """Read values as they were written, in Korean or English.

    Args:
        values: By column; what is absent or blank is at its default.
        today: The site's date: nothing lies ahead of it.
    """
    read = _Values(values)
    day = read.take("occurred_on", read_day)
    if day is not None and not EARLIEST <= day <= today:
        read.refuse(
            "occurred_on",
            IncidentError(
                "accident.day",
                "the day of the accident must lie between {first} and today, {today}",
                first=EARLIEST.isoformat(),
                today=today.isoformat(),
            ),
        )
    counts = {
        name: read.take(name, lambda text: read_count(text, most=MOST_PEOPLE))
        for name in ("injured", "deaths", "long_treatment", "longer_treatment")
    }
    found: dict[str, Any] = {
        "occurred_on": day,
        "occurred_time": read.take("occurred_time", read_time),
        "kind": read.take("kind", lambda text: read_choice(text, AccidentKind, "accident.kind")),
        "worker_group": read.take(
            "worker_group", lambda text: read_choice(text, WorkerGroup, "accident.group")
        ),
        "outcome": read.take(
            "outcome", lambda text: read_choice(text, Outcome, "accident.outcome")
        ),
        "lost_days": read.take("lost_days", lambda text: read_days(text, most=MOST_DAYS)),
        "occupational_disease": read.take("occupational_disease", read_yes),
        **counts,
        **{name: read.text(name, SHORT) for name in SHORT_TEXTS},
        **{name: read.text(name, LONG) for name in LONG_TEXTS},
    }
    for name in ("occurred_on", "kind", "worker_group"):
        if found[name] is None:
            read.refuse(name, _missing(name))
    if read.problems:
        return Reading(entry=None, problems=read.problems)
    return _consistent({name: value for name, value in found.items() if value is not None})


def check_entry(entry: AccidentEntry, *, today: date) -> Mapping[str, IncidentError]:
    """What is wrong with an entry, by field; nothing if it can be kept."""
    return read_entry(as_texts(entry), today=today).problems


def as_texts(entry: AccidentEntry) -> dict[str, str]:
    """The entry as somebody would write it, by column."""
    values = {name: getattr(entry, name) for name in COLUMNS}
    return {name: written(value) for name, value in values.items()}


COLUMNS: Final = tuple(AccidentEntry.__dataclass_fields__)
"""What is entered of an accident, in the order of the template."""


def written(value: object) -> str:
    """A value as somebody would write it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case date():
            return value.isoformat()
        case float():
            return f"{value:g}"
    return str(value)


def _consistent(found: dict[str, Any]) -> Reading:
    """The entry, if its numbers agree with each other; the outcome follows where none is said."""
    injured, deaths = found.get("injured", 1), found.get("deaths", 0)
    days = found.get("lost_days", 0.0)
    problems: dict[str, IncidentError] = {}
    if injured < 1:
        problems["injured"] = IncidentError(
            "accident.nobody", "an accident has at least one injured person"
        )
    for name in ("deaths", "long_treatment"):
        if found.get(name, 0) > injured:
            problems[name] = _more_than("injured", name)
    if found.get("longer_treatment", 0) > found.get("long_treatment", 0):
        problems["longer_treatment"] = _more_than("long_treatment", "longer_treatment")
    least = Outcome.FATALITY if deaths else Outcome.LOST_TIME if days else None
    outcome = found.get("outcome") or least
    if outcome is None:
        problems["outcome"] = _missing("outcome")
    elif (least or outcome) is not outcome or (outcome is Outcome.FATALITY and not deaths):
        problems["outcome"] = IncidentError(
            "accident.outcome_differs",
            "the outcome does not fit the deaths and days off; a death is a fatality, days off"
            " without one are lost time",
        )
    if problems:
        return Reading(entry=None, problems=problems)
    disease = bool(found.get("occupational_disease")) or found["kind"] is AccidentKind.DISEASE
    return Reading(
        entry=AccidentEntry(**found | {"outcome": outcome, "occupational_disease": disease})
    )


def _missing(name: str) -> IncidentError:
    return IncidentError(
        "incident.missing",
        "{field} is missing; write something there",
        field=[f"accident.field.{name}"],
    )


def _more_than(all_of: str, some: str) -> IncidentError:
    return IncidentError(
        "accident.more_than",
        "{some} cannot be more than {all}",
        some=[f"accident.field.{some}"],
        all=[f"accident.field.{all_of}"],
    )


R = TypeVar("R")


class _Values:
    """Values by column, and what was wrong with those that were taken."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.problems: dict[str, IncidentError] = {}

    def refuse(self, name: str, error: IncidentError) -> None:
        self.problems.setdefault(name, error)

    def take(self, name: str, read: Callable[[str], R]) -> R | None:
        """A value, or None if it is blank or wrong."""
        text = self._values.get(name, "").strip()
        if not text:
            return None
        try:
            return read(text)
        except IncidentError as error:
            self.refuse(name, error)
            return None

    def text(self, name: str, most: int) -> str:
        try:
            return checked(self._values.get(name, ""), f"accident.field.{name}", most=most)
        except IncidentError as error:
            self.refuse(name, error)
            return ""
