"""``anjeon audit``."""

from typing import Annotated

import typer

from safety.cli.settings import settings_of

commands = typer.Typer(help="The audit trail and the files of evidence.", no_args_is_help=True)


@commands.command("verify")
def audit_verify(
    head: Annotated[
        str | None, typer.Option(help="A head that was noted: the trail must still hold it.")
    ] = None,
    files: Annotated[bool, typer.Option(help="Also compare evidence with its hashes.")] = True,
) -> None:
    """Find what was changed, deleted or moved; exit status 1 if anything was."""
    from safety.app.audit import verify_trail

    raise typer.Exit(0 if verify_trail(settings_of("audit"), head=head, files=files) else 1)


@commands.command("head")
def audit_head() -> None:
    """Print the newest link of the trail, to be noted elsewhere."""
    from safety.app.audit import print_head

    print_head(settings_of("audit"))
