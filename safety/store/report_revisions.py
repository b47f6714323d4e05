"""Monthly reports as they were made, so that what was handed in can always be made again."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlmodel import Session, col, func, select

from safety.store import audit
from safety.store.kpi_tables import ReportRevision, SiteIdentity
from safety.store.refusals import Conflict, Invalid

_SHORTEST_REASON = 10


def identity(session: Session) -> SiteIdentity:
    """This site's identity; drawn on first use."""
    row = session.get(SiteIdentity, 1)
    if row is None:
        row = SiteIdentity(site_id=uuid4().hex)
        session.add(row)
        session.flush()
    return row


def known_identity(session: Session) -> SiteIdentity | None:
    """This site's identity; None: it was not drawn yet."""
    return session.get(SiteIdentity, 1)


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


def checked_reason(month: str, reason: str) -> str:
    """Why a month is reported anew, without spaces round it.

    Raises:
        Invalid: It says too little.
    """
    reason = reason.strip()
    if len(reason) < _SHORTEST_REASON:
        raise Invalid(
            "report.reason",
            "the report of {month} was made before; say in at least {least} characters why it is"
            " made again",
            month=month,
            least=str(_SHORTEST_REASON),
        )
    return reason


def add(
    session: Session,
    *,
    month: str,
    revision: int,
    content: str,
    reason: str,
    by: str,
    at: datetime,
) -> ReportRevision:
    """Keep a report: the first one of its month, or a revision, which needs a reason.

    Args:
        session: The open transaction.
        month: Its month.
        revision: Which one it is by its own words.
        content: Canonical JSON.
        reason: Why the revision before is replaced; empty for the first one.
        by: Who made it.
        at: When, UTC.

    Raises:
        Invalid: A revision without a reason.
        Conflict: Somebody else made this revision in the meantime.
    """
    known = newest(session, month)
    if revision != (1 if known is None else known.revision + 1):
        raise Conflict(
            "report.made_meanwhile",
            "somebody else made the report of {month} in the meantime; look at it again",
            month=month,
        )
    row = ReportRevision(
        month=month,
        revision=revision,
        content=content,
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        reason="" if known is None else checked_reason(month, reason),
        made_at=at,
        made_by=by,
    )
    session.add(row)
    session.flush()
    detail = {"revision": row.revision, "sha256": row.sha256, "reason": row.reason}
    audit.record(session, actor=by, action="report.make", subject=month, at=at, detail=detail)
    return row
