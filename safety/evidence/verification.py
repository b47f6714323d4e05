"""Goes through the audit trail, and puts the outcome into it."""

from datetime import datetime

from safety.store import audit, audit_chain
from safety.store.database import Database


def verify_and_record(database: Database, *, by: str, at: datetime) -> int:
    """Go through the audit trail and put the outcome on record; the number of findings.

    Raises:
        StoreUnavailable: It was not looked at, or the outcome is not on record.
    """
    with database.reading() as session:
        seen = audit_chain.verify(session)
    with database.transaction() as session:
        audit.record(
            session,
            actor=by,
            action="audit.verify",
            subject="audit",
            at=at,
            detail={
                "entries": seen.entries,
                "head": str(seen.head),
                "findings": [{"fault": each.fault, "seq": each.seq} for each in seen.findings[:50]],
            },
        )
    return len(seen.findings)
