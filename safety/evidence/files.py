"""Whether the files of evidence are still those that were made.

The audit trail holds the hashes of every file, and which files were deleted because their time
had come; whoever changes a file and its row in the database does not get past it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlmodel import Session

from safety.store import audit, evidence, evidence_keeping
from safety.store.database import Database
from safety.store.tables import Audit, Evidence

_CHUNK = 1 << 20
_PAGE = 500

State = Literal["sound", "deleted", "changed", "missing", "unreadable"]
"""``deleted``: as the audit trail says; the last three are what must not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSeen:
    """A file of evidence, and what has become of it.

    Attributes:
        path: Relative to the evidence directory.
    """

    state: State
    evidence_id: str
    path: str

    @property
    def well(self) -> bool:
        """Whether it is as it should be."""
        return self.state in {"sound", "deleted"}


def inside(directory: Path, relative: str | None) -> Path | None:
    """A path of our own record; None if there is none, or it leads elsewhere."""
    if relative is None:
        return None
    directory = directory.resolve()
    # Even a wrong path must not lead out of the directory.
    path = (directory / relative).resolve()
    return path if path.is_relative_to(directory) else None


def place(directory: Path, row: Evidence) -> Path | None:
    """Where a piece of evidence lies; None if it has no file."""
    return inside(directory, row.path) if row.state == evidence.READY else None


def count_files(database: Database) -> int:
    """How many ``check_files`` will look at, about.

    Raises:
        StoreUnavailable: The record cannot be read.
    """
    with database.reading() as session:
        return max(audit.count(session, evidence.STORED), evidence.count_ready(session))


def check_files(database: Database, directory: Path) -> Iterator[FileSeen]:
    """Compare every file with the hashes in the audit trail.

    Files from before hashes were kept there are compared with those in their rows.

    Raises:
        StoreUnavailable: The record cannot be read.
    """
    with database.reading() as session:
        deleted = evidence_keeping.deleted_paths(session)
    last = 0
    while True:
        with database.reading() as session:
            entries = audit.after(session, action=evidence.STORED, after=last, limit=_PAGE)
            rows = evidence.by_id(session, [str(each.detail["evidence"]) for each in entries])
        if not entries:
            break
        for entry in entries:
            yield _by_entry(directory, entry, rows, deleted)
        last = entries[-1].id or 0
    yield from _without_entry(database, directory)


def _by_entry(
    directory: Path, entry: Audit, rows: dict[str, Evidence], deleted: set[str]
) -> FileSeen:
    said = entry.detail
    evidence_id, relative = str(said["evidence"]), str(said["path"])
    state = _state(inside(directory, relative), said["sha256"], said["sidecar_sha256"])
    if state == "missing" and relative in deleted:
        state = "deleted"
    row = rows.get(evidence_id)
    if state == "sound" and (row is None or (row.path, row.sha256) != (relative, said["sha256"])):
        state = "changed"
    return FileSeen(state=state, evidence_id=evidence_id, path=relative)


def _without_entry(database: Database, directory: Path) -> Iterator[FileSeen]:
    last = ""
    while True:
        with database.reading() as session:
            page = evidence.page_of_ready(session, after=last)
            entered = _entered(session, page)
        if not page:
            return
        for row in page:
            if row.id not in entered:
                state = _state(place(directory, row), row.sha256, row.sidecar_sha256)
                yield FileSeen(state=state, evidence_id=row.id, path=row.path or "")
        last = page[-1].id


def _entered(session: Session, rows: Sequence[Evidence]) -> set[str]:
    """Which of these the audit trail holds."""
    subjects = {row.violation_id for row in rows}
    entries = audit.about(session, action=evidence.STORED, subjects=subjects)
    return {str(entry.detail["evidence"]) for entry in entries}


def _state(path: Path | None, sha256: str | None, sidecar_sha256: str | None) -> State:
    if path is None or not path.is_file():
        return "missing"
    sidecar = path.with_suffix(".json")
    if sidecar_sha256 is not None and not sidecar.is_file():
        return "missing"
    try:
        same = sha256_of(path) == sha256
        if sidecar_sha256 is not None:
            same = same and sha256_of(sidecar) == sidecar_sha256
    except OSError:
        return "unreadable"
    return "sound" if same else "changed"


def sha256_of(path: Path) -> str:
    """A file's SHA-256, hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
