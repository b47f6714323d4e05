"""Monthly reports as the pages and the API list, make and hand them out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.responses import Response

from dashboard.kpi import known_months, maker_of
from dashboard.report_desk import Making, making_of
from dashboard.visit import Visit
from safety.i18n import translator
from safety.months import MonthFault, checked_month, month_of
from safety.reports.monthly import monthly_report, report_of
from safety.reports.schema import MonthlyReport
from safety.reports.signing import signed, site_key
from safety.store import report_revisions
from safety.store.refusals import Conflict, NotFound

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthState:
    """Where one month's report stands.

    Attributes:
        is_over: The month; before that its report is never kept.
        making: Of the newest revision; None: none was made.
    """

    month: str
    is_over: bool
    making: Making | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthView:
    """One month's revisions, the newest first."""

    state: MonthState
    revisions: Sequence[Making]
    verdict: str


def read_months(visit: Visit) -> list[MonthState]:
    """All months that can have a report, the newest first."""
    maker = maker_of(visit)
    with visit.database.reading() as session:
        months = known_months(session, maker.today)
        kept = {row.month: row for row in report_revisions.newest_of_all(session, 240)}
        makings = {month: making_of(row) for month, row in kept.items()}
    everything = sorted({*months, *makings}, reverse=True)
    present = month_of(maker.today)
    return [
        MonthState(month=month, is_over=month < present, making=makings.get(month))
        for month in everything
    ]


def read_month(visit: Visit, month: str) -> MonthView:
    """One month.

    Raises:
        NotFound: It has no report and cannot have one.
    """
    state = _state(visit, month)
    with visit.database.reading() as session:
        rows = report_revisions.of_month(session, month)
        verdict = report_of(rows[-1].content).target.verdict if rows else ""
        revisions = [making_of(row) for row in reversed(rows)]
    say = translator(visit.language)
    return MonthView(
        state=state,
        revisions=revisions,
        verdict=say(f"kpi.verdict.{verdict}") if verdict else "",
    )


def keep_report(visit: Visit, month: str) -> MonthlyReport:
    """Make and keep the report of a month that is over; what was kept before is given back.

    Raises:
        NotFound: There is no such month here.
        Conflict: The month is not over.
    """
    if not _state(visit, month).is_over:
        raise Conflict(
            "report.not_over",
            "{month} is not over; its report can be kept from the first day of the next month on",
            month=month,
        )
    return monthly_report(visit.database, maker_of(visit), month)


def report_to_give(visit: Visit, month: str, revision: int | None) -> MonthlyReport:
    """The report to hand out: a revision, the newest one, or the running month as it is now.

    Raises:
        NotFound: There is no such month or revision.
        Conflict: The month is over and nobody has made its report.
    """
    desk = visit.services.reports
    state = _state(visit, month)
    if revision is not None:
        found = desk.revision(visit.database, month, revision)
        if found is None:
            raise NotFound("report", f"{month} {revision}")
        return found.report
    if state.making is None and state.is_over:
        raise Conflict(
            "report.make_first",
            "no report of {month} was made yet; somebody who may (a manager) makes it first",
            month=month,
        )
    return desk.shown(visit.database, maker_of(visit), month).report


def report_file(
    visit: Visit,
    month: str,
    revision: int | None,
    kind: Literal["pdf", "xlsx", "json"],
    language: str,
) -> Response:
    """A report as a file to keep; the JSON is signed with the site's key.

    Raises:
        NotFound, Conflict: There is none; see ``report_to_give``.
    """
    report = report_to_give(visit, month, revision)
    desk = visit.services.reports
    stem = f"anjeon-{report.month}-r{report.revision}"
    match kind:
        case "pdf":
            content, name = desk.pdf(report, language), f"{stem}-{language}.pdf"
        case "xlsx":
            content, name = desk.xlsx(report, language), f"{stem}-{language}.xlsx"
        case "json":
            content = signed(report, site_key(visit.services.settings.data_dir))
            name = f"{stem}.json"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=MEDIA_TYPES[kind], headers=headers)


def _state(visit: Visit, month: str) -> MonthState:
    try:
        wanted = checked_month(month)
    except MonthFault:
        raise NotFound("month", month[:40]) from None
    found = next((each for each in read_months(visit) if each.month == wanted), None)
    if found is None:
        raise NotFound("month", wanted)
    return found
