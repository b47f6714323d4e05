"""``anjeon programme``: many sites' signed reports, read as one."""

from pathlib import Path

import typer

from safety.clock import SystemClock
from safety.i18n import explain
from safety.months import checked_month
from safety.programme.assess import Programme, assess
from safety.programme.collect import Collected, collect, read_registry
from safety.programme.papers import Form, programme_file, require_statsmodels
from safety.programme.sources import in_folder
from safety.programme.words import presented_programme
from safety.reports.files import write_all
from safety.store.times import utc

_SHOWN = 20


def run_pool(
    folder: Path, *, sites: Path | None, month: str | None, out: Path | None, language: str
) -> bool:
    """Pool the reports of a folder, print what may be said, write the papers.

    Args:
        folder: With the ``.json`` files that sites handed in; sub-folders too.
        sites: CSV of the programme's sites and keys; None: a site's first key holds.
        month: Leave out later months; None: each site's newest report counts.
        out: Folder for JSON, XLSX and PDF; None: only print.
        language: ``ko`` or ``en``.

    Returns:
        Whether there was a report that could be used.

    Raises:
        ReportRefused, MonthFault, NotWritten, ConfigError: It cannot be done.
    """
    require_statsmodels()
    files = in_folder(folder)
    registry = None if sites is None else read_registry(sites)
    wanted = None if month is None else checked_month(month)
    collected = collect(files, registry=registry, month=wanted)
    programme = assess(collected)
    _print(programme, collected, language)
    if out is not None:
        for path in write_all(out, _files(programme, collected, language)):
            typer.echo(path)
    return programme.sites > 0


def _files(programme: Programme, collected: Collected, language: str) -> dict[str, bytes]:
    made_at = utc(SystemClock().now())
    forms: tuple[Form, ...] = ("pdf", "xlsx", "json")
    return dict(
        programme_file(programme, collected, form, language=language, made_at=made_at)
        for form in forms
    )


def _print(programme: Programme, collected: Collected, language: str) -> None:
    paper = presented_programme(programme, (), language=language, made_at=utc(SystemClock().now()))
    typer.secho(f"{paper.title} · {paper.month} · {paper.site}", bold=True)
    typer.secho(paper.verdict, bold=True)
    for line in paper.explained:
        typer.echo(f"  {line}")
    for one in paper.headlines[:-1]:
        typer.echo(f"  {one.label}: {one.text}")
    for problem in collected.problems[:_SHOWN]:
        typer.secho(explain(problem.error, language), fg=typer.colors.YELLOW, err=True)
    if len(collected.problems) > _SHOWN:
        typer.secho(f"… {len(collected.problems) - _SHOWN}", fg=typer.colors.YELLOW, err=True)
