"""``anjeon report``: the monthly report as PDF, spreadsheet and signed JSON."""

from pathlib import Path
from zoneinfo import ZoneInfo

import typer

from safety.clock import SystemClock
from safety.config import Settings
from safety.i18n import translator
from safety.months import month_of, shifted
from safety.reports.files import write_all
from safety.reports.monthly import Maker, monthly_report, revised_report
from safety.reports.pdf import report_pdf
from safety.reports.schema import MonthlyReport
from safety.reports.signing import signed, site_key
from safety.reports.xlsx import report_xlsx
from safety.site.apply import export_site
from safety.store.database import Database
from safety.store.times import utc

_BY = "command line"


def run_monthly(
    settings: Settings, *, month: str | None, language: str | None, out: Path, revise: str | None
) -> None:
    """Make the report of a month and write its three files.

    Args:
        settings: Where the record is.
        month: ``2026-11``; None: the last month that is over.
        language: ``ko`` or ``en``; None: the site's.
        out: Folder for the files.
        revise: Why a month that was reported before is reported anew; None: as it was.

    Raises:
        MonthFault, ReportError, Invalid, NotWritten, StoreUnavailable: It cannot be made.
    """
    database = Database(settings.database)
    database.migrate()
    site = export_site(database)
    maker = Maker(site=site, now=utc(SystemClock().now()), by=_BY)
    wanted = month or shifted(month_of(maker.now.astimezone(ZoneInfo(site.timezone)).date()), -1)
    report = (
        monthly_report(database, maker, wanted)
        if revise is None
        else revised_report(database, maker, wanted, revise)
    )
    spoken = language or site.language
    for path in write_all(out, report_files(report, spoken, settings.data_dir)):
        typer.echo(path)
    say = translator(spoken)
    typer.echo(say(f"kpi.verdict.{report.target.verdict}"))
    if not report.closed:
        typer.secho(say("report.not_closed"), fg=typer.colors.YELLOW, err=True)


def report_files(report: MonthlyReport, language: str, data_dir: Path) -> dict[str, bytes]:
    """A report's files by name; the JSON is signed with the site's key."""
    stem = f"anjeon-{report.month}-r{report.revision}"
    return {
        f"{stem}-{language}.pdf": report_pdf(report, language),
        f"{stem}-{language}.xlsx": report_xlsx(report, language),
        f"{stem}.json": signed(report, site_key(data_dir)),
    }
