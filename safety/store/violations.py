"""Violations on record: every report may come late, twice or out of order."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, update
from sqlalchemy import select as select_columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import Session, and_, col, or_, select

from safety.store.refusals import NotFound
from safety.store.tables import ViolationRow
from safety.store.times import utc
from safety.store.upsert import table_of
from safety.types import Phase, Violation

SAME_AS = "same_as"
"""Detail of a violation that another camera reported first: that one's id. Its alert stands for
both."""

_TABLE = table_of(ViolationRow)
_OPEN = (Phase.OPENED.value, Phase.UPDATED.value)

# Asked for every report: making a statement takes longer than carrying it out.
_FOLLOWED = select_columns(_TABLE.c.details[SAME_AS].as_string()).where(
    _TABLE.c.id == bindparam("key")
)
_IS_OPEN = select_columns(_TABLE.c.id).where(
    _TABLE.c.id == bindparam("key"), _TABLE.c.phase.in_(_OPEN)
)
_OPEN_FOLLOWER = (
    select_columns(_TABLE.c.id)
    .where(_TABLE.c.phase.in_(_OPEN), _TABLE.c.details[SAME_AS].as_string() == bindparam("key"))
    .limit(1)
)
_SOUNDED = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("key"), _TABLE.c.siren_latency_s.is_(None))
    .values(siren_latency_s=bindparam("seconds"))
)


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
    statement = _saving(session.get_bind().dialect.name)
    values = _values(violation, siren_latency_s)
    shown = session.connection().execute(statement, values).first() is not None
    if not shown and siren_latency_s is not None:
        set_siren_latency(session, violation.id, siren_latency_s)
    return shown


@cache
def _saving(dialect: str) -> ReturningInsert[tuple[str]]:
    """Inserts a report, or puts a newer one in the place of what is there."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(_TABLE)
    old, new = _TABLE.c, statement.excluded
    values: dict[str, Any] = {each.name: new[each.name] for each in old if each.name != "id"}
    values["siren_latency_s"] = func.coalesce(old.siren_latency_s, new.siren_latency_s)
    stays_closed = or_(old.phase != Phase.CLOSED, new.phase == Phase.CLOSED)
    return statement.on_conflict_do_update(
        index_elements=[old.id],
        set_=values,
        where=and_(new.revision > old.revision, stays_closed),
    ).returning(old.id)


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
    session.connection().execute(_SOUNDED, {"key": violation_id, "seconds": seconds})


def open_violations(session: Session, *, camera_id: str | None = None) -> Sequence[ViolationRow]:
    """Violations that no report has closed, oldest first."""
    query = select(ViolationRow).where(ViolationRow.phase != Phase.CLOSED)
    if camera_id is not None:
        query = query.where(ViolationRow.camera_id == camera_id)
    return session.exec(query.order_by(col(ViolationRow.opened_at), col(ViolationRow.id))).all()


def followed(session: Session, violation_id: str) -> tuple[bool, str | None]:
    """Whether a violation is on record, and if so which one it follows (``SAME_AS``)."""
    found = session.connection().execute(_FOLLOWED, {"key": violation_id}).first()
    return found is not None, None if found is None else found[0]


def is_open(session: Session, first: str) -> bool:
    """Whether a violation, or one that follows it (``SAME_AS``), is open."""
    connection, key = session.connection(), {"key": first}
    return any(
        connection.execute(statement, key).first() is not None
        for statement in (_IS_OPEN, _OPEN_FOLLOWER)
    )


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


def _values(violation: Violation, siren_latency_s: float | None) -> dict[str, Any]:
    """Every column of its row."""
    newest = violation.closed_at or violation.captured_at
    return {
        "id": violation.id,
        "revision": violation.revision,
        "phase": violation.phase.value,
        "rule_id": violation.rule_id,
        "rule_revision": violation.rule_revision,
        "rule_kind": violation.rule_kind,
        "camera_id": violation.camera_id,
        "zone_id": violation.zone_id,
        "subject": violation.subject,
        "severity": violation.severity.value,
        "captured_at": utc(violation.captured_at),
        "opened_at": utc(violation.opened_at),
        "closed_at": utc(violation.closed_at) if violation.closed_at else None,
        "duration_s": max(0.0, newest.monotonic - violation.opened_at.monotonic),
        "end_reason": violation.end_reason,
        "details": dict(violation.details) | ({"shadow": True} if violation.shadow else {}),
        "siren_latency_s": siren_latency_s,
    }
