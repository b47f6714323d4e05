"""Files that a crash left behind: what is half is deleted, what is whole is put on record."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from pydantic import AwareDatetime, BaseModel

from cameras.durable import DRAFT
from safety.evidence.files import sha256_of
from safety.evidence.retention import COPIES
from safety.store import audit, evidence
from safety.store.database import Database

log = structlog.get_logger(__name__)

OLD: Final = timedelta(hours=1)
"""What is younger may still be written, or reported by a shard."""

_NAME = re.compile(r"(?P<violation>[0-9a-f]{32})(?:-(?P<camera>[a-z0-9_-]+))?")
_KINDS: Final = {".mp4": "clip", ".jpg": "picture"}
_MOST_NAMED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """What was done: paths relative to the evidence directory."""

    deleted: tuple[str, ...]
    found: tuple[str, ...]


def tidy(database: Database, directory: Path, *, now: datetime) -> Tidied:
    """Go through all evidence once; nothing that is whole is deleted.

    Drafts, sidecars without their clip and blurred copies without their original are deleted.
    Clips and pictures that are complete but not on record are put there, with the audit trail
    saying so, and are kept and deleted like all others from then on.

    Args:
        database: The record.
        directory: Where evidence lies.
        now: UTC.

    Raises:
        StoreUnavailable: The record cannot be read or written; call again later.
    """
    deleted: list[str] = []
    found: list[str] = []
    for folder in sorted(path for path in directory.glob("*/*/*") if path.is_dir()):
        files = {path.name: path for path in folder.iterdir()}
        old = {name: path for name, path in files.items() if _age(path, now) > OLD}
        with database.reading() as session:
            known = evidence.on_record(session, str(folder.relative_to(directory)))
        rubbish = set(_rubbish(files, old))
        for path in old.values():
            relative = str(path.relative_to(directory))
            try:
                if path in rubbish:
                    path.unlink()
                    deleted.append(relative)
                elif relative not in known and _adopt(database, path, relative, now):
                    found.append(relative)
            except OSError as error:
                log.error("evidence_not_tidied", path=relative, why=str(error))
    if deleted or found:
        log.warning("evidence_tidied", deleted=len(deleted), found=len(found))
        with database.transaction() as session:
            audit.record(
                session,
                actor="anjeon",
                action="evidence.tidy",
                subject="evidence",
                at=now,
                detail={"deleted": deleted[:_MOST_NAMED], "found": found[:_MOST_NAMED]},
            )
    return Tidied(deleted=tuple(deleted), found=tuple(found))


def _rubbish(files: Mapping[str, Path], old: Mapping[str, Path]) -> Iterator[Path]:
    for path in old.values():
        stem, copy = path.stem, Path(path.stem).suffix
        half = path.suffix == DRAFT
        alone = path.suffix == ".json" and f"{stem}.mp4" not in files
        useless = copy in COPIES and Path(stem).stem + path.suffix not in files
        if half or alone or useless:
            yield path


def _adopt(database: Database, path: Path, relative: str, now: datetime) -> bool:
    """Put a whole file on record; false if it is none of ours, or not what its sidecar says."""
    kind, name = _KINDS.get(path.suffix), _NAME.fullmatch(path.stem)
    if kind is None or name is None or not path.is_file():
        return False
    said = _sidecar(path) if kind == "clip" else None
    sha256 = sha256_of(path)
    if said is not None and said.sha256 != sha256:
        log.error("clip_is_not_what_its_sidecar_says", path=relative)
        return False
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    sidecar_sha256 = sha256_of(path.with_suffix(".json")) if said else None
    with database.transaction() as session:
        row = evidence.ready(
            session,
            violation_id=name["violation"],
            kind=kind,
            path=relative,
            sha256=sha256,
            size_bytes=path.stat().st_size,
            started_at=said.started_at if said else written,
            ended_at=said.ended_at if said else written,
            sidecar_sha256=sidecar_sha256,
            at=now,
            other_camera=name["camera"] or "",
        )
    return row.path == relative


class _Said(BaseModel):
    """What a sidecar says of its clip; it says more."""

    sha256: str
    started_at: AwareDatetime
    ended_at: AwareDatetime


def _sidecar(clip: Path) -> _Said | None:
    """None: there is none that can be read."""
    try:
        return _Said.model_validate(json.loads(clip.with_suffix(".json").read_bytes())["clip"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _age(path: Path, now: datetime) -> timedelta:
    return now - datetime.fromtimestamp(path.stat().st_mtime, UTC)
