"""Which evidence may be deleted: never what is open or held."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, tuple_
from sqlmodel import Session, col, select

from safety.store import audit
from safety.store.alerts import OPEN_STATES
from safety.store.evidence import READY
from safety.store.evidence_tables import LegalHold
from safety.store.incident_tables import Incident, IncidentAlert
from safety.store.incidents import OPEN_STATES as OPEN_INCIDENTS
from safety.store.tables import Alert, Evidence, ViolationRow
from safety.store.violations import SAME_AS

DELETING, DELETED = "deleting", "deleted"
GONE = frozenset({DELETING, DELETED})
"""States of files that are there no more, because their time had come."""

DELETED_ACTION = "evidence.delete"
"""The action by which the audit trail holds which files were deleted."""

PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One piece of evidence, and what stands against deleting it.

    Attributes:
        settled_at: When the last thing that needed it was over; None: something still needs it,
            or nobody knows what it belongs to yet.
        held: Somebody placed a hold.
    """

    row: Evidence
    settled_at: datetime | None
    held: bool

    @property
    def free(self) -> bool:
        """It may be deleted."""
        return self.settled_at is not None and not self.held


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How much evidence there is of something.

    Attributes:
        deleted: Files whose time had come.
    """

    clips: int
    pictures: int
    size_bytes: int
    deleted: int


def oldest(
    session: Session, after: tuple[datetime, str] | None = None, *, limit: int = PAGE
) -> Sequence[Evidence]:
    """Files that are there, oldest first; ``after`` names the last of the page before."""
    query = select(Evidence).where(Evidence.state == READY)
    if after is not None:
        query = query.where(tuple_(col(Evidence.ended_at), col(Evidence.id)) > tuple_(*after))
    return session.exec(query.order_by(col(Evidence.ended_at), Evidence.id).limit(limit)).all()


def standings(session: Session, rows: Sequence[Evidence]) -> list[Standing]:
    """What stands against deleting these."""
    violations = _violations(session, {row.violation_id for row in rows})
    firsts = {key: str(row.details.get(SAME_AS, key)) for key, row in violations.items()}
    alerts = _alerts(session, {row.violation_id for row in rows} | set(firsts.values()))
    held = _held(session, [each for group in alerts.values() for each in group])
    incidents = _incidents(session, [each.id for group in alerts.values() for each in group])
    found = []
    for row in rows:
        first = firsts.get(row.violation_id, row.violation_id)
        mine = [each for key in {row.violation_id, first} for each in alerts.get(key, ())]
        violation = violations.get(row.violation_id)
        found.append(
            Standing(
                row=row,
                settled_at=_settled_at(violation, mine, incidents),
                held=any(each.id in held for each in mine),
            )
        )
    return found


def begin_deleting(
    session: Session, ids: Collection[str], *, before: datetime | None, reason: str, at: datetime
) -> list[Evidence]:
    """Mark those of these files that may be deleted; the caller deletes what is given back.

    Args:
        session: The open transaction; all is looked at anew in it, under a lock.
        ids: Of evidence.
        before: Only what was settled by then; None: whatever is settled.
        reason: ``age`` or ``space``, for the audit trail.
        at: UTC.
    """
    query = select(Evidence).where(col(Evidence.id).in_(ids), Evidence.state == READY)
    locked = query.order_by(Evidence.id).with_for_update()
    rows = session.exec(locked.execution_options(populate_existing=True)).all()
    going = [
        each.row
        for each in standings(session, rows)
        if each.free and (before is None or (each.settled_at or at) < before)
    ]
    for row in going:
        row.state, row.reason = DELETING, reason
    if going:
        audit.record(
            session,
            actor="anjeon",
            action=DELETED_ACTION,
            subject=reason,
            at=at,
            detail={"files": {row.path: row.sha256 for row in going}},
        )
    return going


def half_deleted(session: Session) -> Sequence[Evidence]:
    """Files whose deletion had begun and is not known to be done."""
    return session.exec(select(Evidence).where(Evidence.state == DELETING)).all()


def deleted(session: Session, ids: Collection[str]) -> None:
    """The files are gone."""
    for row in session.exec(select(Evidence).where(col(Evidence.id).in_(ids))):
        row.state = DELETED
    session.flush()


def deleted_paths(session: Session) -> set[str]:
    """Paths of all files whose deletion is in the audit trail."""
    found: set[str] = set()
    last = 0
    while entries := audit.after(session, action=DELETED_ACTION, after=last, limit=PAGE):
        for entry in entries:
            found.update(entry.detail["files"])
        last = entries[-1].id or 0
    return found


def of_incident(session: Session, incident_id: str) -> Kept:
    """The evidence of an incident's alerts."""
    violation_ids = (
        select(Alert.violation_id)
        .join(IncidentAlert, col(IncidentAlert.alert_id) == col(Alert.id))
        .where(IncidentAlert.incident_id == incident_id)
    )
    query = (
        select(Evidence.state, Evidence.kind, func.count(), func.sum(Evidence.size_bytes))
        .where(col(Evidence.violation_id).in_(violation_ids))
        .group_by(Evidence.state, Evidence.kind)
    )
    found = {(state, kind): (n, size or 0) for state, kind, n, size in session.exec(query)}
    return Kept(
        clips=found.get((READY, "clip"), (0, 0))[0],
        pictures=found.get((READY, "picture"), (0, 0))[0],
        size_bytes=int(sum(size for (state, _), (_, size) in found.items() if state == READY)),
        deleted=sum(n for (state, _), (n, _) in found.items() if state in GONE),
    )


