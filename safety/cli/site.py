"""``anjeon site``."""

from pathlib import Path
from typing import Annotated

import typer

from safety.cli.settings import settings_of

commands = typer.Typer(help="The site as one YAML file.", no_args_is_help=True)


@commands.command("check")
def site_check(
    file: Annotated[Path, typer.Argument(help="Site file, YAML.")],
    secrets: Annotated[bool, typer.Option(help="Also check that all secrets are there.")] = True,
) -> None:
    """Say everything that is wrong with a site file; changes nothing."""
    from safety.app.site import check_file

    check_file(file, secrets=secrets)


@commands.command("apply")
def site_apply(file: Annotated[Path, typer.Argument(help="Site file, YAML.")]) -> None:
    """Make the database, and so the running system, as the file says."""
    from safety.app.site import apply_file

    apply_file(settings_of("site"), file)


@commands.command("export")
def site_export(
    file: Annotated[Path | None, typer.Argument(help="Where to write; else the screen.")] = None,
) -> None:
    """Write the site as it is."""
    from safety.app.site import export_file

    export_file(settings_of("site"), file)
