"""What the page of an alert says of incidents, and the page of a rule of its precision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlmodel import Session, col, select

from dashboard import inbox
from dashboard.inbox import AlertView
from dashboard.visit import Visit
from safety.kpi.intervals import Interval, share_interval
from safety.store import alerts, incident_alerts, incident_judging, incidents
from safety.store.alerts import AlertState
from safety.store.incident_judging import Judged
from safety.store.incident_tables import AlertMerge, Incident
from safety.store.tables import Alert, ViolationRow

NEAR: Final = timedelta(minutes=30)
"""Alerts of the same rule that lie no further apart are offered for merging."""
MOST_OFFERED: Final = 8
PERIOD: Final = timedelta(days=365)
"""How far back precision looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLinks:
    """What an alert has to do with incidents.

    Attributes:
        reason: Why it was called false; None if nobody said.
        into: The alert that it was merged into.
        merged: Alerts that were merged into it.
        offered: Alerts that may be the same situation.
        open: Incidents that it could be added to, newest first.
    """

    alert: Alert
    incident: Incident | None
    reason: str | None
    into: str | None
    merged: Sequence[AlertView]
    offered: Sequence[AlertView]
    open: Sequence[Incident]


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Of the alerts of a rule that people judged, how many were real.

    Attributes:
        share: None before anything was judged.
        interval: Exact, 95 %.
    """

    judged: Judged
    share: float | None
    interval: Interval


def read_links(visit: Visit, alert_id: str) -> AlertLinks:
    """What an alert has to do with incidents.

    Raises:
        NotFound: There is no such alert.
    """
    with visit.database.reading() as session:
        alert = alerts.get(session, alert_id)
        incident_id = incident_alerts.of_alert(session, alert_id)
        merged = session.get(AlertMerge, alert_id)

        def views(rows: Sequence[Alert]) -> list[AlertView]:
            return inbox.alert_views(session, visit.translate, rows)

        false = alert.state == AlertState.FALSE_POSITIVE
        offered = [] if merged or incident_id or false else _near(session, alert)
        return AlertLinks(
            alert=alert,
            incident=incidents.get(session, incident_id) if incident_id else None,
            reason=incident_judging.reason_of(session, alert_id),
            into=merged.into_id if merged else None,
            merged=views(
                [
                    alerts.get(session, each)
                    for each in incident_judging.merged_into(session, alert_id)
                ]
            ),
            offered=views(offered),
            open=incidents.list_incidents(session, states=incidents.OPEN_STATES, limit=20),
        )


def read_precision(visit: Visit, rule_id: str) -> Precision:
    """The precision of one rule over the last year."""
    since = visit.now - PERIOD
    with visit.database.reading() as session:
        found = incident_judging.judged(session, rule_id=rule_id, since=since)
    return precision(found.get(rule_id, Judged()))


def precision(judged: Judged) -> Precision:
    """Confirmed out of judged, with the exact interval of that share."""
    total = judged.confirmed + judged.false
    return Precision(
        judged=judged,
        share=judged.confirmed / total if total else None,
        interval=share_interval(judged.confirmed, total),
    )


def _near(session: Session, alert: Alert) -> list[Alert]:
    """Other alerts of the same rule about the same time, the nearest ones first."""
    own = session.get(ViolationRow, alert.violation_id) if alert.violation_id else None
    if own is None:
        return []
    query = (
        select(Alert)
        .join(ViolationRow, col(ViolationRow.id) == col(Alert.violation_id))
        .where(
            ViolationRow.rule_id == own.rule_id,
            col(Alert.raised_at) >= alert.raised_at - NEAR,
            col(Alert.raised_at) <= alert.raised_at + NEAR,
            Alert.id != alert.id,
            col(Alert.state).in_((AlertState.RAISED, AlertState.ACKNOWLEDGED, alert.state)),
            col(Alert.id).not_in(select(AlertMerge.alert_id)),
        )
        .limit(50)
    )
    rows = [row for row in session.exec(query) if incident_alerts.of_alert(session, row.id) is None]
    return sorted(rows, key=lambda row: abs(row.raised_at - alert.raised_at))[:MOST_OFFERED]
