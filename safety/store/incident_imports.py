"""Files of accidents: looked at first, and taken over when somebody has seen what is in them."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from sqlmodel import Session, col, delete, select

from safety.incidents.accident_entry import AccidentEntry, as_texts, read_entry
from safety.incidents.accident_files import Accidents
from safety.incidents.texts import cleaned
from safety.store import accidents, audit
from safety.store.incident_tables import AccidentImport
from safety.store.refusals import Conflict, NotFound

CHECKED, IMPORTED = "checked", "imported"

KEPT: Final = timedelta(days=1)
"""How long a file that was looked at and not taken over is kept."""

MOST_PROBLEMS: Final = 200
"""More are counted, not listed."""


def check(
    session: Session, found: Accidents, data: bytes, *, filename: str, by: str, at: datetime
) -> AccidentImport:
    """Keep what was found in a file until somebody takes it over; nothing counts yet.

    Args:
        session: The open transaction.
        found: What is in it.
        data: The file.
        filename: As it was sent; for people only.
        by: Who.
        at: UTC.
    """
    stale = delete(AccidentImport).where(
        col(AccidentImport.state) == CHECKED, col(AccidentImport.created_at) < at - KEPT
    )
    session.exec(stale)
    known = accidents.known(session, [line.entry for line in found.lines])
    seen: Counter[accidents.Identity] = Counter()
    rows = []
    for line in found.lines:
        identity = accidents.identity(line.entry)
        seen[identity] += 1
        double = "record" if identity in known else "file" if seen[identity] > 1 else ""
        rows.append({"line": line.number, "double": double, "values": as_texts(line.entry)})
    problems = [
        {
            "line": each.line,
            "column": each.column,
            "key": each.error.key,
            "params": dict(each.error.params),
        }
        for each in found.problems[:MOST_PROBLEMS]
    ]
    row = AccidentImport(
        id=uuid4().hex,
        filename=cleaned(filename)[:120],
        sha256=hashlib.sha256(data).hexdigest(),
        state=CHECKED,
        rows=rows,
        problems=problems,
        created_at=at,
        created_by=by,
    )
    session.add(row)
    session.flush()
    return row


def apply(
    session: Session,
    import_id: str,
    *,
    today: date,
    by: str,
    at: datetime,
    doubles: bool = False,
) -> AccidentImport:
    """Take over the accidents of a file, all in this transaction.

    Args:
        session: The open transaction.
        import_id: What ``check`` made.
        today: The site's date.
        by: Who.
        at: UTC.
        doubles: Whether those that seem to be on record, or twice in the file, are taken too.

    Raises:
        NotFound: There is no such import (any more).
        Conflict: It was taken over already.
    """
    row = session.get(AccidentImport, import_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("import", import_id)
    if row.state != CHECKED:
        raise Conflict("accident.imported", "this file was imported already")
    entries = _entries(row, today, doubles=doubles)
    # Somebody may have entered one of them since the file was looked at.
    known = {} if doubles else accidents.known(session, entries)
    wanted = [entry for entry in entries if accidents.identity(entry) not in known]
    for entry in wanted:
        accidents.add(session, entry, by=by, at=at, import_id=row.id)
    row.state, row.imported, row.rows = IMPORTED, len(wanted), []
    row.imported_at, row.imported_by = at, by
    session.flush()
    detail = {"file": row.filename, "sha256": row.sha256, "accidents": len(wanted)}
    audit.record(session, actor=by, action="accident.import", subject=row.id, at=at, detail=detail)
    return row


def get(session: Session, import_id: str) -> AccidentImport:
    """One import.

    Raises:
        NotFound: There is none (any more).
    """
    row = session.get(AccidentImport, import_id)
    if row is None:
        raise NotFound("import", import_id)
    return row


def recent(session: Session, *, limit: int = 20) -> Sequence[AccidentImport]:
    """What was imported, newest first."""
    query = select(AccidentImport).where(AccidentImport.state == IMPORTED)
    newest_first = col(AccidentImport.imported_at).desc(), col(AccidentImport.id)
    return session.exec(query.order_by(*newest_first).limit(limit)).all()


def _entries(row: AccidentImport, today: date, *, doubles: bool) -> list[AccidentEntry]:
    wanted: list[dict[str, Any]] = [each for each in row.rows if doubles or not each["double"]]
    readings = [read_entry(each["values"], today=today) for each in wanted]
    return [reading.entry for reading in readings if reading.entry is not None]
