"""Legal holds: evidence that nothing deletes, with a reason, until somebody releases it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import uuid4

from sqlmodel import Session, col, or_, select

from safety.store import audit
from safety.store.evidence_tables import LegalHold
from safety.store.incident_tables import Incident, IncidentAlert
from safety.store.refusals import Conflict, Invalid, NotFound
from safety.store.tables import Alert, Evidence

About = Literal["alert", "incident"]


def place(
    session: Session, about: About, subject: str, *, reason: str, by: str, at: datetime
) -> LegalHold:
    """Hold the evidence of an alert, or of all alerts of an incident.

    Args:
        session: The open transaction.
        about: What kind of thing ``subject`` is the id of.
        reason: Why, 3 to 500 characters.
        by: Who, for the audit trail.
        at: UTC.

    Raises:
        NotFound: There is no such alert or incident.
        Invalid: No reason is given.
        Conflict: It is held already.
    """
    reason = reason.strip()
    if not 3 <= len(reason) <= 500:
        raise Invalid("hold.reason", "say why it must be kept, 3 to 500 characters")
    if session.get(Alert if about == "alert" else Incident, subject) is None:
        raise NotFound(about, subject)
    _lock_evidence(session, about, subject)
    if active(session, about, subject) is not None:
        raise Conflict("hold.held", "this is held already")
    hold = LegalHold(
        id=uuid4().hex,
        alert_id=subject if about == "alert" else None,
        incident_id=subject if about == "incident" else None,
        reason=reason,
        placed_at=at,
        placed_by=by,
    )
    session.add(hold)
    detail = {"hold": hold.id, "reason": reason}
    audit.record(session, actor=by, action=f"{about}.hold", subject=subject, at=at, detail=detail)
    return hold


def release(session: Session, hold_id: str, *, reason: str, by: str, at: datetime) -> LegalHold:
    """End a hold; what it held is deleted when its time has come, as everything else.

    Raises:
        NotFound: There is none.
        Invalid: No reason is given.
        Conflict: It was released before.
    """
    reason = reason.strip()
    if not 3 <= len(reason) <= 500:
        raise Invalid("hold.reason", "say why it must be kept, 3 to 500 characters")
    hold = session.get(LegalHold, hold_id, with_for_update=True, populate_existing=True)
    if hold is None:
        raise NotFound("hold", hold_id)
    if hold.released_at is not None:
        raise Conflict("hold.released", "this hold was released before")
    hold.released_at, hold.released_by = at, by
    session.flush()
    about, subject = ("alert", hold.alert_id) if hold.alert_id else ("incident", hold.incident_id)
    audit.record(
        session,
        actor=by,
        action=f"{about}.release",
        subject=str(subject),
        at=at,
        detail={"hold": hold_id, "reason": reason},
    )
    return hold


def get(session: Session, hold_id: str) -> LegalHold:
    """One hold.

    Raises:
        NotFound: There is none.
    """
    hold = session.get(LegalHold, hold_id)
    if hold is None:
        raise NotFound("hold", hold_id)
    return hold


def active(session: Session, about: About, subject: str) -> LegalHold | None:
    """The hold on this very alert or incident, if there is one."""
    which = LegalHold.alert_id if about == "alert" else LegalHold.incident_id
    query = select(LegalHold).where(which == subject, col(LegalHold.released_at).is_(None))
    return session.exec(query).first()


def over_alert(session: Session, alert: Alert) -> Sequence[LegalHold]:
    """All holds that keep an alert's evidence: its own, its conversation's, its incident's."""
    linked = select(IncidentAlert.incident_id).where(IncidentAlert.alert_id == alert.id)
    query = select(LegalHold).where(
        col(LegalHold.released_at).is_(None),
        or_(
            col(LegalHold.alert_id).in_([alert.id, alert.lead_id or alert.id]),
            col(LegalHold.incident_id).in_(linked),
        ),
    )
    return session.exec(query.order_by(col(LegalHold.placed_at), col(LegalHold.id))).all()


def over_incident(session: Session, incident_id: str) -> Sequence[LegalHold]:
    """All holds that keep evidence of an incident: its own, and those of single alerts of it."""
    linked = select(IncidentAlert.alert_id).where(IncidentAlert.incident_id == incident_id)
    query = select(LegalHold).where(
        col(LegalHold.released_at).is_(None),
        or_(LegalHold.incident_id == incident_id, col(LegalHold.alert_id).in_(linked)),
    )
    return session.exec(query.order_by(col(LegalHold.placed_at))).all()


def _lock_evidence(session: Session, about: About, subject: str) -> None:
    """Wait for whoever is about to delete it; whoever comes later will see the hold."""
    held = select(Alert.violation_id)
    if about == "alert":
        held = held.where(or_(Alert.id == subject, Alert.lead_id == subject))
    else:
        linked = select(IncidentAlert.alert_id).where(IncidentAlert.incident_id == subject)
        held = held.where(col(Alert.id).in_(linked))
    rows = select(Evidence).where(col(Evidence.violation_id).in_(held)).order_by(Evidence.id)
    session.exec(rows.with_for_update()).all()
