"""``anjeon report`` and ``anjeon programme``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from safety.cli.settings import settings_of

reports = typer.Typer(
    help="Reports for the safety manager and the programme.", no_args_is_help=True
)
programme = typer.Typer(help="For a programme office: many sites as one.", no_args_is_help=True)


@reports.command("monthly")
def report_monthly(
    month: Annotated[str | None, typer.Option(help="2026-11; else the last full month.")] = None,
    lang: Annotated[Literal["ko", "en"] | None, typer.Option(help="Else the site's.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path(),
    revise: Annotated[
        str | None, typer.Option(help="Why a month that was reported is reported anew.")
    ] = None,
) -> None:
    """Write the report of a month: PDF, spreadsheet and signed JSON."""
    from safety.app.report import run_monthly

    run_monthly(settings_of("report"), month=month, language=lang, out=out, revise=revise)


@programme.command("pool")
def programme_pool(
    folder: Annotated[Path, typer.Argument(help="Folder with the sites' signed .json reports.")],
    sites: Annotated[
        Path | None, typer.Option(help="CSV with columns site and key: who belongs to it.")
    ] = None,
    month: Annotated[str | None, typer.Option(help="Leave out reports of later months.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for PDF, XLSX and JSON.")] = None,
    lang: Annotated[Literal["ko", "en"], typer.Option(help="Language.")] = "ko",
) -> None:
    """Pool many sites: did accidents fall, whom to call, who watches how much."""
    from safety.app.programme import run_pool

    ok = run_pool(folder, sites=sites, month=month, out=out, language=lang)
    raise typer.Exit(0 if ok else 1)
