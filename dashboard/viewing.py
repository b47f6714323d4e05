"""Who looks at evidence: what they may see, and the note of it in the audit trail."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlmodel import Session

from dashboard.visit import Visit
from safety.store import audit
from safety.store.accounts import Role
from safety.store.tables import Audit, Evidence

ONE_LOOK: Final = timedelta(minutes=10)
"""A film is fetched in many pieces: who fetches one for so long has looked at it once."""

ACTIONS: Final = (
    "evidence.view",
    "evidence.download",
    "evidence.view_blurred",
    "evidence.download_blurred",
)


def sees_originals(visit: Visit) -> bool:
    """Whether this person sees people as they were recorded."""
    return visit.person.role.includes(Role(visit.services.settings.evidence_originals))


def note(visit: Visit, row: Evidence, *, download: bool, blurred: bool) -> None:
    """Put on record that somebody looks at a file, once for several requests.

    Raises:
        StoreUnavailable: It cannot be put on record; then nothing must be shown.
    """
    action = f"evidence.{'download' if download else 'view'}{'_blurred' if blurred else ''}"
    with visit.database.reading() as session:
        if _noted(session, visit, row, action):
            return
    with visit.database.transaction() as session:
        audit.record(
            session,
            actor=visit.actor,
            action=action,
            subject=row.violation_id,
            at=visit.now,
            detail={"evidence": row.id, "kind": row.kind},
        )


def looks(session: Session, violation_id: str, *, limit: int = 20) -> Sequence[Audit]:
    """Who looked at the evidence of a violation, newest first."""
    return audit.list_entries(session, subject=violation_id, only=ACTIONS, limit=limit)


def _noted(session: Session, visit: Visit, row: Evidence, action: str) -> bool:
    entries = audit.list_entries(
        session, subject=row.violation_id, actor=visit.actor, only=(action,), limit=20
    )
    return any(
        entry.detail.get("evidence") == row.id and visit.now - entry.at < ONE_LOOK
        for entry in entries
    )
