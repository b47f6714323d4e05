"""Alerts: raised once per situation, then acknowledged and judged by people."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import bindparam, func, update
from sqlalchemy import select as select_columns
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key
from sqlmodel import Session, col, select

from safety.store import audit, conversations
from safety.store.alert_lists import list_alerts as list_alerts
from safety.store.refusals import Conflict, NotFound
from safety.store.tables import Alert
from safety.store.upsert import adopt, insert_new, table_of
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

_TABLE = table_of(Alert)

# Asked for every violation: making a statement takes longer than carrying it out.
_OF_SITUATION = select_columns(_TABLE.c.id, _TABLE.c.lead_id, _TABLE.c.cleared_at).where(
    _TABLE.c.dedupe_key == bindparam("key")
)
_CLEARING = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("key"), _TABLE.c.cleared_at.is_(None))
    .values(cleared_at=bindparam("at"), version=_TABLE.c.version + 1)
    .returning(_TABLE.c.version)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """An alert whose situation has just ended, and whose conversation it belongs to."""

    alert_id: str
    lead_id: str


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
    zone_id: str | None = None,
    rule_id: str | None = None,
    rule_kind: str | None = None,
    subject: str | None = None,
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
        zone_id, rule_id, subject: Of the violation.
        rule_kind: Of the violation; None: ``kind`` stands for it.

    Returns:
        The new alert, or None if there was one.
    """
    row = Alert(
        id=uuid4().hex,
        kind=kind,
        dedupe_key=dedupe_key,
        violation_id=violation_id,
        camera_id=camera_id,
        zone_id=zone_id,
        rule_id=rule_id,
        rule_kind=rule_kind or kind,
        subject=subject,
        severity=severity.value,
        state=AlertState.RAISED.value,
        message_key=message_key,
        params=dict(params),
        raised_at=raised_at,
    )
    if not insert_new(session, row):
        return None
    adopt(session, row)
    return row


def acknowledge(
    session: Session, alert_id: str, *, by: str, at: datetime, expected_version: int | None = None
) -> Alert:
    """Somebody has seen it; the first one counts, a second tap changes nothing.

    The alerts of the conversation that it leads are acknowledged with it.

    Raises:
        NotFound: There is no such alert.
        Conflict: It is decided or expired, or is no longer at ``expected_version``.
    """
    alert = _locked(session, alert_id, expected_version)
    if alert.state != AlertState.ACKNOWLEDGED:
        _require_state(alert, {AlertState.RAISED}, AlertState.ACKNOWLEDGED)
    # A repeated tap also means those that joined after the first.
    seen = _members(session, alert, {AlertState.RAISED})
    for each in seen:
        each.acknowledged_at, each.acknowledged_by = at, by
        _move(session, each, AlertState.ACKNOWLEDGED)
    _answered(session, alert, seen, "alert.acknowledge", by=by, at=at)
    return alert


