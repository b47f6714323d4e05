"""What section I of Form 30 says of the workplace."""

from dataclasses import asdict
from datetime import datetime

from sqlmodel import Session

from safety.incidents.form30 import WorkplaceEntry, checked_workplace
from safety.incidents.types import WorkerGroup
from safety.store import audit
from safety.store.incident_tables import Workplace
from safety.store.refusals import Conflict
from safety.store.upsert import insert_new


def read(session: Session) -> tuple[WorkplaceEntry, int]:
    """The entry and its version; an empty one and 0 before anybody said anything."""
    row = session.get(Workplace, 1)
    if row is None:
        return WorkplaceEntry(), 0
    values = {name: getattr(row, name) for name in WorkplaceEntry.__dataclass_fields__}
    return WorkplaceEntry(**values | {"relation": WorkerGroup(row.relation)}), row.version


def save(
    session: Session,
    entry: WorkplaceEntry,
    *,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> int:
    """Replace the entry; returns its new version.

    Raises:
        Conflict: It is no longer at ``expected_version``.
        IncidentError: Something in it cannot be kept.
    """
    wanted = checked_workplace(entry)
    insert_new(session, Workplace(id=1, version=0))
    row = session.get_one(Workplace, 1, with_for_update=True, populate_existing=True)
    if expected_version not in {None, row.version}:
        raise Conflict(
            "incident.changed", "somebody changed this in the meantime; look at it again"
        )
    for name, value in asdict(wanted).items():
        setattr(row, name, value)
    row.version += 1
    session.flush()
    audit.record(session, actor=by, action="workplace.change", subject="workplace", at=at)
    return row.version
