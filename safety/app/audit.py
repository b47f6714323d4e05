"""``anjeon audit``: is the record what it was?"""

import re
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.progress import track

from safety.config import Settings
from safety.errors import ConfigError
from safety.evidence.files import State, check_files, count_files
from safety.store import audit_chain
from safety.store.audit_chain import Head
from safety.store.database import Database

_SAID = {
    "changed": "entry {seq} was changed, or the one before it",
    "missing": "entries are missing from {seq} on",
    "unlinked": "row {seq} was put in from outside: it is not part of the chain",
    "beginning": "entries up to {seq} are gone and nothing on record says that they were deleted",
    "end": "the trail ends at {seq}, which is not where it ended: entries are missing",
    "head": "the trail does not hold the head that was noted at {seq}: it was made anew",
}

_WRONG: Final[tuple[State, ...]] = ("changed", "missing", "unreadable")


def verify_trail(settings: Settings, *, head: str | None, files: bool) -> bool:
    """Go through the trail, and through the files; whether all is well.

    Args:
        head: As ``print_head`` printed it; None: nothing was noted.
        files: Also compare every file of evidence with its hash.

    Raises:
        ConfigError: ``head`` is none, or the database is of another version.
        StoreUnavailable: The database cannot be read.
    """
    noted = parse_head(head) if head else None
    database = Database(settings.database)
    database.migrate()
    with database.reading() as session:
        seen = audit_chain.verify(session, noted=noted)
    for finding in seen.findings:
        _complain(_SAID[finding.fault].format(seq=finding.seq))
    typer.echo(f"audit trail: {seen.entries} entries, head {seen.head}")
    well = not seen.findings
    if files:
        well = _compare_files(database, settings.evidence_dir) and well
    typer.echo("everything is as it was recorded" if well else "the record is NOT as it was")
    return well


def _compare_files(database: Database, directory: Path) -> bool:
    """Compare all files of evidence with their hashes, say what is wrong, and count."""
    counted: Counter[State] = Counter()
    seen = track(
        check_files(database, directory),
        description="evidence",
        total=count_files(database),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    for each in seen:
        counted[each.state] += 1
        if not each.well:
            _complain(f"evidence {each.path} ({each.evidence_id}) is {each.state}")
    wrong = [f"{counted[state]} {state}" for state in _WRONG if counted[state]]
    typer.echo(
        ", ".join(
            [
                f"evidence: {counted['sound']} files as they were made",
                f"{counted['deleted']} deleted when their time had come, as the trail says",
                *wrong,
            ]
        )
    )
    return not wrong


def print_head(settings: Settings) -> None:
    """Print the newest link.

    Raises:
        ConfigError, StoreUnavailable: As for ``verify_trail``.
    """
    database = Database(settings.database)
    database.migrate()
    with database.reading() as session:
        typer.echo(str(audit_chain.head(session)))


def parse_head(text: str) -> Head:
    """A head from its text.

    Raises:
        ConfigError: It is none.
    """
    found = re.fullmatch(r"\s*([0-9]{1,18}):([0-9a-f]{64})\s*", text)
    if found is None:
        raise ConfigError(
            "audit.bad_head", "a head looks like 123:9f86…, as 'anjeon audit head' prints it"
        )
    return Head(seq=int(found[1]), hash=found[2])


def _complain(text: str) -> None:
    typer.secho(text, fg=typer.colors.RED, err=True)
