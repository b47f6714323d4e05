"""The monthly report of a site: put together from the record, kept, and made again.

A month is *closed* from its end on. The first report that is made of a closed month is kept
and given out again, byte by byte, whatever is corrected later; a correction makes a new
revision with a reason. The report of a month that is not over is made anew each time and
kept by nobody.
"""

from sqlmodel import Session

from safety.errors import AnjeonError
from safety.months import checked_month, month_of
from safety.reports.compose import Maker, composed, report_of
from safety.reports.schema import MonthlyReport
from safety.reports.signing import canonical
from safety.store import report_revisions
from safety.store.database import Database

__all__ = [
    "Maker",
    "ReportError",
    "current_report",
    "monthly_report",
    "report_of",
    "revised_report",
]


class ReportError(AnjeonError):
    """A report cannot be made of this month."""


def monthly_report(database: Database, maker: Maker, month: str) -> MonthlyReport:
    """The report of a month: as it was handed in, or as it stands today.

    Composing may take seconds and only reads, so that alerts can be written meanwhile. The
    first report of a closed month is kept.

    Args:
        database: The record.
        maker: Who asks.
        month: ``2026-11``.

    Raises:
        MonthFault: No month.
        ReportError: The month has not begun.
        StoreUnavailable: The record cannot be reached.
    """
    month = _begun(month, maker)
    _require_identity(database)
    with database.reading() as session:
        kept = report_revisions.newest(session, month)
        if kept is not None:
            return report_of(kept.content)
        report = composed(session, maker, month, revision=1, reason=None)
    if not report.closed:
        return report
    with database.transaction() as session:
        kept = report_revisions.newest(session, month)
        if kept is not None:
            return report_of(kept.content)  # somebody else was as fast
        _keep(session, maker, report, "")
    return report


def current_report(database: Database, maker: Maker, month: str) -> MonthlyReport:
    """The report of a month as it was handed in, or as it would be made now; keeps nothing.

    Raises:
        MonthFault: No month.
        ReportError: The month has not begun.
        StoreUnavailable: The record cannot be reached.
    """
    month = _begun(month, maker)
    _require_identity(database)
    with database.reading() as session:
        kept = report_revisions.newest(session, month)
        if kept is not None:
            return report_of(kept.content)
        return composed(session, maker, month, revision=1, reason=None)


def revised_report(database: Database, maker: Maker, month: str, reason: str) -> MonthlyReport:
    """A new revision of a month that was reported before, from the record as it is now.

    Raises:
        MonthFault: No month.
        ReportError: The month has not begun, or no report of it was made yet.
        Invalid: The reason is too short, or somebody else revised it at the same time.
        StoreUnavailable: The record cannot be reached.
    """
    month, reason = _begun(month, maker), report_revisions.checked_reason(month, reason)
    with database.reading() as session:
        kept = report_revisions.newest(session, month)
        if kept is None:
            raise ReportError(
                "report.not_made",
                "no report of {month} was kept yet, so there is nothing to revise; make it first",
                month=month,
            )
        report = composed(session, maker, month, revision=kept.revision + 1, reason=reason)
    with database.transaction() as session:
        _keep(session, maker, report, reason)
    return report


def _require_identity(database: Database) -> None:
    with database.reading() as session:
        known = report_revisions.known_identity(session) is not None
    if not known:
        with database.transaction() as session:
            report_revisions.identity(session)


def _begun(month: str, maker: Maker) -> str:
    month = checked_month(month)
    if month > month_of(maker.today):
        raise ReportError("report.future", "{month} has not begun yet", month=month)
    return month


def _keep(session: Session, maker: Maker, report: MonthlyReport, reason: str) -> None:
    content = canonical(report.model_dump(mode="json", by_alias=True)).decode()
    report_revisions.add(
        session,
        month=report.month,
        revision=report.revision,
        content=content,
        reason=reason,
        by=maker.by,
        at=maker.now,
    )
