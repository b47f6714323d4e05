"""Alerts: raised once per situation, then acknowledged and judged by people."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import func
from sqlmodel import Session, and_, col, or_, select

from safety.store import audit
from safety.store.refusals import Conflict, NotFound
from safety.store.tables import Alert
from safety.store.upsert import insert_new
from safety.types import Severity


class AlertState(StrEnum):
    """Where an alert stands with people."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    CONFIRMED = "confirmed"
    FALSE_POSITIVE = "false_positive"
    EXPIRED = "expired"


OPEN_STATES = frozenset({AlertState.RAISED, AlertState.ACKNOWLEDGED})
"""States in which somebody still has to do something."""

Verdict = Literal[AlertState.CONFIRMED, AlertState.FALSE_POSITIVE]


def raise_alert(
    session: Session,
    *,
    kind: str,
    dedupe_key: str,
    severity: Severity,
    message_key: str,
    params: Mapping[str, Any],
    raised_at: datetime,
    violation_id: str | None = None,
    camera_id: str | None = None,
) -> Alert | None:
    """Raise an alert unless this situation has one.

    Args:
        session: The open transaction.
        kind: ``violation``, ``camera_blind`` or ``channel_failed``.
        dedupe_key: The same for the same situation, for ever: a violation's id, or a
            camera with the start of its blindness.
        severity: How urgent.
        message_key: Translation key of its sentence.
        params: Values for the sentence, JSON types.
        raised_at: UTC.
        violation_id: The violation behind it, already on record.
        camera_id: The camera it is about.

    Returns:
        The new alert, or None if there was one.
    """
    alert_id = uuid4().hex
    row = Alert(
        id=alert_id,
        kind=kind,
        dedupe_key=dedupe_key,
        violation_id=violation_id,
        camera_id=camera_id,
        severity=severity.value,
        state=AlertState.RAISED.value,
        message_key=message_key,
        params=dict(params),
        raised_at=raised_at,
    )
    return get(session, alert_id) if insert_new(session, row) else None


def acknowledge(
    session: Session, alert_id: str, *, by: str, at: datetime, expected_version: int | None = None
) -> Alert:
    """Somebody has seen it; the first one counts, a second tap changes nothing.

    Raises:
        NotFound: There is no such alert.
        Conflict: It is decided or expired, or is no longer at ``expected_version``.
    """
    alert = _locked(session, alert_id, expected_version)
    if alert.state == AlertState.ACKNOWLEDGED:
        return alert
    _require_state(alert, {AlertState.RAISED}, AlertState.ACKNOWLEDGED)
    alert.acknowledged_at, alert.acknowledged_by = at, by
    _move(session, alert, AlertState.ACKNOWLEDGED)
    audit.record(session, actor=by, action="alert.acknowledge", subject=alert_id, at=at)
    return alert


def decide(
    session: Session,
    alert_id: str,
    *,
    verdict: Verdict,
    by: str,
    at: datetime,
    note: str | None = None,
    expected_version: int | None = None,
) -> Alert:
    """Somebody judged it; judging what nobody acknowledged acknowledges it as well.

    Raises:
        NotFound: There is no such alert.
        Conflict: It is decided or expired, or is no longer at ``expected_version``.
    """
    alert = _locked(session, alert_id, expected_version)
    _require_state(alert, OPEN_STATES, verdict)
    if alert.acknowledged_at is None:
        alert.acknowledged_at, alert.acknowledged_by = at, by
    alert.decided_at, alert.decided_by, alert.note = at, by, note
    _move(session, alert, verdict)
    detail = {"verdict": verdict.value, "note": note}
    audit.record(session, actor=by, action="alert.decide", subject=alert_id, at=at, detail=detail)
    return alert


def expire(session: Session, alert_id: str, *, at: datetime) -> Alert:
    """Nobody judged it in time.

    Raises:
        NotFound: There is no such alert.
        Conflict: It is decided or expired.
    """
    alert = _locked(session, alert_id, None)
    _require_state(alert, OPEN_STATES, AlertState.EXPIRED)
    alert.decided_at = at
    _move(session, alert, AlertState.EXPIRED)
    return alert


