"""Monthly reports: which were made by whom, making and revising them, and their files."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from starlette.responses import Response

from dashboard import forms
from dashboard.access import ManagerOnlyVisit, ViewerVisit
from dashboard.forms import Form
from dashboard.kpi import maker_of
from dashboard.pages import redirect, render
from dashboard.reports import keep_report, read_month, read_months, report_file
from dashboard.visit import Visit
from safety.errors import AnjeonError
from safety.i18n import explain
from safety.reports.monthly import ReportError, revised_report
from safety.store.refusals import Conflict, Invalid

router = APIRouter(prefix="/reports", include_in_schema=False)

Kind = Literal["pdf", "xlsx", "json"]
Language = Literal["", "ko", "en"]
Revision = Annotated[int, Path(ge=1, le=9999)]


@router.get("")
def reports_page(visit: ViewerVisit) -> Response:
    return render(visit, "reports.html", months=read_months(visit))


@router.get("/{month}")
def month_page(visit: ViewerVisit, month: str) -> Response:
    return _page(visit, month)


@router.post("/{month}")
def make_report(visit: ManagerOnlyVisit, month: str, form: Form) -> Response:
    """Make the report of a month that is over, and keep it."""
    try:
        keep_report(visit, month)
    except (ReportError, Conflict) as error:
        return _page(visit, month, problem=error)
    return redirect(f"/reports/{month}?done=created")


@router.post("/{month}/revise")
def revise_report(visit: ManagerOnlyVisit, month: str, form: Form) -> Response:
    """Make a new revision, with the reason that everybody will read."""
    reason = forms.text(form, "reason")
    try:
        revised_report(visit.database, maker_of(visit), month, reason)
    except (ReportError, Invalid, Conflict) as error:
        return _page(visit, month, problem=error, reason=reason)
    return redirect(f"/reports/{month}?done=created")


@router.get("/{month}/file.{kind}")
def newest_file(visit: ViewerVisit, month: str, kind: Kind, lang: Language = "") -> Response:
    """The report that counts, or of the running month the one as it stands now."""
    return report_file(visit, month, None, kind, lang or visit.language)


@router.get("/{month}/{revision}/file.{kind}")
def file_of_revision(
    visit: ViewerVisit, month: str, revision: Revision, kind: Kind, lang: Language = ""
) -> Response:
    """One revision as it was handed in."""
    return report_file(visit, month, revision, kind, lang or visit.language)


def _page(
    visit: Visit, month: str, *, problem: AnjeonError | None = None, reason: str = ""
) -> Response:
    return render(
        visit,
        "report.html",
        status=422 if problem else 200,
        view=read_month(visit, month),
        problem=explain(problem, visit.language) if problem else "",
        reason=reason,
    )
