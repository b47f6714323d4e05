"""What people have to be reminded of, by the record of today.

Accidents that came with a file are history: of those nobody is reminded.
"""

from datetime import date

from sqlmodel import Session, col, select

from safety.incidents.deadlines import form_due, is_serious
from safety.incidents.reminders import Reminder, action_stage, form_stage
from safety.incidents.types import ActionState, State
from safety.store import accidents
from safety.store.incident_tables import Accident, CorrectiveAction, Incident

KINDS = ("action_due", "form_due", "report_due")
"""Kinds of alerts that are reminders."""


def due_reminders(session: Session, today: date) -> list[Reminder]:
    """Overdue actions, forms that are due, and serious accidents that nobody reported.

    Args:
        session: A session.
        today: The site's date.
    """
    return [*_actions(session, today), *_forms(session, today), *_reports(session, today)]


def _actions(session: Session, today: date) -> list[Reminder]:
    query = (
        select(CorrectiveAction, Incident)
        .join(Incident, col(Incident.id) == col(CorrectiveAction.incident_id))
        .where(
            CorrectiveAction.state == ActionState.OPEN.value,
            CorrectiveAction.due_on <= today,
            Incident.state != State.CLOSED.value,
        )
        .order_by(col(CorrectiveAction.due_on), col(CorrectiveAction.id))
    )
    return [
        Reminder(
            key=f"action_due:{action.id}:{action.due_on}:{action_stage(action.due_on, today)}",
            kind="action_due",
            urgent=False,
            params={
                "action": action.text,
                "owner": action.owner,
                "due": action.due_on.isoformat(),
                "number": incident.number,
                "action_id": action.id,
                "incident_id": incident.id,
            },
        )
        for action, incident in session.exec(query)
    ]


def _forms(session: Session, today: date) -> list[Reminder]:
    found = []
    for row in accidents.unsubmitted(session):
        due_on = form_due(row) if row.import_id is None else None
        stage = form_stage(due_on, today) if due_on else None
        if due_on is not None and stage is not None:
            params = _params(row) | {"due": due_on.isoformat()}
            key = f"form_due:{row.id}:{due_on}:{stage}"
            found.append(Reminder(key=key, kind="form_due", urgent=False, params=params))
    return found


def _reports(session: Session, today: date) -> list[Reminder]:
    query = select(Accident).where(
        col(Accident.voided_at).is_(None), col(Accident.reported_at).is_(None)
    )
    return [
        Reminder(
            key=f"report_due:{row.id}:{form_stage(row.occurred_on, today)}",
            kind="report_due",
            urgent=True,
            params=_params(row),
        )
        for row in session.exec(query.order_by(col(Accident.occurred_on), col(Accident.id)))
        if is_serious(row) and row.import_id is None
    ]


def _params(row: Accident) -> dict[str, str]:
    return {"day": row.occurred_on.isoformat(), "accident_id": row.id}