def acknowledge_listed(
    session: Session, alert_ids: Sequence[str], *, by: str, at: datetime
) -> list[str]:
    """Somebody has seen all that was listed; what was not is left alone.

    Returns:
        The alerts of the list that this changed. Those that are unknown, or that somebody else
        has answered meanwhile, are passed over.
    """
    changed = []
    for alert_id in sorted(set(alert_ids)):
        alert = session.get(Alert, alert_id)
        if alert is None or alert.state != AlertState.RAISED:
            continue
        try:
            acknowledge(session, alert_id, by=by, at=at)
        except Conflict:
            continue
        changed.append(alert_id)
    return changed


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

    The alerts of the conversation that it leads, and that nobody has judged, are judged with it.

    Raises:
        NotFound: There is no such alert.
        Conflict: It is decided or expired, or is no longer at ``expected_version``.
    """
    alert = _locked(session, alert_id, expected_version)
    _require_state(alert, OPEN_STATES, verdict)
    judged = _members(session, alert, OPEN_STATES)
    for each in judged:
        if each.acknowledged_at is None:
            each.acknowledged_at, each.acknowledged_by = at, by
        each.decided_at, each.decided_by, each.note = at, by, note
        _move(session, each, verdict)
    detail = {"verdict": verdict.value, "note": note}
    _answered(session, alert, judged, "alert.decide", by=by, at=at, detail=detail)
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


def clear(session: Session, dedupe_key: str, *, at: datetime) -> Cleared | None:
    """The situation is over; what people decide about the alert is another matter.

    Returns:
        Which alert that was; None if there is none, or it was cleared before.
    """
    connection = session.connection()
    found = connection.execute(_OF_SITUATION, {"key": dedupe_key}).first()
    if found is None or found.cleared_at is not None:
        return None
    # Always the leading alert first: two who lock in other orders would wait for ever.
    lead_id = found.lead_id or found.id
    conversations.locked(session, lead_id)
    cleared = connection.execute(_CLEARING, {"key": found.id, "at": at}).first()
    if cleared is None:
        return None
    known = session.identity_map.get(identity_key(Alert, found.id))
    if known is not None:
        set_committed_value(known, "cleared_at", at)
        set_committed_value(known, "version", cleared.version)
    return Cleared(alert_id=found.id, lead_id=lead_id)


def resume(session: Session, dedupe_key: str) -> Alert | None:
    """The situation goes on after all, seen by another camera.

    Returns:
        The alert, or None if there is none or it was not cleared.
    """
    query = select(Alert.id, Alert.lead_id).where(
        Alert.dedupe_key == dedupe_key, col(Alert.cleared_at).is_not(None)
    )
    found = session.exec(query).first()
    if found is None:
        return None
    alert_id, lead_id = found
    # Always the leading alert first: two who lock in other orders would wait for ever.
    if lead_id is not None:
        _locked(session, lead_id, None)
    alert = _locked(session, alert_id, None)
    if alert.cleared_at is None:
        return None
    alert.cleared_at = None
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


def counts(session: Session) -> dict[AlertState, int]:
    """How many alerts are in each state, zeros included."""
    rows = session.exec(select(Alert.state, func.count()).group_by(Alert.state)).all()
    return dict.fromkeys(AlertState, 0) | {AlertState(s): n for s, n in rows}


def has_alert(session: Session, dedupe_key: str) -> bool:
    """Whether this situation has an alert, whatever became of it."""
    return session.connection().execute(_OF_SITUATION, {"key": dedupe_key}).first() is not None


def uncleared(session: Session, *, kind: str | None = None) -> Sequence[Alert]:
    """Alerts whose situation lasts, oldest first."""
    query = select(Alert).where(col(Alert.cleared_at).is_(None))
    if kind is not None:
        query = query.where(Alert.kind == kind)
    return session.exec(query.order_by(col(Alert.raised_at), col(Alert.id))).all()


def attended_violations(session: Session, violation_ids: Collection[str]) -> dict[str, AlertState]:
    """Those of these violations whose alert somebody has acknowledged or judged, and how."""
    query = select(Alert.violation_id, Alert.state).where(
        col(Alert.violation_id).in_(violation_ids), Alert.state != AlertState.RAISED
    )
    return {key: AlertState(state) for key, state in session.exec(query) if key is not None}


def _members(session: Session, lead: Alert, states: Collection[AlertState]) -> list[Alert]:
    """The alert, and those that joined its conversation, as far as they are in these states."""
    query = select(Alert).where(Alert.lead_id == lead.id, col(Alert.state).in_(states))
    rows = query.with_for_update().execution_options(populate_existing=True)
    joined = session.exec(rows.order_by(Alert.id)) if lead.lead_id is None else ()
    return [each for each in (lead, *joined) if each.state in states]


def _answered(
    session: Session,
    alert: Alert,
    changed: Sequence[Alert],
    action: str,
    *,
    by: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Put an answer on record, and let whoever carries out the policy know."""
    if not changed:
        return
    joined = [each.id for each in changed if each.id != alert.id]
    said = {**(detail or {}), **({"joined": joined} if joined else {})}
    audit.record(session, actor=by, action=action, subject=alert.id, at=at, detail=said)
    conversations.look_at_once(session, [alert.id])


def _locked(session: Session, alert_id: str, expected_version: int | None) -> Alert:
    lead_id = session.exec(select(Alert.lead_id).where(Alert.id == alert_id)).first()
    if lead_id is not None:
        # Always the leading alert first: two who lock in other orders would wait for ever.
        session.get(Alert, lead_id, with_for_update=True, populate_existing=True)
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
