"""Hours worked, the baseline, and files of hours."""

import json

from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from dashboard import forms
from dashboard.access import ManagerOnlyVisit, ManagerReadVisit
from dashboard.errors import BadRequest
from dashboard.forms import Form
from dashboard.hours import (
    YEARS,
    HoursRefused,
    HoursRow,
    months_of,
    rows_on_record,
    save_year,
    typed_rows,
    year_of,
)
from dashboard.incident_uploads import FileForm
from dashboard.pages import redirect, render
from dashboard.visit import Visit
from safety.i18n import explain
from safety.incidents.errors import IncidentError
from safety.incidents.hours_files import HoursFile, HoursLine, hours_template, read_hours_file
from safety.months import MonthFault, month_of, months_from, shifted
from safety.store import baselines, work_imports
from safety.store.kpi_tables import Baseline
from safety.store.refusals import Conflict, Invalid
from safety.store.work_imports import Comparison

router = APIRouter(prefix="/hours", include_in_schema=False)

_BASELINE_FIELDS = ("first_month", "last_month", "programme_start", "groups", "reason")
_LINES = TypeAdapter(list[HoursLine])


@router.get("")
def hours_page(visit: ManagerReadVisit, year: str = "") -> Response:
    return _page(visit, year_of(visit, year))


@router.post("")
def save_hours(visit: ManagerOnlyVisit, form: Form) -> Response:
    """Enter or correct a year's months, all or nothing."""
    year = year_of(visit, forms.text(form, "year"))
    months = months_of(visit, year)
    try:
        with visit.database.transaction() as session:
            save_year(visit, session, months, form)
    except HoursRefused as refused:
        with visit.database.reading() as session:
            rows = typed_rows(rows_on_record(session, months), form, refused.problems)
        return _page(visit, year, rows=rows)
    return redirect(f"/hours?year={year}&done=saved")


@router.post("/baseline")
def save_baseline(visit: ManagerOnlyVisit, form: Form) -> Response:
    """Register the baseline, or change it with a reason."""
    values = {name: forms.text(form, name) for name in _BASELINE_FIELDS}
    try:
        with visit.database.transaction() as session:
            known = baselines.newest(session)
            seen = forms.text(form, "version")
            if seen != _baseline_version(known):
                raise Conflict(
                    "baseline.changed",
                    "somebody else changed the baseline in the meantime; look at it again",
                )
            baselines.register(session, by=visit.actor, at=visit.now, **values)
    except (Invalid, Conflict, MonthFault) as error:
        year = year_of(visit, "")
        return _page(visit, year, values=values, problem=explain(error, visit.language))
    return redirect("/hours?done=saved")


@router.get("/template.csv")
def template_file(visit: ManagerReadVisit, lang: str = "") -> Response:
    """The table to fill in: the last two years' months."""
    language = lang if lang in {"ko", "en"} else visit.language
    present = month_of(visit.now.astimezone(visit.zone).date())
    months = months_from(shifted(present, -24), shifted(present, -1))
    headers = {"content-disposition": f'attachment; filename="hours-{language}.csv"'}
    return Response(
        hours_template(language, months), media_type="text/csv; charset=utf-8", headers=headers
    )


@router.get("/import")
def import_page(visit: ManagerReadVisit) -> Response:
    return render(visit, "hours_import.html", problem="")


@router.post("/import")
def check_file(visit: ManagerOnlyVisit, upload: FileForm) -> Response:
    """Look at a file; nothing is entered yet."""
    try:
        if not upload.data:
            raise IncidentError("accident.no_file", "choose a file first")
        found = read_hours_file(upload.data)
    except IncidentError as error:
        problem = explain(error, visit.language)
        return render(visit, "hours_import.html", status=422, problem=problem)
    return _checked(visit, found, upload.name)


@router.post("/import/apply")
def apply_file(visit: ManagerOnlyVisit, form: Form) -> Response:
    """Enter the lines that somebody has looked at; they are checked once more."""
    text = form.get("lines")
    try:
        lines = _LINES.validate_json(text if isinstance(text, str) else "")
    except ValidationError:
        raise BadRequest("hours.bad_lines", "send the lines as the page showed them") from None
    found = HoursFile(lines=lines, problems=())
    replace = forms.text(form, "replace") == "yes"
    try:
        with visit.database.transaction() as session:
            compared = work_imports.compare(session, found, at=visit.now)
            count = work_imports.apply(
                session, compared, replace=replace, by=visit.actor, at=visit.now
            )
    except Conflict as error:
        return _checked(visit, found, "", problem=explain(error, visit.language))
    return render(visit, "hours_import.html", problem="", imported=count)


def _checked(visit: Visit, found: HoursFile, name: str, *, problem: str = "") -> Response:
    with visit.database.reading() as session:
        compared = work_imports.compare(session, found, at=visit.now)
    return render(
        visit,
        "hours_checked.html",
        status=409 if problem else 200,
        name=name[:80],
        compared=compared,
        lines=_as_json(compared),
        problems=[
            (each.line, each.column, explain(each.error, visit.language))
            for each in compared.problems
        ],
        problem=problem,
    )


def _as_json(compared: Comparison) -> str:
    return json.dumps(_LINES.dump_python([each.line for each in compared.lines]))


def _baseline_version(known: Baseline | None) -> str:
    return str(known.id) if known is not None else "0"


def _page(
    visit: Visit,
    year: int,
    *,
    rows: list[HoursRow] | None = None,
    values: dict[str, str] | None = None,
    problem: str = "",
) -> Response:
    with visit.database.reading() as session:
        registered = baselines.history(session)
        shown = rows or rows_on_record(session, months_of(visit, year))
    newest = registered[-1] if registered else None
    if values is None:
        values = {name: getattr(newest, name, "") for name in _BASELINE_FIELDS}
        values["groups"] = values["groups"] or "own"
        values["reason"] = ""
    this_year = visit.now.astimezone(visit.zone).year
    return render(
        visit,
        "hours.html",
        status=422 if problem or any(row.problem for row in shown) else 200,
        year=year,
        years=range(this_year, this_year - YEARS, -1),
        rows=shown,
        registered=registered,
        newest=newest,
        version=_baseline_version(newest),
        values=values,
        problem=problem,
    )
