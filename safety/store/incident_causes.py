"""Why an incident happened: answers to "why?", each explaining what stands above it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlmodel import Session, col, select

from safety.incidents.errors import IncidentError
from safety.incidents.texts import checked
from safety.store.incident_tables import IncidentCause
from safety.store.incidents import locked, moved
from safety.store.refusals import NotFound

MOST_CAUSES: Final = 40
MOST_WHYS: Final = 7
"""In a row; five are usual."""


def add(
    session: Session,
    incident_id: str,
    *,
    text: str,
    parent_id: str | None,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> IncidentCause:
    """Answer one more "why?": of the incident, or of a cause named before.

    Raises:
        NotFound: There is no such incident, or no such cause of it.
        Conflict: It is closed, or has changed.
        IncidentError: The text is missing or cannot be kept, or there are too many.
    """
    row = locked(session, incident_id, expected_version)
    present = of_incident(session, incident_id)
    if parent_id is not None and parent_id not in {each.id for each in present}:
        raise NotFound("cause", parent_id)
    if len(present) >= MOST_CAUSES or _depth(present, parent_id) >= MOST_WHYS:
        raise IncidentError(
            "incident.too_many_causes",
            "an incident has {most} causes at most, {deep} of them in a row; join some",
            most=MOST_CAUSES,
            deep=MOST_WHYS,
        )
    cause = IncidentCause(
        id=uuid4().hex,
        incident_id=incident_id,
        parent_id=parent_id,
        position=max((each.position for each in present), default=0) + 1,
        text=checked(text, "incident.cause", most=500, least=1),
    )
    session.add(cause)
    detail = {"added": cause.text, "under": parent_id}
    moved(session, row, "incident.cause", by=by, at=at, detail=detail)
    return cause


def remove(
    session: Session,
    incident_id: str,
    cause_id: str,
    *,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> None:
    """Take a cause back, with all that explains it.

    Raises:
        NotFound: There is no such incident, or no such cause of it.
        Conflict: It is closed, or has changed.
    """
    row = locked(session, incident_id, expected_version)
    present = of_incident(session, incident_id)
    if cause_id not in {each.id for each in present}:
        raise NotFound("cause", cause_id)
    gone = {cause_id}
    for each in present:  # in order: what explains comes after what it explains
        if each.parent_id in gone:
            gone.add(each.id)
    texts = [each.text for each in present if each.id in gone]
    for each in sorted(present, key=lambda one: -one.position):
        if each.id in gone:
            session.delete(each)
            session.flush()
    moved(session, row, "incident.cause", by=by, at=at, detail={"removed": texts})


def of_incident(session: Session, incident_id: str) -> Sequence[IncidentCause]:
    """The causes of one incident in the order they were named."""
    query = select(IncidentCause).where(IncidentCause.incident_id == incident_id)
    return session.exec(query.order_by(col(IncidentCause.position))).all()


def _depth(present: Sequence[IncidentCause], cause_id: str | None) -> int:
    """How many causes stand above and at this one."""
    parents = {each.id: each.parent_id for each in present}
    depth = 0
    while cause_id is not None:
        cause_id = parents.get(cause_id)
        depth += 1
    return depth