def bytes_kept(session: Session) -> int:
    """How much all files hold together."""
    query = select(func.sum(Evidence.size_bytes)).where(Evidence.state == READY)
    return int(session.exec(query).one() or 0)


def _violations(session: Session, ids: Collection[str]) -> dict[str, ViolationRow]:
    rows = session.exec(select(ViolationRow).where(col(ViolationRow.id).in_(ids)))
    return {row.id: row for row in rows}


def _alerts(session: Session, violation_ids: Collection[str]) -> dict[str, list[Alert]]:
    found: dict[str, list[Alert]] = {}
    for alert in session.exec(select(Alert).where(col(Alert.violation_id).in_(violation_ids))):
        found.setdefault(alert.violation_id or "", []).append(alert)
    return found


def _held(session: Session, alerts: Sequence[Alert]) -> set[str]:
    """Those of these alerts over which there is a hold."""
    query = select(LegalHold).where(col(LegalHold.released_at).is_(None))
    by_alert, by_incident = set(), set()
    for hold in session.exec(query):
        by_alert.add(hold.alert_id)
        by_incident.add(hold.incident_id)
    links = select(IncidentAlert).where(col(IncidentAlert.alert_id).in_([a.id for a in alerts]))
    linked = {row.alert_id for row in session.exec(links) if row.incident_id in by_incident}
    return {
        alert.id
        for alert in alerts
        if alert.id in by_alert
        or (alert.lead_id is not None and alert.lead_id in by_alert)
        or alert.id in linked
    }


def _incidents(session: Session, alert_ids: Collection[str]) -> dict[str, Incident]:
    query = (
        select(IncidentAlert.alert_id, Incident)
        .join(Incident, col(Incident.id) == col(IncidentAlert.incident_id))
        .where(col(IncidentAlert.alert_id).in_(alert_ids))
    )
    return dict(session.exec(query).all())


def _settled_at(
    violation: ViolationRow | None, alerts: Sequence[Alert], incidents: Mapping[str, Incident]
) -> datetime | None:
    """When the last of the alerts, and of their incidents, was over; None: one is not.

    A violation that raised no alert is settled when it is over; of one that is not on record
    (yet) nobody knows.
    """
    if violation is None or violation.closed_at is None:
        return None
    times = [violation.closed_at]
    for alert in alerts:
        if alert.state in OPEN_STATES or alert.decided_at is None:
            return None
        times.append(alert.decided_at)
        incident = incidents.get(alert.id)
        if incident is None:
            continue
        if incident.state in OPEN_INCIDENTS or incident.closed_at is None:
            return None
        times.append(incident.closed_at)
    return max(times)
