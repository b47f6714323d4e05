"""A draft of Form 30 (산업재해조사표), sections I, III and IV.

Section II is about the injured person, with name and resident number: it is filled in by hand on
the authority's own form and never here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from safety.i18n import Translate
from safety.incidents.accident_entry import AccidentEntry
from safety.incidents.deadlines import Countdown, countdown, form_due
from safety.incidents.errors import IncidentError
from safety.incidents.texts import checked
from safety.incidents.types import Control, WorkerGroup

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_WORKERS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkplaceEntry:
    """Section I; the columns of ``Workplace`` with the same names."""

    insurance_number: str = ""
    business_number: str = ""
    name: str = ""
    workers: int | None = None
    industry: str = ""
    address: str = ""
    relation: WorkerGroup = WorkerGroup.OWN
    client_name: str = ""
    client_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAction:
    """A corrective action, for section IV."""

    text: str
    control: Control
    owner: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the accident's incident says, where the accident itself says nothing."""

    place: str = ""
    description: str = ""
    unsafe_state: str = ""
    unsafe_act: str = ""
    prevention: str = ""
    causes: Sequence[str] = ()
    actions: Sequence[PlannedAction] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One field: the translation key of its name, and what stands there."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form30:
    """The draft.

    Attributes:
        due: Until when it is to be handed in; None: not at all.
        missing: Keys of fields that are still empty.
    """

    due: Countdown | None
    workplace: Sequence[Row]
    course: Sequence[Row]
    plan: Sequence[Row]
    missing: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """For programs: the last part of each key, and its text."""
        return {
            "form": "OSH-30",
            "due_on": self.due.due_on.isoformat() if self.due else None,
            "section_1": _values(self.workplace),
            "section_3": _values(self.course),
            "section_4": _values(self.plan),
            "missing": [key.rsplit(".", 1)[-1] for key in self.missing],
        }


def checked_workplace(entry: WorkplaceEntry) -> WorkplaceEntry:
    """The entry as it may be kept.

    Raises:
        IncidentError: A text is too long or holds a resident number, or there are odd numbers.
    """
    if entry.workers is not None and not 0 <= entry.workers <= MOST_WORKERS:
        raise IncidentError(
            "accident.bad_number",
            "'{value}' cannot be used here; write a number from 0 to {most}",
            value=str(entry.workers),
            most=str(MOST_WORKERS),
        )
    names = ("insurance_number", "business_number", "name", "industry", "address")
    more = ("client_name", "client_number")
    texts = {
        name: checked(getattr(entry, name), f"form30.{name}", most=200) for name in names + more
    }
    return WorkplaceEntry(workers=entry.workers, relation=entry.relation, **texts)


def draft(
    accident: AccidentEntry,
    workplace: WorkplaceEntry,
    findings: Findings,
    *,
    translate: Translate,
    today: date,
    submitted: bool = False,
) -> Form30:
    """Fill in what is known.

    Args:
        accident: Which one.
        workplace: Section I.
        findings: Of its incident; empty without one.
        translate: Into the language of the draft.
        today: The site's date, for the countdown.
        submitted: Whether the form was handed in.
    """
    due_on = form_due(accident)
    sections = (
        _workplace_rows(workplace, translate),
        _course_rows(accident, findings, translate),
        _plan_rows(accident, findings, translate),
    )
    return Form30(
        due=countdown(due_on, today, done=submitted) if due_on else None,
        workplace=sections[0],
        course=sections[1],
        plan=sections[2],
        missing=[row.key for rows in sections for row in rows if not row.value],
    )


def _workplace_rows(workplace: WorkplaceEntry, translate: Translate) -> list[Row]:
    rows = {
        "insurance_number": workplace.insurance_number,
        "business_number": workplace.business_number,
        "name": workplace.name,
        "workers": "" if workplace.workers is None else str(workplace.workers),
        "industry": workplace.industry,
        "address": workplace.address,
        "relation": translate(f"form30.relation.{workplace.relation}"),
    }
    if workplace.relation is WorkerGroup.CONTRACTOR:
        rows |= {"client_name": workplace.client_name, "client_number": workplace.client_number}
    return [Row(key=f"form30.{name}", value=value) for name, value in rows.items()]


def _course_rows(accident: AccidentEntry, findings: Findings, translate: Translate) -> list[Row]:
    day = accident.occurred_on
    when = translate(
        "form30.when_text",
        year=day.year,
        month=day.month,
        day=day.day,
        weekday=translate(f"machines.day.{WEEKDAYS[day.weekday()]}"),
    )
    causes = "\n".join(f"{n}. {text}" for n, text in enumerate(findings.causes, start=1))
    rows = {
        "when": when,
        "time": accident.occurred_time or "",
        "place": accident.place or findings.place,
        "process": accident.process,
        "work": accident.work,
        "how": translate(f"accident.kind.{accident.kind}"),
        "description": accident.description or findings.description,
        "unsafe_state": accident.unsafe_state or findings.unsafe_state,
        "unsafe_act": accident.unsafe_act or findings.unsafe_act,
        "cause": accident.cause or causes,
    }
    return [Row(key=f"form30.{name}", value=value) for name, value in rows.items()]


def _plan_rows(accident: AccidentEntry, findings: Findings, translate: Translate) -> list[Row]:
    actions = "\n".join(
        translate(
            "form30.action_text",
            number=number,
            text=action.text,
            control=translate(f"incident.control.{action.control}"),
            owner=action.owner,
            due=action.due_on.isoformat(),
        )
        for number, action in enumerate(findings.actions, start=1)
    )
    said = accident.prevention or findings.prevention
    plan = "\n".join(part for part in (said, actions) if part)
    return [Row(key="form30.plan", value=plan)]


def _values(rows: Sequence[Row]) -> dict[str, str]:
    return {row.key.rsplit(".", 1)[-1]: row.value for row in rows}
