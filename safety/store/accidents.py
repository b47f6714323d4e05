"""Accidents on record: entered or imported by people, never deleted, each change audited."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlmodel import Session, and_, col, or_, select

from safety.incidents.accident_entry import COLUMNS, AccidentEntry
from safety.incidents.deadlines import is_serious, needs_form
from safety.incidents.texts import checked
from safety.incidents.types import Representative
from safety.store import audit
from safety.store.incident_tables import Accident, Incident
from safety.store.refusals import Conflict, NotFound

Identity = tuple[str, ...]
"""What makes two entries the same accident: a reference, or day, time, kind, group and place."""


def list_accidents(session: Session, start: date, end: date) -> Sequence[Accident]:
    """Every accident that counts, oldest first.

    Args:
        session: A session.
        start: First day, by the site's calendar.
        end: The day after the last one.
    """
    query = select(Accident).where(
        Accident.occurred_on >= start, Accident.occurred_on < end, col(Accident.voided_at).is_(None)
    )
    return session.exec(query.order_by(col(Accident.occurred_on), col(Accident.id))).all()


def page(
    session: Session,
    *,
    start: date | None = None,
    end: date | None = None,
    incident_id: str | None = None,
    void: bool = False,
    before: str | None = None,
    limit: int = 50,
) -> Sequence[Accident]:
    """Accidents, newest first; ``before`` is the id of the last one of the page before.

    Args:
        session: A session.
        start, end: First day, and the day after the last one.
        incident_id: Only those of one incident.
        void: Whether those that were declared void are shown.
        before: Where the page begins.
        limit: How many at most.

    Raises:
        NotFound: ``before`` names none.
    """
    query = select(Accident)
    if start is not None:
        query = query.where(Accident.occurred_on >= start)
    if end is not None:
        query = query.where(Accident.occurred_on < end)
    if incident_id is not None:
        query = query.where(Accident.incident_id == incident_id)
    if not void:
        query = query.where(col(Accident.voided_at).is_(None))
    if before is not None:
        last = get(session, before)
        same_day = and_(Accident.occurred_on == last.occurred_on, col(Accident.id) < last.id)
        query = query.where(or_(col(Accident.occurred_on) < last.occurred_on, same_day))
    newest_first = col(Accident.occurred_on).desc(), col(Accident.id).desc()
    return session.exec(query.order_by(*newest_first).limit(limit)).all()


def get(session: Session, accident_id: str) -> Accident:
    """One accident.

    Raises:
        NotFound: There is none.
    """
    row = session.get(Accident, accident_id)
    if row is None:
        raise NotFound("accident", accident_id)
    return row


def add(
    session: Session,
    entry: AccidentEntry,
    *,
    by: str,
    at: datetime,
    incident_id: str | None = None,
    import_id: str | None = None,
) -> Accident:
    """Put an accident on record.

    Raises:
        NotFound: There is no such incident.
    """
    _require_incident(session, incident_id)
    row = Accident(
        id=uuid4().hex,
        incident_id=incident_id,
        import_id=import_id,
        created_at=at,
        created_by=by,
        **asdict(entry),
    )
    session.add(row)
    session.flush()
    detail = {"entered": _json(entry), "incident": incident_id, "import": import_id}
    audit.record(session, actor=by, action="accident.add", subject=row.id, at=at, detail=detail)
    return row


def change(
    session: Session,
    accident_id: str,
    entry: AccidentEntry,
    *,
    by: str,
    at: datetime,
    incident_id: str | None = None,
    expected_version: int | None = None,
) -> Accident:
    """Correct an accident; what was there before goes into the audit trail.

    Raises:
        NotFound: There is no such accident, or incident.
        Conflict: It is void, or no longer at ``expected_version``.
    """
    row = _locked(session, accident_id, expected_version)
    _require_incident(session, incident_id)
    before = {name: getattr(row, name) for name in COLUMNS} | {"incident_id": row.incident_id}
    wanted = asdict(entry) | {"incident_id": incident_id}
    changed = {name: value for name, value in wanted.items() if before[name] != value}
    if not changed:
        return row
    for name, value in changed.items():
        setattr(row, name, value)
    detail = {
        name: {"before": _plain(before[name]), "after": _plain(value)}
        for name, value in changed.items()
    }
    _moved(session, row, "accident.change", by=by, at=at, detail=detail)
    return row


def void(
    session: Session,
    accident_id: str,
    *,
    reason: str,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> Accident:
    """Declare an accident void: it was entered by mistake. It stays readable and counts nowhere.

    Raises:
        NotFound: There is no such accident.
        Conflict: It is void already, or no longer at ``expected_version``.
        IncidentError: No reason.
    """
    row = _locked(session, accident_id, expected_version)
    row.void_reason = checked(reason, "accident.void_reason", least=1, most=500)
    row.voided_at, row.voided_by = at, by
    _moved(session, row, "accident.void", by=by, at=at, detail={"reason": row.void_reason})
    return row


def report(
    session: Session,
    accident_id: str,
    *,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> Accident:
    """A serious accident was reported to the authority at once.

    Raises:
        NotFound: There is no such accident.
        Conflict: It is not serious, was reported, is void, or has changed.
    """
    row = _locked(session, accident_id, expected_version)
    if not is_serious(row) or row.reported_at is not None:
        raise Conflict("accident.no_report", "there is nothing to report of this accident")
    row.reported_at, row.reported_by = at, by
    _moved(session, row, "accident.report", by=by, at=at)
    return row


def submit(
    session: Session,
    accident_id: str,
    *,
    representative: Representative,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> Accident:
    """Form 30 was handed in.

    Raises:
        NotFound: There is no such accident.
        Conflict: None is due, it was handed in, the accident is void, or has changed.
    """
    row = _locked(session, accident_id, expected_version)
    if not needs_form(row) or row.submitted_at is not None:
        raise Conflict("accident.no_form", "no form is due for this accident")
    row.submitted_at, row.submitted_by = at, by
    row.representative = representative.value
    detail = {"representative": representative.value}
    _moved(session, row, "accident.submit", by=by, at=at, detail=detail)
    return row


def unsubmitted(session: Session) -> Sequence[Accident]:
    """Accidents whose form is due and was not handed in, oldest first."""
    query = select(Accident).where(
        col(Accident.voided_at).is_(None),
        col(Accident.submitted_at).is_(None),
        or_(col(Accident.deaths) > 0, col(Accident.lost_days) > 0),
    )
    rows = session.exec(query.order_by(col(Accident.occurred_on), col(Accident.id)))
    return [row for row in rows if needs_form(row)]


def identity(accident: Accident | AccidentEntry) -> Identity:
    """The same for two entries of the same accident."""
    if accident.reference:
        return ("reference", accident.reference.casefold())
    return (
        accident.occurred_on.isoformat(),
        accident.occurred_time or "",
        str(accident.kind),
        str(accident.worker_group),
        " ".join(accident.place.casefold().split()),
    )


def known(session: Session, entries: Iterable[AccidentEntry]) -> dict[Identity, str]:
    """Which of these accidents are on record already: identity → id."""
    days = [entry.occurred_on for entry in entries]
    if not days:
        return {}
    query = select(Accident).where(
        col(Accident.voided_at).is_(None),
        or_(
            and_(col(Accident.occurred_on) >= min(days), col(Accident.occurred_on) <= max(days)),
            Accident.reference != "",
        ),
    )
    return {identity(row): row.id for row in session.exec(query)}


def entry_of(accident: Accident) -> AccidentEntry:
    """What was entered of an accident."""
    return AccidentEntry(**{name: getattr(accident, name) for name in COLUMNS})


def _require_incident(session: Session, incident_id: str | None) -> None:
    if incident_id is not None and session.get(Incident, incident_id) is None:
        raise NotFound("incident", incident_id)


def _locked(session: Session, accident_id: str, expected_version: int | None) -> Accident:
    row = session.get(Accident, accident_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("accident", accident_id)
    if expected_version not in {None, row.version}:
        raise Conflict(
            "incident.changed", "somebody changed this in the meantime; look at it again"
        )
    if row.voided_at is not None:
        raise Conflict("accident.is_void", "this accident is void and cannot be changed")
    return row


def _moved(
    session: Session,
    row: Accident,
    action: str,
    *,
    by: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    row.version += 1
    session.flush()
    audit.record(session, actor=by, action=action, subject=row.id, at=at, detail=detail)


def _json(entry: AccidentEntry) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(entry).items() if value not in {"", None}}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
