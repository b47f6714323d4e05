"""Accidents: the list, one with its legal deadlines, and the draft of Form 30."""

from collections.abc import Callable, Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Query
from sqlmodel import Session
from starlette.responses import Response

from dashboard import forms
from dashboard.access import ManagerOnlyVisit, ManagerReadVisit
from dashboard.forms import Form
from dashboard.incident_accidents import (
    AREAS,
    CHOICES,
    NUMBERS,
    new_accident,
    read_accident,
    read_accidents,
    read_form,
    shown_accident,
)
from dashboard.incident_forms import choice, version_of
from dashboard.incident_views import today_of
from dashboard.pages import redirect, render
from dashboard.visit import Visit
from safety.i18n import explain, translator
from safety.incidents.accident_entry import COLUMNS, read_entry
from safety.incidents.errors import IncidentError
from safety.incidents.form30 import WorkplaceEntry
from safety.incidents.reading import read_count
from safety.incidents.texts import LONG
from safety.incidents.types import (
    AccidentKind,
    Outcome,
    Representative,
    WorkerGroup,
)
from safety.store import accidents, incident_workplace, incidents
from safety.store.refusals import Conflict

router = APIRouter(prefix="/accidents", include_in_schema=False)

PAGE_SIZE: Final = 50
_LISTS: Final = {"kind": AccidentKind, "outcome": Outcome, "worker_group": WorkerGroup}


@router.get("")
def accidents_page(
    visit: ManagerReadVisit,
    year: Annotated[str, Query(pattern=r"^(|19\d\d|20\d\d)$")] = "",
    before: str = "",
) -> Response:
    wanted = int(year) if year else None
    views = read_accidents(visit, year=wanted, before=before or None, limit=PAGE_SIZE + 1)
    this_year = today_of(visit).year
    return render(
        visit,
        "accidents.html",
        views=views[:PAGE_SIZE],
        next_before=views[PAGE_SIZE - 1].accident.id if len(views) > PAGE_SIZE else "",
        year=wanted,
        years=range(this_year, this_year - 6, -1),
    )


@router.get("/new")
def new_accident_page(visit: ManagerReadVisit, incident: str = "") -> Response:
    with visit.database.reading() as session:
        row = incidents.get(session, incident) if incident else None
    return _form(visit, new_accident(visit, row), incident_id=incident)


@router.post("")
def create_accident(visit: ManagerOnlyVisit, form: Form) -> Response:
    values, incident_id = _values(form), forms.text(form, "incident")
    reading = read_entry(values, today=today_of(visit))
    if reading.entry is None:
        return _form(visit, values, incident_id=incident_id, problems=reading.problems)
    with visit.database.transaction() as session:
        made = accidents.add(
            session,
            reading.entry,
            by=visit.actor,
            at=visit.now,
            incident_id=incident_id or None,
        )
    return redirect(f"/accidents/{made.id}?done=created")


@router.get("/workplace")
def workplace_page(visit: ManagerReadVisit) -> Response:
    with visit.database.reading() as session:
        entry, version = incident_workplace.read(session)
    names = WorkplaceEntry.__dataclass_fields__
    values = {name: "" if (v := getattr(entry, name)) is None else str(v) for name in names}
    return _workplace(visit, values, str(version))


@router.post("/workplace")
def change_workplace(visit: ManagerOnlyVisit, form: Form) -> Response:
    values = {name: forms.text(form, name) for name in WorkplaceEntry.__dataclass_fields__}
    try:
        workers = read_count(values["workers"], most=1_000_000) if values["workers"] else None
        relation = choice(values["relation"], WorkerGroup, "form30.relation")
        texts = {k: v for k, v in values.items() if k not in {"workers", "relation"}}
        entry = WorkplaceEntry(workers=workers, relation=relation, **texts)
        with visit.database.transaction() as session:
            incident_workplace.save(
                session, entry, by=visit.actor, at=visit.now, expected_version=version_of(form)
            )
    except (IncidentError, Conflict) as error:
        problem = explain(error, visit.language)
        return _workplace(visit, values, forms.text(form, "version"), problem=problem)
    return redirect("/accidents/workplace?done=saved")


@router.get("/{accident_id}")
def accident_page(visit: ManagerReadVisit, accident_id: str) -> Response:
    return _page(visit, accident_id)


@router.get("/{accident_id}/edit")
def edit_page(visit: ManagerReadVisit, accident_id: str) -> Response:
    with visit.database.reading() as session:
        row = accidents.get(session, accident_id)
    return _form(
        visit,
        shown_accident(row),
        accident_id=accident_id,
        incident_id=row.incident_id or "",
        version=str(row.version),
    )


