"""Violations on record: every report may come late, twice or out of order."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, and_, col, or_, select

from safety.store.refusals import NotFound
from safety.store.tables import ViolationRow
from safety.store.times import utc
from safety.store.upsert import insert_new
from safety.types import Phase, Violation

SAME_AS = "same_as"
"""Detail of a violation that another camera reported first: that one's id. Its alert stands for
both."""


def save_violation(
    session: Session, violation: Violation, *, siren_latency_s: float | None = None
) -> bool:
    """Put one report on record; idempotent by id and revision.

    An older or repeated revision changes nothing, and what is closed never opens again.

    Args:
        session: The open transaction.
        violation: The report.
        siren_latency_s: Frame captured → siren command sent; the first one known is kept.

    Returns:
        Whether the record now shows this report.
    """
    if insert_new(session, _row(violation, siren_latency_s)):
        return True
    row = get(session, violation.id, lock=True)
    if row.siren_latency_s is None:
        row.siren_latency_s = siren_latency_s
    reopens = row.phase == Phase.CLOSED and violation.phase is not Phase.CLOSED
    if violation.revision <= row.revision or reopens:
        return False
    for name, value in _row(violation, row.siren_latency_s):
        setattr(row, name, value)
    session.flush()
    return True


def get(session: Session, violation_id: str, *, lock: bool = False) -> ViolationRow:
    """One violation; ``lock`` keeps other writers away until the transaction ends.

    Raises:
        NotFound: There is none.
    """
    row = session.get(ViolationRow, violation_id, with_for_update=lock, populate_existing=lock)
    if row is None:
        raise NotFound("violation", violation_id)
    return row


def set_siren_latency(session: Session, violation_id: str, seconds: float) -> None:
    """Note how long the siren took, if that is not known yet and the violation is on record."""
    row = session.get(ViolationRow, violation_id, with_for_update=True, populate_existing=True)
    if row is not None and row.siren_latency_s is None:
        row.siren_latency_s = seconds
        session.flush()


def open_violations(session: Session, *, camera_id: str | None = None) -> Sequence[ViolationRow]:
    """Violations that no report has closed, oldest first."""
    query = select(ViolationRow).where(ViolationRow.phase != Phase.CLOSED)
    if camera_id is not None:
        query = query.where(ViolationRow.camera_id == camera_id)
    return session.exec(query.order_by(col(ViolationRow.opened_at), col(ViolationRow.id))).all()


def on_record(session: Session, violation_id: str) -> ViolationRow | None:
    """One violation, None if there is none."""
    return session.get(ViolationRow, violation_id)


def is_open(session: Session, first: str) -> bool:
    """Whether a violation, or one that follows it (``SAME_AS``), is open."""
    return any(first in {row.id, row.details.get(SAME_AS)} for row in open_violations(session))


def close_lost(session: Session, violation_id: str, *, reason: str) -> bool:
    """Close a violation of which no more reports can come, as of its newest report.

    Its duration stays what was measured until then.

    Args:
        session: The open transaction.
        violation_id: Which one.
        reason: The end reason, e.g. ``"shard_lost"``.

    Returns:
        Whether it was open.

    Raises:
        NotFound: There is none.
    """
    row = get(session, violation_id, lock=True)
    if row.phase == Phase.CLOSED:
        return False
    row.phase = Phase.CLOSED
    row.closed_at = row.captured_at
    row.end_reason = reason
    session.flush()
    return True


def list_violations(
    session: Session,
    *,
    camera_id: str | None = None,
    rule_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Sequence[ViolationRow]:
    """Violations, newest first; ``before`` is the id of the last one of the page before.

    Raises:
        NotFound: ``before`` names none.
    """
    query = select(ViolationRow)
    if camera_id is not None:
        query = query.where(ViolationRow.camera_id == camera_id)
    if rule_id is not None:
        query = query.where(ViolationRow.rule_id == rule_id)
    if since is not None:
        query = query.where(col(ViolationRow.opened_at) >= since)
    if until is not None:
        query = query.where(col(ViolationRow.opened_at) < until)
    if before is not None:
        last = get(session, before)
        query = query.where(
            or_(
                col(ViolationRow.opened_at) < last.opened_at,
                and_(ViolationRow.opened_at == last.opened_at, col(ViolationRow.id) < last.id),
            )
        )
    newest_first = col(ViolationRow.opened_at).desc(), col(ViolationRow.id).desc()
    return session.exec(query.order_by(*newest_first).limit(limit)).all()


def _row(violation: Violation, siren_latency_s: float | None) -> ViolationRow:
    newest = violation.closed_at or violation.captured_at
    return ViolationRow(
        id=violation.id,
        revision=violation.revision,
        phase=violation.phase.value,
        rule_id=violation.rule_id,
        rule_revision=violation.rule_revision,
        rule_kind=violation.rule_kind,
        camera_id=violation.camera_id,
        zone_id=violation.zone_id,
        subject=violation.subject,
        severity=violation.severity.value,
        captured_at=utc(violation.captured_at),
        opened_at=utc(violation.opened_at),
        closed_at=utc(violation.closed_at) if violation.closed_at else None,
        duration_s=max(0.0, newest.monotonic - violation.opened_at.monotonic),
        end_reason=violation.end_reason,
        details=dict(violation.details) | ({"shadow": True} if violation.shadow else {}),
        siren_latency_s=siren_latency_s,
    )
