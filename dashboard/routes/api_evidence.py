"""API: holds on evidence, and whether the audit trail is what was written."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import StringConstraints

from dashboard.access import ManagerReadVisit, ManagerVisit, OperatorVisit, ViewerVisit
from dashboard.once import Once, OnlyOnce
from dashboard.paging import Page, Paged
from dashboard.schemas import Answer
from dashboard.visit import Visit
from safety.store import alerts, audit_chain, holds
from safety.store.evidence_tables import LegalHold
from safety.store.holds import About

router = APIRouter(prefix="/api/v1", tags=["evidence"])

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class HoldRequest(Answer):
    """Why evidence is held, or is no longer."""

    reason: Reason


class HoldInfo(Answer):
    """A hold: nothing deletes the evidence of the alert, or of the incident's alerts."""

    id: str
    alert_id: str | None
    incident_id: str | None
    reason: str
    placed_at: datetime
    placed_by: str
    released_at: datetime | None
    released_by: str | None


class TrailFinding(Answer):
    """One place at which the trail is not what was written."""

    fault: Literal["changed", "missing", "unlinked", "beginning", "end", "head"]
    seq: int


class TrailInfo(Answer):
    """The audit trail, gone through as a whole."""

    entries: int
    head: str
    """The newest link: note it elsewhere."""
    since: datetime | None
    """Time of the oldest entry that is kept."""
    findings: Sequence[TrailFinding]
    """Empty: all is as it was written."""


@router.get("/alerts/{alert_id}/holds")
def list_holds(visit: ViewerVisit, alert_id: str, paging: Paged) -> Page[HoldInfo]:
    """All holds that keep an alert's evidence, its incident's included."""
    with visit.database.reading() as session:
        found = holds.over_alert(session, alerts.get(session, alert_id))
    return paging.cut(found, _info)


@router.post("/alerts/{alert_id}/holds", status_code=201)
def hold_alert(
    visit: OperatorVisit, alert_id: str, wanted: HoldRequest, once: OnlyOnce
) -> HoldInfo:
    """Keep the evidence of an alert until a manager releases it."""
    return _place(visit, once, "alert", alert_id, wanted.reason)


@router.post("/incidents/{incident_id}/holds", status_code=201)
def hold_incident(
    visit: OperatorVisit, incident_id: str, wanted: HoldRequest, once: OnlyOnce
) -> HoldInfo:
    """Keep the evidence of all alerts of an incident until a manager releases it."""
    return _place(visit, once, "incident", incident_id, wanted.reason)


@router.post("/holds/{hold_id}/release")
def release_hold(visit: ManagerVisit, hold_id: str, wanted: HoldRequest) -> HoldInfo:
    """End a hold; what it held is deleted when its time has come."""
    with visit.database.transaction() as session:
        hold = holds.release(session, hold_id, reason=wanted.reason, by=visit.actor, at=visit.now)
        return _info(hold)


@router.get("/audit/verification")
def verify_trail(visit: ManagerReadVisit) -> TrailInfo:
    """Go through the whole audit trail now."""
    with visit.database.reading() as session:
        seen = audit_chain.verify(session)
    return TrailInfo(
        entries=seen.entries,
        head=str(seen.head),
        since=seen.since,
        findings=[TrailFinding(fault=each.fault, seq=each.seq) for each in seen.findings],
    )


def _place(visit: Visit, once: Once, about: About, subject: str, reason: str) -> HoldInfo:
    made = once.make(
        visit,
        lambda session: holds.place(session, about, subject, reason=reason, **visit.signed).id,
    )
    with visit.database.reading() as session:
        return _info(holds.get(session, made))


def _info(hold: LegalHold) -> HoldInfo:
    return HoldInfo.model_validate(hold.model_dump())
