"""Which files show which violation; the files themselves lie in the evidence directory."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import func
from sqlmodel import Session, col, select

from safety.store import audit
from safety.store.refusals import NotFound
from safety.store.tables import Evidence
from safety.store.upsert import insert_new

READY, FAILED = "ready", "failed"

STORED = "evidence.stored"
"""The action by which the audit trail holds the hashes of a file."""

ASKED = "no_answer"
"""Why there is no file yet of a camera that was asked for one; stays if it never answers."""


def ready(
    session: Session,
    *,
    violation_id: str,
    kind: str,
    path: str,
    sha256: str,
    size_bytes: int,
    started_at: datetime,
    ended_at: datetime,
    sidecar_sha256: str | None = None,
    at: datetime,
    other_camera: str = "",
) -> Evidence:
    """A file is complete on disk; the first complete one of a kind and camera stays.

    Its hashes go into the audit trail, so that nobody can change file and row unnoticed.

    Args:
        session: The open transaction.
        violation_id: What it shows; the violation need not be on record yet.
        kind: ``clip`` or ``picture``.
        path: Relative to the evidence directory.
        sha256: Of the file, hexadecimal.
        size_bytes: Of the file.
        started_at, ended_at: UTC times of its first and last frame.
        sidecar_sha256: Of the file beside it that says what it was made from, if it has one.
        at: UTC, for the audit trail.
        other_camera: The camera that made it, if it is not the one that found the violation.
    """
    row = _place(session, violation_id, kind, other_camera)
    # What was deleted meanwhile stays deleted, however late this is said again.
    if row.state == FAILED:
        row.state, row.reason = READY, None
        row.path, row.sha256, row.size_bytes = path, sha256, size_bytes
        row.sidecar_sha256 = sidecar_sha256
        row.started_at, row.ended_at = started_at, ended_at
        session.flush()
        detail = {
            "evidence": row.id,
            "kind": kind,
            "camera": other_camera or None,
            "path": path,
            "sha256": sha256,
            "sidecar_sha256": sidecar_sha256,
        }
        audit.record(
            session,
            actor="anjeon",
            action=STORED,
            subject=violation_id,
            at=at,
            detail=detail,
        )
    return row


def failed(
    session: Session, *, violation_id: str, kind: str, reason: str, other_camera: str = ""
) -> Evidence:
    """A file could not be made, and why; a file that exists already stays."""
    row = _place(session, violation_id, kind, other_camera)
    if row.state == FAILED:
        row.reason = reason
        session.flush()
    return row


def get(session: Session, evidence_id: str) -> Evidence:
    """One file's row.

    Raises:
        NotFound: There is none.
    """
    row = session.get(Evidence, evidence_id)
    if row is None:
        raise NotFound("evidence", evidence_id)
    return row


def of_violation(session: Session, violation_id: str) -> Sequence[Evidence]:
    """The files of one violation, by kind; those of the camera that found it come first."""
    query = select(Evidence).where(Evidence.violation_id == violation_id)
    return session.exec(query.order_by(Evidence.kind, Evidence.other_camera)).all()


def of_violations(
    session: Session, violation_ids: Sequence[str], *, kind: str
) -> dict[str, Evidence]:
    """The ready files of one kind for many violations at once, by violation id.

    Those of the camera that found the violation.
    """
    query = select(Evidence).where(
        col(Evidence.violation_id).in_(violation_ids),
        Evidence.kind == kind,
        Evidence.other_camera == "",
        Evidence.state == READY,
    )
    return {row.violation_id: row for row in session.exec(query)}


def ready_of_violations(
    session: Session, violation_ids: Sequence[str]
) -> dict[str, list[Evidence]]:
    """All files of many violations that are there, by violation id.

    Those of the camera that found the violation come first, of each camera the picture.
    """
    query = select(Evidence).where(
        col(Evidence.violation_id).in_(violation_ids), Evidence.state == READY
    )
    files: dict[str, list[Evidence]] = {}
    for row in session.exec(query.order_by(col(Evidence.other_camera), col(Evidence.kind).desc())):
        files.setdefault(row.violation_id, []).append(row)
    return files


def by_id(session: Session, ids: Collection[str]) -> dict[str, Evidence]:
    """Those of these rows that there are."""
    return {row.id: row for row in session.exec(select(Evidence).where(col(Evidence.id).in_(ids)))}


def on_record(session: Session, folder: str) -> set[str]:
    """Paths of all files that are, or were, in a folder of the evidence directory."""
    query = select(Evidence.path).where(col(Evidence.path).startswith(f"{folder}/"))
    return {path for path in session.exec(query) if path is not None}


def count_ready(session: Session) -> int:
    """How many files there are."""
    return session.exec(select(func.count()).where(Evidence.state == READY)).one()


def page_of_ready(session: Session, *, after: str = "", limit: int = 500) -> Sequence[Evidence]:
    """Files that are there, by id; ``after`` is the id of the last one of the page before."""
    query = select(Evidence).where(Evidence.state == READY, col(Evidence.id) > after)
    return session.exec(query.order_by(col(Evidence.id)).limit(limit)).all()


def _place(session: Session, violation_id: str, kind: str, other_camera: str) -> Evidence:
    new = Evidence(
        id=uuid4().hex,
        violation_id=violation_id,
        kind=kind,
        other_camera=other_camera,
        state=FAILED,
    )
    insert_new(session, new)
    query = select(Evidence).where(
        Evidence.violation_id == violation_id,
        Evidence.kind == kind,
        Evidence.other_camera == other_camera,
    )
    return session.exec(query.with_for_update().execution_options(populate_existing=True)).one()
