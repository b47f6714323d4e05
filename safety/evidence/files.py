"""Whether the files of evidence are still those that were made."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from safety.store import evidence
from safety.store.database import Database
from safety.store.tables import Evidence

_CHUNK = 1 << 20

Fault = Literal["missing", "changed", "unreadable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFinding:
    """A file that is not what the record says.

    Attributes:
        path: Relative to the evidence directory.
    """

    fault: Fault
    evidence_id: str
    path: str


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


def check_files(database: Database, directory: Path) -> Iterator[FileFinding | None]:
    """Compare every file with its hash; gives one finding for each, None for those that are well.

    Raises:
        StoreUnavailable: The record cannot be read.
    """
    last = ""
    while True:
        with database.reading() as session:
            page = evidence.page_of_ready(session, after=last)
        if not page:
            return
        for row in page:
            path = place(directory, row)
            fault = _fault(path, row.sha256)
            if fault is None and path is not None and row.sidecar_sha256 is not None:
                fault = _fault(path.with_suffix(".json"), row.sidecar_sha256)
            yield fault and FileFinding(fault=fault, evidence_id=row.id, path=row.path or "")
        last = page[-1].id


def _fault(path: Path | None, sha256: str | None) -> Fault | None:
    if path is None or not path.is_file():
        return "missing"
    try:
        return None if sha256_of(path) == sha256 else "changed"
    except OSError:
        return "unreadable"


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
