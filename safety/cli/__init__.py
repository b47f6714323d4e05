"""The command ``anjeon``: a module per group of commands; each imports its work when called."""

import faulthandler
import sys

import typer

from safety.cli import audit, model, report, site, system, trials, user
from safety.errors import AnjeonError

app = typer.Typer(
    name="anjeon",
    help="Watches factory floors through the CCTV that is already there. Not a safety function.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(system.commands)
app.add_typer(trials.commands)
app.add_typer(site.commands, name="site")
app.add_typer(user.commands, name="user")
app.add_typer(model.commands, name="model")
app.add_typer(report.reports, name="report")
app.add_typer(report.programme, name="programme")
app.add_typer(audit.commands, name="audit")


def main() -> None:
    """Entry point of the console script: known failures are one clear line and exit status 2."""
    faulthandler.enable()
    from safety.app.ownership import check_packages

    try:
        check_packages()
        app()
    except AnjeonError as error:
        typer.secho(f"anjeon: {error}", fg=typer.colors.RED, err=True)
        sys.exit(2)
