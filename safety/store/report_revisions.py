"""Monthly reports as they were made, so that what was handed in can always be made again."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlmodel import Session, col, func, select

from safety.store import audit
from safety.store.kpi_tables import ReportRevision, SiteIdentity
from safety.store.refusals import Invalid

_SHORTEST_REASON = 10


def identity(session: Session) -> SiteIdentity:
    """This site's identity; drawn on first use."""
    row = session.get(SiteIdentity, 1)
    if row is None:
        row = SiteIdentity(site_id=uuid4().hex)
        session.add(row)
        session.flush()
    return row


def newest(session: Session, month: str) -> ReportRevision | None:
    """The report of a month that counts; None: none was made."""
    query = select(ReportRevision).where(ReportRevision.month == month)
    return session.exec(query.order_by(col(ReportRevision.revision).desc()).limit(1)).first()


def get(session: Session, month: str, revision: int) -> ReportRevision | None:
    """One revision; None: there is none."""
    return session.get(ReportRevision, (month, revision))


def of_month(session: Session, month: str) -> Sequence[ReportRevision]:
    """All revisions of a month, oldest first."""
    query = select(ReportRevision).where(ReportRevision.month == month)
    return session.exec(query.order_by(col(ReportRevision.revision))).all()


def newest_of_all(session: Session, limit: int = 36) -> Sequence[ReportRevision]:
    """The newest revision of every month, newest month first."""
    last = (
        select(ReportRevision.month, func.max(ReportRevision.revision).label("revision"))
        .group_by(col(ReportRevision.month))
        .subquery()
    )
    query = select(ReportRevision).join(
        last,
        (col(ReportRevision.month) == last.c.month)
        & (col(ReportRevision.revision) == last.c.revision),
    )
    return session.exec(query.order_by(col(ReportRevision.month).desc()).limit(limit)).all()


def add(
    session: Session, *, month: str, content: str, reason: str, by: str, at: datetime
) -> ReportRevision:
    """Keep a report: the first one of its month, or a revision, which needs a reason.

    Args:
        session: The open transaction.
        month: Its month.
        content: Canonical JSON; its ``revision`` must be the next one.
        reason: Why the revision before is replaced; empty for the first one.
        by, at: Who made it, and when, UTC.

    Raises:
        Invalid: A revision without a reason.
    """
    known = newest(session, month)
    reason = reason.strip()
    if known is not None and len(reason) < _SHORTEST_REASON:
        raise Invalid(
            "report.reason",
            "the report of {month} was made before; say in at least {least} characters why it is"
            " made again",
            month=month,
            least=str(_SHORTEST_REASON),
        )
    row = ReportRevision(
        month=month,
        revision=1 if known is None else known.revision + 1,
        content=content,
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        reason=reason if known is not None else "",
        made_at=at,
        made_by=by,
    )
    session.add(row)
    session.flush()
    detail = {"revision": row.revision, "sha256": row.sha256, "reason": row.reason}
    audit.record(session, actor=by, action="report.make", subject=month, at=at, detail=detail)
    return row