@router.post("/{accident_id}")
def change_accident(visit: ManagerOnlyVisit, accident_id: str, form: Form) -> Response:
    values, incident_id = _values(form), forms.text(form, "incident")
    reading = read_entry(values, today=today_of(visit))
    problems = dict(reading.problems)
    if reading.entry is not None:
        try:
            with visit.database.transaction() as session:
                accidents.change(
                    session,
                    accident_id,
                    reading.entry,
                    by=visit.actor,
                    at=visit.now,
                    incident_id=incident_id or None,
                    expected_version=version_of(form),
                )
        except Conflict as error:
            problems["form"] = IncidentError(error.key, str(error), **error.params)
    if not problems:
        return redirect(f"/accidents/{accident_id}?done=saved")
    return _form(
        visit,
        values,
        accident_id=accident_id,
        incident_id=incident_id,
        version=forms.text(form, "version"),
        problems=problems,
    )


@router.post("/{accident_id}/report")
def report_accident(visit: ManagerOnlyVisit, accident_id: str, form: Form) -> Response:
    """Note that a serious accident was reported."""

    def report(session: Session) -> None:
        accidents.report(
            session,
            accident_id,
            by=visit.actor,
            at=visit.now,
            expected_version=version_of(form),
        )

    return _done(visit, accident_id, report)


@router.post("/{accident_id}/submit")
def submit_form(visit: ManagerOnlyVisit, accident_id: str, form: Form) -> Response:
    """Note that Form 30 was handed in."""

    def submit(session: Session) -> None:
        accidents.submit(
            session,
            accident_id,
            representative=choice(
                forms.text(form, "representative"), Representative, "accident.said"
            ),
            by=visit.actor,
            at=visit.now,
            expected_version=version_of(form),
        )

    return _done(visit, accident_id, submit)


@router.post("/{accident_id}/void")
def void_accident(visit: ManagerOnlyVisit, accident_id: str, form: Form) -> Response:
    """Declare an accident void."""

    def void(session: Session) -> None:
        accidents.void(
            session,
            accident_id,
            reason=forms.text(form, "reason"),
            by=visit.actor,
            at=visit.now,
            expected_version=version_of(form),
        )

    return _done(visit, accident_id, void)


@router.get("/{accident_id}/form30")
def form_page(visit: ManagerReadVisit, accident_id: str, lang: str = "ko") -> Response:
    """The draft as a page to print; in Korean unless asked otherwise, as the authority reads it."""
    translate = translator("en" if lang == "en" else "ko")
    view = read_accident(visit, accident_id)
    return render(
        visit,
        "form30.html",
        view=view,
        draft=read_form(visit, accident_id, translate),
        say=translate,
    )


def _done(visit: Visit, accident_id: str, do: Callable[[Session], None]) -> Response:
    try:
        with visit.database.transaction() as session:
            do(session)
    except (IncidentError, Conflict) as error:
        return _page(visit, accident_id, problem=explain(error, visit.language))
    return redirect(f"/accidents/{accident_id}?done=saved")


def _values(form: Form) -> dict[str, str]:
    return {name: forms.text(form, name, limit=LONG + 1) for name in COLUMNS}


def _form(
    visit: Visit,
    values: Mapping[str, str],
    *,
    accident_id: str = "",
    incident_id: str = "",
    version: str = "",
    problems: Mapping[str, IncidentError] | None = None,
) -> Response:
    said = {name: explain(error, visit.language) for name, error in (problems or {}).items()}
    return render(
        visit,
        "accident_form.html",
        status=422 if said else 200,
        values=values,
        accident_id=accident_id,
        incident_id=incident_id,
        version=version,
        problems=said,
        choices={name: (CHOICES[name], tuple(values)) for name, values in _LISTS.items()},
        numbers=NUMBERS,
        areas=AREAS,
        today=today_of(visit),
    )


def _page(visit: Visit, accident_id: str, *, problem: str = "") -> Response:
    return render(
        visit,
        "accident.html",
        status=422 if problem else 200,
        view=read_accident(visit, accident_id),
        numbers=NUMBERS,
        areas=AREAS,
        problem=problem,
    )


def _workplace(
    visit: Visit, values: Mapping[str, str], version: str, *, problem: str = ""
) -> Response:
    return render(
        visit,
        "workplace.html",
        status=422 if problem else 200,
        values=values,
        version=version,
        problem=problem,
    )
