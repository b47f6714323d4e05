"""``anjeon site``: the site between a YAML file and the database."""

from pathlib import Path

import typer

from safety.clock import SystemClock
from safety.config import Settings
from safety.errors import ConfigError
from safety.site.apply import apply_site, export_site
from safety.site.document import read_site, write_site
from safety.site.spec import SiteSpec
from safety.site.watching import unwatched_zones
from safety.store.configuration import Changes
from safety.store.database import Database
from safety.store.times import utc


def check_file(file: Path, *, secrets: bool) -> None:
    """Say that the file is fine, and what is in it.

    Raises:
        ConfigError: It is not; every problem is named.
    """
    site = read_site(file, check_secrets=secrets)
    typer.echo(
        f"{file}: ok; {len(site.cameras)} cameras, {len(site.zones)} zones, "
        f"{len(site.rules)} rules, {len(site.channels)} channels"
    )
    _warn(file, site)


def apply_file(settings: Settings, file: Path) -> None:
    """Make the database as the file says; a running engine follows by itself.

    Raises:
        ConfigError: The file has problems; nothing was changed.
        StoreUnavailable: The database cannot be written; nothing was changed.
    """
    site = read_site(file, check_secrets=True)
    database = Database(settings.database)
    database.migrate()
    changes = apply_site(database, site, by="command line", now=utc(SystemClock().now()))
    typer.echo(f"{file}: {_summary(changes)}")
    _warn(file, site)


def export_file(settings: Settings, file: Path | None) -> None:
    """Write the site to a file or to the screen.

    Raises:
        StoreUnavailable: The database cannot be read.
        ConfigError: The file cannot be written.
    """
    database = Database(settings.database)
    database.migrate()
    text = write_site(export_site(database))
    if file is None:
        typer.echo(text, nl=False)
    else:
        _write(file, text)


def _warn(file: Path, site: SiteSpec) -> None:
    """Say what may be so, but leaves something unwatched."""
    for zone in unwatched_zones(site):
        typer.echo(
            f"{file}: warning: no calibrated camera sees zone '{zone.id}' on the floor, it is "
            "NOT MONITORED; calibrate a camera that looks there",
            err=True,
        )


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            "site.not_written",
            "{file} cannot be written ({why}); give the path of a file in a directory of yours",
            file=str(file),
            why=(error.strerror or "unknown reason").lower(),
        ) from error


def _summary(changes: Changes) -> str:
    if not changes:
        return f"nothing to change; revision {changes.revision}"
    parts = {
        "added": changes.added,
        "changed": (*changes.site, *changes.changed),
        "removed": changes.removed,
    }
    told = [f"{word} {', '.join(names)}" for word, names in parts.items() if names]
    return f"revision {changes.revision}: {'; '.join(told) or 'order changed'}"
