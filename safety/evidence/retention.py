"""Deletes evidence and audit entries whose time has come, and makes room where there is none."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import structlog
from sqlmodel import Session

from safety.config import Settings
from safety.evidence.files import inside
from safety.store import audit, evidence_keeping
from safety.store.database import Database
from safety.store.tables import Evidence

log = structlog.get_logger(__name__)

GB: Final = 1_000_000_000
LOW: Final = 0.9
"""Share of its room from which on evidence that cannot be deleted is reported."""

COPIES: Final = (".faces", ".bodies")
"""What blurred copies have in their names, before the suffix."""

State = Literal["ok", "low", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be kept.

    Attributes:
        keep: How long evidence stays after it was settled.
        audit: How long the audit trail stays.
        most_bytes: How much evidence may hold.
        reserve_bytes: What must be left free on the disk.
    """

    keep: timedelta
    audit: timedelta
    most_bytes: int
    reserve_bytes: int

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """As this process was told."""
        return cls(
            keep=timedelta(days=settings.evidence_days),
            audit=timedelta(days=settings.audit_years * 365.25),
            most_bytes=round(settings.evidence_gb * GB),
            reserve_bytes=round(settings.disk_reserve_gb * GB),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How things stand after a sweep.

    Attributes:
        used_bytes, most_bytes: What evidence holds and may hold.
        free_bytes: What is free on its disk.
        deleted: How many files this sweep deleted.
    """

    state: State
    used_bytes: int
    most_bytes: int
    free_bytes: int
    deleted: int = 0


def sweep(database: Database, directory: Path, limits: Limits, *, now: datetime) -> Room:
    """Delete what is past its time, then the oldest until there is room.

    Nothing that is open or held is touched, however little room there is.

    Args:
        directory: Where evidence lies.
        now: UTC.

    Raises:
        StoreUnavailable: The record cannot be read or written; call again later.
    """
    _finish(database, directory)
    gone = _delete(database, directory, now=now, before=now - limits.keep, bytes_wanted=None)
    wanted = _lacking(database, directory, limits)
    if wanted > 0:
        wanted -= _drop_copies(directory)
    if wanted > 0:
        gone += _delete(database, directory, now=now, before=None, bytes_wanted=wanted)
    with database.transaction() as session:
        audit.prune(session, before=now - limits.audit, at=now)
    return _room(database, directory, limits, gone)


def _delete(
    database: Database,
    directory: Path,
    *,
    now: datetime,
    before: datetime | None,
    bytes_wanted: int | None,
) -> int:
    """Delete what was settled before a time, or the oldest until so many bytes are free."""
    gone, freed, after = 0, 0, None
    reason = "age" if bytes_wanted is None else "space"
    while bytes_wanted is None or freed < bytes_wanted:
        with database.reading() as session:
            page = evidence_keeping.oldest(session, after)
            chosen = _chosen(session, page, before, bytes_wanted and bytes_wanted - freed)
        if not page or (before and page[0].ended_at and page[0].ended_at >= before):
            break  # What was recorded since cannot have been settled before.
        after = (page[-1].ended_at or now, page[-1].id)
        if not chosen:
            continue
        with database.transaction() as session:
            going = evidence_keeping.begin_deleting(
                session, chosen, before=before, reason=reason, at=now
            )
        _unlink(database, directory, going)
        gone += len(going)
        freed += sum(row.size_bytes or 0 for row in going)
    return gone


def _chosen(
    session: Session,
    page: Sequence[Evidence],
    before: datetime | None,
    bytes_wanted: int | None,
) -> list[str]:
    chosen, freed = [], 0
    for each in evidence_keeping.standings(session, page):
        if bytes_wanted is not None and freed >= bytes_wanted:
            break
        if each.settled_at is None or each.held or (before and each.settled_at >= before):
            continue
        chosen.append(each.row.id)
        freed += each.row.size_bytes or 0
    return chosen


def _finish(database: Database, directory: Path) -> None:
    """Delete what an earlier sweep had begun to delete."""
    with database.reading() as session:
        left = evidence_keeping.half_deleted(session)
    _unlink(database, directory, left)


def _unlink(database: Database, directory: Path, rows: Sequence[Evidence]) -> None:
    done = []
    for row in rows:
        try:
            for path in files_of(directory, row):
                path.unlink(missing_ok=True)
        except OSError as error:
            # It stays marked; the next sweep tries again.
            log.error("evidence_not_deleted", evidence=row.id, why=str(error))
            continue
        done.append(row.id)
    if done:
        with database.transaction() as session:
            evidence_keeping.deleted(session, done)


def files_of(directory: Path, row: Evidence) -> list[Path]:
    """A file of evidence with its sidecar and its blurred copies, there or not."""
    path = inside(directory, row.path)
    if path is None:
        return []
    copies = [path.with_name(f"{path.stem}{copy}{path.suffix}") for copy in COPIES]
    return [*copies, path.with_suffix(".json"), path] if row.kind == "clip" else [*copies, path]


def _drop_copies(directory: Path) -> int:
    """Delete all blurred copies: they can be made again; the bytes that this frees."""
    freed = 0
    for copy in COPIES:
        for path in directory.glob(f"*/*/*/*{copy}.*"):
            size = path.stat().st_size
            path.unlink(missing_ok=True)
            freed += size
    return freed


def _lacking(database: Database, directory: Path, limits: Limits) -> int:
    with database.reading() as session:
        used = evidence_keeping.bytes_kept(session)
    return max(used - limits.most_bytes, limits.reserve_bytes - _free(directory))


def _free(directory: Path) -> int:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return shutil.disk_usage(directory).free


def _room(database: Database, directory: Path, limits: Limits, deleted: int) -> Room:
    with database.reading() as session:
        used = evidence_keeping.bytes_kept(session)
        low = used >= LOW * limits.most_bytes
    free = _free(directory)
    full = used > limits.most_bytes or free < limits.reserve_bytes
    return Room(
        state="full" if full else "low" if low else "ok",
        used_bytes=used,
        most_bytes=limits.most_bytes,
        free_bytes=free,
        deleted=deleted,
    )
