"""Alerts that became an incident."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from safety.incidents.incident_entry import IncidentEntry
from safety.store import alerts, incidents
from safety.store.alerts import OPEN_STATES, AlertState
from safety.store.incident_judging import merged_into, require_some
from safety.store.incident_tables import Incident, IncidentAlert
from safety.store.incidents import Origin
from safety.store.refusals import Conflict, NotFound
from safety.store.tables import ViolationRow


def open_incident(
    session: Session, alert_ids: Sequence[str], entry: IncidentEntry, *, by: str, at: datetime
) -> Incident:
    """Turn alerts into an incident; those that nobody judged are confirmed by it.

    Raises:
        NotFound: One of the alerts is not there.
        Conflict: One of them is another incident's, or a false alarm.
        IncidentError: Something in the entry cannot be kept.
    """
    require_some(alert_ids)
    first = alerts.get(session, alert_ids[0])
    seen = session.get(ViolationRow, first.violation_id) if first.violation_id else None
    origin = Origin(
        zone_id=seen.zone_id if seen else None,
        camera_id=first.camera_id,
        rule_id=seen.rule_id if seen else None,
        alert_ids=alert_ids,
    )
    incident = incidents.add(session, entry, by=by, at=at, origin=origin)
    _link(session, incident, alert_ids, by=by, at=at)
    return incident


def link(
    session: Session,
    incident_id: str,
    alert_ids: Collection[str],
    *,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> Incident:
    """Add alerts to an incident; those that nobody judged are confirmed by it.

    Raises:
        NotFound: The incident or one of the alerts is not there.
        Conflict: It is closed or has changed, or an alert is another incident's or false.
    """
    require_some(alert_ids)
    incident = incidents.locked(session, incident_id, expected_version)
    _link(session, incident, alert_ids, by=by, at=at)
    detail = {"linked": sorted(alert_ids)}
    incidents.moved(session, incident, "incident.link", by=by, at=at, detail=detail)
    return incident


def linked(session: Session, incident_id: str) -> Sequence[str]:
    """Ids of an incident's alerts, in the order they were linked."""
    query = select(IncidentAlert.alert_id).where(IncidentAlert.incident_id == incident_id)
    return session.exec(query.order_by(col(IncidentAlert.linked_at), IncidentAlert.alert_id)).all()


def of_alert(session: Session, alert_id: str) -> str | None:
    """The incident that an alert belongs to."""
    row = session.get(IncidentAlert, alert_id)
    return row.incident_id if row else None


def _link(
    session: Session, incident: Incident, alert_ids: Collection[str], *, by: str, at: datetime
) -> None:
    wanted = dict.fromkeys(alert_ids)
    for alert_id in tuple(wanted):
        wanted |= dict.fromkeys(merged_into(session, alert_id))
    for alert_id in wanted:
        alert = alerts.get(session, alert_id)
        if of_alert(session, alert_id) == incident.id:
            continue
        if of_alert(session, alert_id) or alert.state == AlertState.FALSE_POSITIVE:
            raise Conflict(
                "incident.alert_taken",
                "an alert that is a false alarm or belongs to another incident cannot be added",
            )
        if alert.state in OPEN_STATES:
            alerts.decide(session, alert_id, verdict=AlertState.CONFIRMED, by=by, at=at)
        session.add(
            IncidentAlert(alert_id=alert_id, incident_id=incident.id, linked_at=at, linked_by=by)
        )
        session.flush()


def unlink(
    session: Session,
    incident_id: str,
    alert_id: str,
    *,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> Incident:
    """Take an alert out of an incident; how it was judged stays.

    Raises:
        NotFound: The incident is not there, or the alert is not its own.
        Conflict: It is closed or has changed.
    """
    incident = incidents.locked(session, incident_id, expected_version)
    row = session.get(IncidentAlert, alert_id)
    if row is None or row.incident_id != incident_id:
        raise NotFound("alert", alert_id)
    session.delete(row)
    session.flush()
    detail = {"unlinked": alert_id}
    incidents.moved(session, incident, "incident.link", by=by, at=at, detail=detail)
    return incident


def counts(session: Session, incident_ids: Sequence[str]) -> dict[str, int]:
    """How many alerts incidents have, by incident id; those without any are absent."""
    query = (
        select(IncidentAlert.incident_id, func.count())
        .where(col(IncidentAlert.incident_id).in_(incident_ids))
        .group_by(IncidentAlert.incident_id)
    )
    return dict(session.exec(query).all())
