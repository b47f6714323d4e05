"""Corrective actions: who does what until when, and whether somebody saw that it was done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from sqlmodel import Session, col, select

from safety.incidents.errors import IncidentError
from safety.incidents.texts import checked
from safety.incidents.types import ActionState, Control
from safety.store import incidents
from safety.store.incident_tables import CorrectiveAction
from safety.store.refusals import Conflict, NotFound

MOST_ACTIONS: Final = 50
LONGEST: Final = timedelta(days=5 * 366)
"""No due date lies further ahead."""

_FROM: Final[Mapping[ActionState, frozenset[ActionState]]] = {
    ActionState.OPEN: frozenset({ActionState.DONE, ActionState.DROPPED}),
    ActionState.DONE: frozenset({ActionState.OPEN}),
    ActionState.VERIFIED: frozenset({ActionState.DONE}),
    ActionState.DROPPED: frozenset({ActionState.OPEN, ActionState.DONE}),
}
"""From where an action may come to a state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEntry:
    """What is to be done."""

    text: str
    control: Control
    owner: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A picture of the finished work, as it was stored."""

    name: str
    sha256: str
    size_bytes: int


def add(
    session: Session,
    incident_id: str,
    entry: ActionEntry,
    *,
    today: date,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> CorrectiveAction:
    """Name a corrective action.

    Args:
        session: The open transaction.
        incident_id: What it is for.
        entry: What is to be done.
        today: The site's date.
        by: Who.
        at: UTC.
        expected_version: Of the incident.

    Raises:
        NotFound: There is no such incident.
        Conflict: It is closed, or has changed.
        IncidentError: Something in the entry cannot be kept, or there are too many.
    """
    incident = incidents.locked(session, incident_id, expected_version)
    present = of_incident(session, incident_id)
    if len(present) >= MOST_ACTIONS:
        raise IncidentError(
            "incident.too_many_actions", "an incident has {most} actions at most", most=MOST_ACTIONS
        )
    row = CorrectiveAction(
        id=uuid4().hex,
        incident_id=incident_id,
        position=max((each.position for each in present), default=0) + 1,
        state=ActionState.OPEN.value,
        created_at=at,
        created_by=by,
        **_checked(entry, today),
    )
    session.add(row)
    detail = {"action": row.id, "text": row.text, "owner": row.owner, "due": str(row.due_on)}
    incidents.moved(session, incident, "incident.action", by=by, at=at, detail=detail)
    return row


def change(
    session: Session,
    action_id: str,
    entry: ActionEntry,
    *,
    today: date,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> CorrectiveAction:
    """Change what is to be done, by whom or until when.

    Raises:
        NotFound: There is no such action.
        Conflict: It is not open, its incident is closed, or it has changed.
        IncidentError: Something in the entry cannot be kept.
    """
    row = _locked(session, action_id, expected_version)
    if row.state != ActionState.OPEN:
        raise Conflict("incident.action_not_open", "only an open action can be changed")
    wanted = _checked(entry, today if entry.due_on != row.due_on else min(today, entry.due_on))
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if not changed:
        return row
    detail = {
        name: {"before": str(getattr(row, name)), "after": str(value)}
        for name, value in changed.items()
    }
    for name, value in changed.items():
        setattr(row, name, value)
    _moved(session, row, by=by, at=at, detail=detail)
    return row


def move(
    session: Session,
    action_id: str,
    state: ActionState,
    *,
    by: str,
    at: datetime,
    note: str = "",
    photo: Photo | None = None,
    expected_version: int | None = None,
) -> CorrectiveAction:
    """Say that an action is done, was seen to be done, is dropped, or is open again.

    Args:
        session: The open transaction.
        action_id: Which one.
        state: Where to.
        by: Who.
        at: UTC.
        note: What was seen, or why it is dropped or open again; needed for all but ``done``.
        photo: A picture of the finished work.
        expected_version: The version that was looked at.

    Raises:
        NotFound: There is no such action.
        Conflict: It cannot go there, its incident is closed, or it has changed.
        IncidentError: The note is missing or cannot be kept.
    """
    row = _locked(session, action_id, expected_version)
    before = ActionState(row.state)
    if before not in _FROM[state]:
        raise Conflict(
            "incident.action_transition",
            "an action cannot go from {state} to {wanted}",
            state=[f"incident.action_state.{before}"],
            wanted=[f"incident.action_state.{state}"],
        )
    least = 0 if state is ActionState.DONE else 1
    row.note = checked(note, "incident.note", most=500, least=least)
    row.state = state.value
    if state is ActionState.DONE:
        row.done_at, row.done_by = at, by
    elif state is ActionState.VERIFIED:
        row.verified_at, row.verified_by = at, by
    elif state is ActionState.OPEN:
        row.done_at, row.done_by = None, None
    if photo is not None:
        row.photo, row.photo_sha256, row.photo_bytes = photo.name, photo.sha256, photo.size_bytes
    detail = {"before": before.value, "after": state.value, "note": row.note}
    _moved(session, row, by=by, at=at, detail=detail | ({"photo": photo.sha256} if photo else {}))
    return row


def show(
    session: Session,
    action_id: str,
    photo: Photo,
    *,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> CorrectiveAction:
    """Add or replace the picture of the finished work.

    Raises:
        NotFound: There is no such action.
        Conflict: Its incident is closed, or it has changed.
    """
    row = _locked(session, action_id, expected_version)
    row.photo, row.photo_sha256, row.photo_bytes = photo.name, photo.sha256, photo.size_bytes
    _moved(session, row, by=by, at=at, detail={"photo": photo.sha256})
    return row


def get(session: Session, action_id: str) -> CorrectiveAction:
    """One action.

    Raises:
        NotFound: There is none.
    """
    row = session.get(CorrectiveAction, action_id)
    if row is None:
        raise NotFound("action", action_id)
    return row


def of_incident(session: Session, incident_id: str) -> Sequence[CorrectiveAction]:
    """The actions of one incident in the order they were named."""
    query = select(CorrectiveAction).where(CorrectiveAction.incident_id == incident_id)
    return session.exec(query.order_by(col(CorrectiveAction.position))).all()


def _checked(entry: ActionEntry, today: date) -> dict[str, Any]:
    if not today <= entry.due_on <= today + LONGEST:
        raise IncidentError(
            "incident.due", "the due date must lie between today and five years ahead"
        )
    return {
        "text": checked(entry.text, "incident.action_field.text", most=500, least=1),
        "control": entry.control.value,
        "owner": checked(entry.owner, "incident.action_field.owner", most=120, least=1),
        "due_on": entry.due_on,
    }


def _locked(session: Session, action_id: str, expected_version: int | None) -> CorrectiveAction:
    incidents.locked(session, get(session, action_id).incident_id, None)
    row = session.get(CorrectiveAction, action_id, populate_existing=True)
    if row is None:
        raise NotFound("action", action_id)
    if expected_version not in {None, row.version}:
        raise Conflict(
            "incident.changed", "somebody changed this in the meantime; look at it again"
        )
    return row


def _moved(
    session: Session, row: CorrectiveAction, *, by: str, at: datetime, detail: Mapping[str, Any]
) -> None:
    """Count the action's and its incident's version up, and say so in the audit trail."""
    row.version += 1
    session.flush()
    incident = incidents.get(session, row.incident_id)
    told = {"action": row.id, **detail}
    incidents.moved(session, incident, "incident.action", by=by, at=at, detail=told)


def done_between(
    session: Session, *, since: datetime, until: datetime
) -> Sequence[CorrectiveAction]:
    """Actions that were done within a window (UTC), the earliest first."""
    query = select(CorrectiveAction).where(
        col(CorrectiveAction.done_at) >= since, col(CorrectiveAction.done_at) < until
    )
    in_order = col(CorrectiveAction.done_at), col(CorrectiveAction.id)
    return session.exec(query.order_by(*in_order)).all()
