"""Incidents on record: made by people from alerts or from nothing, followed until closed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import func
from sqlmodel import Session, and_, col, or_, select

from safety.incidents.incident_entry import IncidentEntry, checked_columns
from safety.incidents.texts import checked
from safety.incidents.types import MOVES, ActionState, State
from safety.store import audit
from safety.store.incident_tables import CorrectiveAction, Incident, IncidentCause
from safety.store.refusals import Conflict, NotFound
from safety.store.upsert import insert_new

OPEN_STATES: Final = frozenset(state for state in State if state is not State.CLOSED)
"""States in which somebody still has to do something, and evidence is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an incident was seen, as of its first alert."""

    zone_id: str | None = None
    camera_id: str | None = None
    rule_id: str | None = None
    alert_ids: Sequence[str] = field(default_factory=tuple)


def add(
    session: Session, entry: IncidentEntry, *, by: str, at: datetime, origin: Origin | None = None
) -> Incident:
    """Put an incident on record as a draft.

    Raises:
        IncidentError: Something in the entry cannot be kept.
    """
    values = checked_columns(entry, now=at)
    origin = origin or Origin()
    row = Incident(
        id=uuid4().hex,
        number=_next_number(session),
        state=State.DRAFT.value,
        zone_id=origin.zone_id,
        camera_id=origin.camera_id,
        rule_id=origin.rule_id,
        created_at=at,
        created_by=by,
        **values,
    )
    while not insert_new(session, row):
        row.number = _next_number(session)  # somebody else was as fast
    detail = {"number": row.number, "kind": row.kind, "alerts": list(origin.alert_ids)}
    audit.record(session, actor=by, action="incident.add", subject=row.id, at=at, detail=detail)
    return get(session, row.id)


def change(
    session: Session,
    incident_id: str,
    entry: IncidentEntry,
    *,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> Incident:
    """Change what is said of an incident; what was there before goes into the audit trail.

    Raises:
        NotFound: There is none.
        Conflict: It is closed, or no longer at ``expected_version``.
        IncidentError: Something in the entry cannot be kept.
    """
    row = locked(session, incident_id, expected_version)
    wanted = checked_columns(entry, now=at)
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if not changed:
        return row
    detail = {
        name: {"before": _plain(getattr(row, name)), "after": _plain(value)}
        for name, value in changed.items()
    }
    for name, value in changed.items():
        setattr(row, name, value)
    moved(session, row, "incident.change", by=by, at=at, detail=detail)
    return row


def move(
    session: Session,
    incident_id: str,
    state: State,
    *,
    by: str,
    at: datetime,
    note: str = "",
    expected_version: int | None = None,
) -> Incident:
    """Take an incident to its next state, or reopen it.

    Args:
        session: The open transaction.
        incident_id: Which one.
        state: Where to.
        by: Who.
        at: UTC.
        note: Why it is closed without corrective actions, or why it is reopened.
        expected_version: The version that was looked at.

    Raises:
        NotFound: There is none.
        Conflict: It cannot go there from where it is, or something is not done yet.
        IncidentError: The note is missing, or cannot be kept.
    """
    row = locked(session, incident_id, expected_version, closed=True)
    before = State(row.state)
    if state not in MOVES[before]:
        raise Conflict(
            "incident.transition",
            "an incident cannot go from {state} to {wanted}",
            state=[f"incident.state.{before}"],
            wanted=[f"incident.state.{state}"],
        )
    actions = _action_states(session, incident_id)
    _require_ready(session, row, state, actions)
    reopens = before is State.CLOSED
    needs_note = reopens or (state is State.CLOSED and not actions)
    kept = checked(note, "incident.note", most=500, least=int(needs_note))
    row.state = state.value
    if state is State.CLOSED:
        row.closed_at, row.closed_by, row.closing_note = at, by, kept
    elif reopens:
        row.closed_at, row.closed_by, row.reopened = None, None, row.reopened + 1
    detail = {"before": before.value, "after": state.value, "note": kept}
    action = "incident.reopen" if reopens else "incident.move"
    moved(session, row, action, by=by, at=at, detail=detail)
    return row


def get(session: Session, incident_id: str) -> Incident:
    """One incident.

    Raises:
        NotFound: There is none.
    """
    row = session.get(Incident, incident_id)
    if row is None:
        raise NotFound("incident", incident_id)
    return row


def list_incidents(
    session: Session,
    *,
    states: Collection[str] | None = None,
    kind: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Sequence[Incident]:
    """Incidents, newest first; ``before`` is the id of the last one of the page before.

    Raises:
        NotFound: ``before`` names none.
    """
    query = select(Incident)
    if states is not None:
        query = query.where(col(Incident.state).in_(states))
    if kind is not None:
        query = query.where(Incident.kind == kind)
    if since is not None:
        query = query.where(col(Incident.occurred_at) >= since)
    if until is not None:
        query = query.where(col(Incident.occurred_at) < until)
    if before is not None:
        last = get(session, before)
        same_time = and_(Incident.occurred_at == last.occurred_at, col(Incident.id) < last.id)
        query = query.where(or_(col(Incident.occurred_at) < last.occurred_at, same_time))
    newest_first = col(Incident.occurred_at).desc(), col(Incident.id).desc()
    return session.exec(query.order_by(*newest_first).limit(limit)).all()


def locked(
    session: Session, incident_id: str, expected_version: int | None, *, closed: bool = False
) -> Incident:
    """The incident for changing it; other writers wait.

    Raises:
        NotFound: There is none.
        Conflict: It is no longer at ``expected_version``, or closed (unless ``closed``).
    """
    row = session.get(Incident, incident_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("incident", incident_id)
    if expected_version not in {None, row.version}:
        raise Conflict(
            "incident.changed", "somebody changed this in the meantime; look at it again"
        )
    if row.state == State.CLOSED and not closed:
        raise Conflict("incident.is_closed", "this incident is closed; reopen it first")
    return row


def moved(
    session: Session,
    row: Incident,
    action: str,
    *,
    by: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Count the incident's version up and say in the audit trail what was done."""
    row.version += 1
    session.flush()
    audit.record(session, actor=by, action=action, subject=row.id, at=at, detail=detail)


def _require_ready(
    session: Session, row: Incident, state: State, actions: Sequence[ActionState]
) -> None:
    if state is State.ACTIONS and not actions:
        raise Conflict("incident.no_action", "name a corrective action first")
    unfinished = {ActionState.OPEN, ActionState.DONE} & set(actions)
    if state in {State.VERIFIED, State.CLOSED} and unfinished:
        raise Conflict(
            "incident.unfinished",
            "some corrective actions are not verified yet; verify or drop them first",
        )
    causes = select(IncidentCause.id).where(IncidentCause.incident_id == row.id)
    if state is State.CLOSED and session.exec(causes.limit(1)).first() is None:
        raise Conflict("incident.no_cause", "say why it happened first: one cause at least")


def _action_states(session: Session, incident_id: str) -> list[ActionState]:
    query = select(CorrectiveAction.state).where(CorrectiveAction.incident_id == incident_id)
    return [ActionState(state) for state in session.exec(query)]


def _next_number(session: Session) -> int:
    return (session.exec(select(func.max(Incident.number))).one() or 0) + 1


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
