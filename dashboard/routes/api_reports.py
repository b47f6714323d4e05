"""API: monthly reports as they are handed in."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from dashboard.access import ManagerVisit, ViewerVisit
from dashboard.api_description import XLSX, files
from dashboard.etags import IfMatch, require_match, spec_etag
from dashboard.kpi import maker_of
from dashboard.kpi_schemas import ReportInfo, RevisionBody, report_info
from dashboard.paging import Page, Paged
from dashboard.reports import keep_report, read_month, read_months, report_file, report_to_give
from dashboard.visit import Visit
from safety.reports.monthly import revised_report

router = APIRouter(prefix="/api/v1/reports", tags=["figures"])

Revision = Annotated[int | None, Query(ge=1, le=9999)]


@router.get("")
def list_reports(visit: ViewerVisit, paging: Paged) -> Page[ReportInfo]:
    """Every month that has a report or can have one, the newest first."""
    return paging.cut(read_months(visit), report_info, key=lambda state: state.month)


@router.get("/{month}")
def get_report(visit: ViewerVisit, month: str, revision: Revision = None) -> Response:
    """The signed report: a revision, the newest, or the running month as it stands now.

    A month that is over has none before somebody made it (409).
    """
    answer = report_file(visit, month, revision, "json", visit.language)
    report = report_to_give(visit, month, revision)
    answer.headers["etag"] = spec_etag(report)
    return answer


@router.get(
    "/{month}/file.{kind}", response_class=Response, responses=files("application/pdf", XLSX)
)
def get_file(
    visit: ViewerVisit,
    month: str,
    kind: Literal["pdf", "xlsx"],
    lang: Literal["ko", "en"] = "ko",
    revision: Revision = None,
) -> Response:
    """The same report as a paper or a spreadsheet."""
    return report_file(visit, month, revision, kind, lang)


@router.post("/{month}", status_code=201)
def make_report(visit: ManagerVisit, month: str) -> ReportInfo:
    """Make the report of a month that is over; if it was made before, it stays as it is."""
    keep_report(visit, month)
    return _info(visit, month)


@router.post("/{month}/revisions", status_code=201)
def revise_report(
    visit: ManagerVisit, month: str, body: RevisionBody, if_match: IfMatch = None
) -> ReportInfo:
    """Make a new revision from the record as it is now, after the one that ``If-Match`` names."""
    require_match(if_match, spec_etag(report_to_give(visit, month, None)))
    revised_report(visit.database, maker_of(visit), month, body.reason)
    return _info(visit, month)


def _info(visit: Visit, month: str) -> ReportInfo:
    return report_info(read_month(visit, month).state)
