"""Accidents as people see them: with what the law wants of each, and the draft of its form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date

from sqlmodel import Session

from dashboard.incident_views import today_of
from dashboard.visit import Visit
from safety.i18n import Translate
from safety.incidents.accident_entry import COLUMNS, as_texts
from safety.incidents.deadlines import (
    Countdown,
    countdown,
    form_due,
    is_serious,
    is_serious_industrial,
)
from safety.incidents.form30 import Findings, Form30, PlannedAction, draft
from safety.incidents.types import ActionState, Control
from safety.store import (
    accidents,
    incident_actions,
    incident_causes,
    incident_workplace,
    incidents,
)
from safety.store.incident_tables import Accident, Incident

CHOICES = {"kind": "accident.kind", "outcome": "accident.outcome", "worker_group": "accident.group"}
"""Fields with a closed list, and the prefix of its texts."""
NUMBERS = ("injured", "deaths", "lost_days", "long_treatment", "longer_treatment")
AREAS = ("description", "unsafe_state", "unsafe_act", "cause", "prevention")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """What the law wants of an accident.

    Attributes:
        form: The countdown to Form 30; None: none is due.
        report: It has to be reported at once, and nobody has noted that it was.
        serious: It is a serious accident (중대재해).
        industrial: It may be a serious industrial accident (중대산업재해).
    """

    form: Countdown | None
    report: bool
    serious: bool
    industrial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccidentView:
    """One accident."""

    accident: Accident
    duties: Duties
    incident: Incident | None


def duties_of(accident: Accident, today: date) -> Duties:
    """What the law wants of an accident, seen from a day; nothing of one that is void."""
    if accident.voided_at is not None:
        return Duties(form=None, report=False, serious=False, industrial=False)
    due_on, serious = form_due(accident), is_serious(accident)
    done = accident.submitted_at is not None
    return Duties(
        form=countdown(due_on, today, done=done) if due_on else None,
        report=serious and accident.reported_at is None,
        serious=serious,
        industrial=is_serious_industrial(accident),
    )


def read_accidents(
    visit: Visit, *, year: int | None, before: str | None, limit: int
) -> list[AccidentView]:
    """Accidents, newest first, the void among them.

    Raises:
        NotFound: ``before`` names none.
    """
    start, end = (date(year, 1, 1), date(year + 1, 1, 1)) if year else (None, None)
    with visit.database.reading() as session:
        rows = accidents.page(session, start=start, end=end, void=True, before=before, limit=limit)
        return [accident_view(session, visit, row) for row in rows]


def read_accident(visit: Visit, accident_id: str) -> AccidentView:
    """One accident.

    Raises:
        NotFound: There is none.
    """
    with visit.database.reading() as session:
        return accident_view(session, visit, accidents.get(session, accident_id))


def read_form(visit: Visit, accident_id: str, translate: Translate) -> Form30:
    """The draft of Form 30 for an accident.

    Raises:
        NotFound: There is no such accident.
    """
    with visit.database.reading() as session:
        accident = accidents.get(session, accident_id)
        workplace, version = incident_workplace.read(session)
        if not version:
            workplace = type(workplace)(name=visit.site.name)
        return draft(
            accidents.entry_of(accident),
            workplace,
            _findings(session, accident.incident_id),
            translate=translate,
            today=today_of(visit),
            submitted=accident.submitted_at is not None,
        )


def new_accident(visit: Visit, incident: Incident | None) -> dict[str, str]:
    """The form of a new accident, with what its incident tells."""
    values = dict.fromkeys(COLUMNS, "") | {"injured": "1", "occupational_disease": "no"}
    if incident is None:
        return values
    local = incident.occurred_at.astimezone(visit.zone)
    return values | {
        "occurred_on": local.date().isoformat(),
        "occurred_time": local.strftime("%H:%M"),
        "place": incident.place,
        "description": incident.description,
    }


def shown_accident(accident: Accident) -> dict[str, str]:
    """The form of an accident on record."""
    return as_texts(accidents.entry_of(accident))


def shown_import(values: Mapping[str, str], translate: Translate) -> list[str]:
    """A line of a file, as the page lists it."""
    return [
        values.get("occurred_on", ""),
        translate(f"accident.kind.{values.get('kind')}"),
        translate(f"accident.outcome.{values.get('outcome')}"),
        translate(f"accident.group.{values.get('worker_group')}"),
        values.get("lost_days", ""),
        values.get("place", ""),
    ]


def accident_view(session: Session, visit: Visit, row: Accident) -> AccidentView:
    """One accident, read in an open session."""
    return AccidentView(
        accident=row,
        duties=duties_of(row, today_of(visit)),
        incident=incidents.get(session, row.incident_id) if row.incident_id else None,
    )


def _findings(session: Session, incident_id: str | None) -> Findings:
    if incident_id is None:
        return Findings()
    row = incidents.get(session, incident_id)
    said = {field.name for field in fields(Findings)} - {"causes", "actions"}
    actions: Sequence[PlannedAction] = [
        PlannedAction(
            text=each.text, control=Control(each.control), owner=each.owner, due_on=each.due_on
        )
        for each in incident_actions.of_incident(session, incident_id)
        if each.state != ActionState.DROPPED
    ]
    causes = incident_causes.of_incident(session, incident_id)
    return Findings(
        causes=[each.text for each in causes],
        actions=actions,
        **{name: getattr(row, name) for name in said},
    )
