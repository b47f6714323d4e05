"""Files of accidents: looked at line by line, and taken over when somebody has seen them."""

from fastapi import APIRouter
from starlette.responses import Response

from dashboard import forms
from dashboard.access import ManagerOnlyVisit, ManagerReadVisit
from dashboard.forms import Form
from dashboard.incident_accidents import shown_import
from dashboard.incident_uploads import FileForm
from dashboard.incident_views import today_of
from dashboard.pages import redirect, render
from dashboard.visit import Visit
from safety.i18n import explain
from safety.incidents.accident_files import read_accidents, template
from safety.incidents.errors import IncidentError
from safety.store import incident_imports
from safety.store.refusals import Conflict

router = APIRouter(prefix="/accidents", include_in_schema=False)


@router.get("/import")
def import_page(visit: ManagerReadVisit) -> Response:
    return _page(visit)


@router.post("/import")
def check_file(visit: ManagerOnlyVisit, upload: FileForm) -> Response:
    """Look at a file; nothing counts yet."""
    try:
        if not upload.data:
            raise IncidentError("accident.no_file", "choose a file first")
        found = read_accidents(upload.data, today=today_of(visit))
    except IncidentError as error:
        return _page(visit, problem=explain(error, visit.language))
    with visit.database.transaction() as session:
        made = incident_imports.check(
            session, found, upload.data, filename=upload.name, by=visit.actor, at=visit.now
        )
    return redirect(f"/accidents/imports/{made.id}")


@router.get("/imports/{import_id}")
def checked_page(visit: ManagerReadVisit, import_id: str) -> Response:
    return _checked(visit, import_id)


@router.post("/imports/{import_id}/apply")
def apply_import(visit: ManagerOnlyVisit, import_id: str, form: Form) -> Response:
    try:
        with visit.database.transaction() as session:
            incident_imports.apply(
                session,
                import_id,
                today=today_of(visit),
                by=visit.actor,
                at=visit.now,
                doubles=forms.text(form, "doubles") == "yes",
            )
    except Conflict as error:
        return _checked(visit, import_id, problem=explain(error, visit.language))
    return redirect(f"/accidents/imports/{import_id}")


@router.get("/template.csv")
def template_file(visit: ManagerReadVisit, lang: str = "") -> Response:
    """The table to fill in, with headings in the reader's language."""
    language = lang if lang in {"ko", "en"} else visit.language
    headers = {"content-disposition": f'attachment; filename="accidents-{language}.csv"'}
    return Response(template(language), media_type="text/csv; charset=utf-8", headers=headers)


def _page(visit: Visit, *, problem: str = "") -> Response:
    with visit.database.reading() as session:
        done = incident_imports.recent(session)
    return render(
        visit, "accident_import.html", status=422 if problem else 200, done=done, problem=problem
    )


def _checked(visit: Visit, import_id: str, *, problem: str = "") -> Response:
    with visit.database.reading() as session:
        row = incident_imports.get(session, import_id)
    return render(
        visit,
        "accident_checked.html",
        status=409 if problem else 200,
        row=row,
        lines=[
            (each["line"], each["double"], shown_import(each["values"], visit.translate))
            for each in row.rows
        ],
        fresh=sum(not each["double"] for each in row.rows),
        problem=problem,
    )
