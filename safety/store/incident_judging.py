"""How people judge alerts: with a reason where they are false, and merged where they are one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Subquery, func
from sqlmodel import Session, col, select

from safety.incidents.errors import IncidentError
from safety.incidents.texts import checked
from safety.incidents.types import FalseAlarm
from safety.store import alerts, audit
from safety.store.alerts import OPEN_STATES, AlertState, Verdict
from safety.store.incident_tables import AlertMerge, AlertReason, IncidentAlert
from safety.store.refusals import Conflict
from safety.store.tables import Alert, ViolationRow

MOST_ALERTS: Final = 100
"""Alerts that can be merged, or linked to one incident, at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How people judged the alerts of one rule; what was merged counts once.

    Attributes:
        reasons: Why those that were false were.
    """

    confirmed: int = 0
    false: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


def judge(
    session: Session,
    alert_id: str,
    *,
    verdict: Verdict,
    by: str,
    at: datetime,
    reason: FalseAlarm | None = None,
    note: str | None = None,
    expected_version: int | None = None,
) -> Alert:
    """Somebody judged an alert; those that were merged into it get the same verdict.

    Args:
        session: The open transaction.
        alert_id: Which one.
        verdict: A real danger, or a false alarm.
        by: Who.
        at: UTC.
        reason: Why it was false; only with that verdict.
        note: In their own words; needed if the reason is ``other``.
        expected_version: The version that was looked at.

    Raises:
        NotFound: There is no such alert.
        Conflict: It is decided or expired, or has changed.
        IncidentError: A reason without a false alarm, or no note where one is needed.
    """
    if reason is not None and verdict is not AlertState.FALSE_POSITIVE:
        raise IncidentError("incident.reason", "only a false alarm has such a reason")
    kept = checked(note or "", "incident.note", most=500, least=int(reason is FalseAlarm.OTHER))
    alert = alerts.decide(
        session,
        alert_id,
        verdict=verdict,
        by=by,
        at=at,
        note=kept or None,
        expected_version=expected_version,
    )
    for each in (alert_id, *merged_into(session, alert_id)):
        if each != alert_id and alerts.get(session, each).state in OPEN_STATES:
            alerts.decide(session, each, verdict=verdict, by=by, at=at)
        if reason is not None:
            session.merge(AlertReason(alert_id=each, reason=reason.value, at=at, by=by))
    session.flush()
    return alert


def merge(
    session: Session, into_id: str, alert_ids: Collection[str], *, by: str, at: datetime
) -> Sequence[str]:
    """Say that alerts are the same situation as another one; that counts once from then on.

    They count as seen, and are judged with it: at once, if it is judged.

    Returns:
        All that are merged into it now.

    Raises:
        NotFound: One of the alerts is not there.
        Conflict: One of them is an incident's, or was judged otherwise.
        IncidentError: None was named, or too many.
    """
    wanted = sorted(set(alert_ids) - {into_id})
    require_some(wanted)
    root = session.get(AlertMerge, into_id)
    into = alerts.get(session, root.into_id if root else into_id)
    for alert_id in wanted:
        alert = alerts.get(session, alert_id)
        own = session.get(IncidentAlert, into.id)
        theirs = session.get(IncidentAlert, alert_id)
        if (theirs and (own is None or own.incident_id != theirs.incident_id)) or (
            alert.state not in OPEN_STATES and alert.state != into.state
        ):
            raise Conflict(
                "incident.not_mergeable",
                "an alert that belongs to another incident or was judged otherwise cannot be"
                " merged",
            )
        if alert.id != into.id:
            _merge_one(session, into, alert, by=by, at=at)
    return merged_into(session, into.id)


def merged_into(session: Session, alert_id: str) -> Sequence[str]:
    """Ids of the alerts that were merged into this one."""
    query = select(AlertMerge.alert_id).where(AlertMerge.into_id == alert_id)
    return session.exec(query.order_by(col(AlertMerge.merged_at), AlertMerge.alert_id)).all()


def reason_of(session: Session, alert_id: str) -> str | None:
    """Why an alert was called false, if somebody said so."""
    row = session.get(AlertReason, alert_id)
    return row.reason if row else None


def judged(
    session: Session, *, rule_id: str | None = None, since: datetime | None = None
) -> dict[str, Judged]:
    """How people judged alerts, by rule; rules without a judged alert are absent.

    Args:
        session: A session.
        rule_id: Only this rule's.
        since: Only alerts raised from then on, UTC.
    """
    alerts_of = _judged_alerts(rule_id, since)
    found: dict[str, Judged] = {}
    states = select(alerts_of.c.rule_id, alerts_of.c.state, func.count())
    for rule, state, number in session.exec(
        states.group_by(alerts_of.c.rule_id, alerts_of.c.state)
    ):
        before = found.get(rule, Judged())
        confirmed = state == AlertState.CONFIRMED
        found[rule] = Judged(
            confirmed=before.confirmed + number * confirmed,
            false=before.false + number * (not confirmed),
        )
    whys = (
        select(alerts_of.c.rule_id, AlertReason.reason, func.count())
        .join(AlertReason, col(AlertReason.alert_id) == alerts_of.c.id)
        .group_by(alerts_of.c.rule_id, AlertReason.reason)
        .order_by(func.count().desc(), AlertReason.reason)
    )
    for rule, reason, number in session.exec(whys):
        known = found[rule]
        found[rule] = Judged(
            confirmed=known.confirmed,
            false=known.false,
            reasons={**known.reasons, reason: number},
        )
    return found


def _judged_alerts(rule_id: str | None, since: datetime | None) -> Subquery:
    query = (
        select(Alert.id, Alert.state, ViolationRow.rule_id)
        .join(ViolationRow, col(ViolationRow.id) == col(Alert.violation_id))
        .where(
            col(Alert.state).in_((AlertState.CONFIRMED, AlertState.FALSE_POSITIVE)),
            col(Alert.id).not_in(select(AlertMerge.alert_id)),
        )
    )
    if rule_id is not None:
        query = query.where(ViolationRow.rule_id == rule_id)
    if since is not None:
        query = query.where(col(Alert.raised_at) >= since)
    return query.subquery()


def require_some(alert_ids: Collection[str]) -> None:
    """Refuse no alerts, and too many.

    Raises:
        IncidentError: Either.
    """
    if not 1 <= len(alert_ids) <= MOST_ALERTS:
        raise IncidentError(
            "incident.alerts", "name one alert at least and {most} at most", most=MOST_ALERTS
        )


def _merge_one(session: Session, into: Alert, alert: Alert, *, by: str, at: datetime) -> None:
    for each in (alert.id, *merged_into(session, alert.id)):
        row = AlertMerge(alert_id=each, into_id=into.id, merged_at=at, merged_by=by)
        session.merge(row)
    session.flush()
    if alert.state == AlertState.RAISED:
        alerts.acknowledge(session, alert.id, by=by, at=at)
    if into.state in {AlertState.CONFIRMED, AlertState.FALSE_POSITIVE} and (
        alert.state in OPEN_STATES
    ):
        verdict: Verdict = (
            AlertState.CONFIRMED
            if into.state == AlertState.CONFIRMED
            else AlertState.FALSE_POSITIVE
        )
        alerts.decide(session, alert.id, verdict=verdict, by=by, at=at)
    detail = {"into": into.id}
    audit.record(session, actor=by, action="alert.merge", subject=alert.id, at=at, detail=detail)