def clear(session: Session, dedupe_key: str, *, at: datetime) -> Alert | None:
    """The situation is over; what people decide about the alert is another matter.

    Returns:
        The alert, or None if there is none or it was cleared before.
    """
    query = select(Alert).where(Alert.dedupe_key == dedupe_key, col(Alert.cleared_at).is_(None))
    alert = session.exec(query.with_for_update().execution_options(populate_existing=True)).first()
    if alert is None:
        return None
    alert.cleared_at = at
    alert.version += 1
    session.flush()
    return alert


def get(session: Session, alert_id: str) -> Alert:
    """One alert.

    Raises:
        NotFound: There is none.
    """
    alert = session.get(Alert, alert_id)
    if alert is None:
        raise NotFound("alert", alert_id)
    return alert


def list_alerts(
    session: Session,
    *,
    state: str | Collection[str] | None = None,
    camera: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Sequence[Alert]:
    """Alerts, newest first.

    Args:
        session: A session.
        state: One state, several, or None for all.
        camera: Only this camera's.
        before: Id of the last alert of the page before.
        limit: How many at most.

    Raises:
        NotFound: ``before`` names no alert.
    """
    query = select(Alert)
    if state is not None:
        query = query.where(col(Alert.state).in_([state] if isinstance(state, str) else state))
    if camera is not None:
        query = query.where(Alert.camera_id == camera)
    if before is not None:
        last = get(session, before)
        same_time = and_(Alert.raised_at == last.raised_at, col(Alert.id) < last.id)
        query = query.where(or_(col(Alert.raised_at) < last.raised_at, same_time))
    newest_first = col(Alert.raised_at).desc(), col(Alert.id).desc()
    return session.exec(query.order_by(*newest_first).limit(limit)).all()


def counts(session: Session) -> dict[AlertState, int]:
    """How many alerts are in each state, zeros included."""
    rows = session.exec(select(Alert.state, func.count()).group_by(Alert.state)).all()
    return dict.fromkeys(AlertState, 0) | {AlertState(s): n for s, n in rows}


def has_alert(session: Session, dedupe_key: str) -> bool:
    """Whether this situation has an alert, whatever became of it."""
    return session.exec(select(Alert.id).where(Alert.dedupe_key == dedupe_key)).first() is not None


def uncleared(session: Session, *, kind: str | None = None) -> Sequence[Alert]:
    """Alerts whose situation lasts, oldest first."""
    query = select(Alert).where(col(Alert.cleared_at).is_(None))
    if kind is not None:
        query = query.where(Alert.kind == kind)
    return session.exec(query.order_by(col(Alert.raised_at), col(Alert.id))).all()


def attended_violations(session: Session, violation_ids: Collection[str]) -> set[str]:
    """Those of these violations whose alert somebody has acknowledged or judged."""
    query = select(Alert.violation_id).where(
        col(Alert.violation_id).in_(violation_ids), Alert.state != AlertState.RAISED
    )
    return {violation_id for violation_id in session.exec(query) if violation_id is not None}


def _locked(session: Session, alert_id: str, expected_version: int | None) -> Alert:
    alert = session.get(Alert, alert_id, with_for_update=True, populate_existing=True)
    if alert is None:
        raise NotFound("alert", alert_id)
    if expected_version not in {None, alert.version}:
        raise Conflict(
            "alert.changed",
            "the alert was changed in the meantime (by {by}); look at it again",
            by=alert.decided_by or alert.acknowledged_by or "Anjeon",
        )
    return alert


def _require_state(alert: Alert, allowed: Collection[AlertState], wanted: AlertState) -> None:
    if alert.state not in allowed:
        raise Conflict(
            "alert.transition",
            "an alert that is {state} cannot become {wanted}",
            state=alert.state,
            wanted=wanted.value,
        )


def _move(session: Session, alert: Alert, state: AlertState) -> None:
    alert.state = state.value
    alert.version += 1
    session.flush()
