"""Corrective actions of all incidents, as lists and counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, and_, col, or_, select

from safety.incidents.types import ActionState
from safety.store.incident_actions import get
from safety.store.incident_tables import CorrectiveAction


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCounts:
    """How the actions of one incident stand; dropped ones do not count."""

    total: int = 0
    verified: int = 0
    overdue: int = 0


def list_actions(
    session: Session,
    *,
    state: ActionState | None = None,
    due_before: date | None = None,
    after: str | None = None,
    limit: int = 100,
) -> Sequence[CorrectiveAction]:
    """Actions, the one that is due first in front.

    Args:
        session: A session.
        state: Only those.
        due_before: Only those due before that day.
        after: Id of the last one of the page before.
        limit: How many at most.

    Raises:
        NotFound: ``after`` names none.
    """
    query = select(CorrectiveAction)
    if state is not None:
        query = query.where(CorrectiveAction.state == state.value)
    if due_before is not None:
        query = query.where(CorrectiveAction.due_on < due_before)
    if after is not None:
        last = get(session, after)
        same_day = and_(CorrectiveAction.due_on == last.due_on, col(CorrectiveAction.id) > last.id)
        query = query.where(or_(col(CorrectiveAction.due_on) > last.due_on, same_day))
    in_order = col(CorrectiveAction.due_on), col(CorrectiveAction.id)
    return session.exec(query.order_by(*in_order).limit(limit)).all()


def counts(
    session: Session, incident_ids: Sequence[str], *, today: date
) -> dict[str, ActionCounts]:
    """How the actions of incidents stand, by incident id; those without any are absent."""
    query = select(CorrectiveAction).where(
        col(CorrectiveAction.incident_id).in_(incident_ids),
        CorrectiveAction.state != ActionState.DROPPED.value,
    )
    found: dict[str, ActionCounts] = {}
    for row in session.exec(query):
        known = found.get(row.incident_id, ActionCounts())
        late = row.state == ActionState.OPEN and row.due_on < today
        found[row.incident_id] = ActionCounts(
            total=known.total + 1,
            verified=known.verified + (row.state == ActionState.VERIFIED),
            overdue=known.overdue + late,
        )
    return found
