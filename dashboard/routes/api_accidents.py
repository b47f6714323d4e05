"""API: accidents, files of them, and what Form 30 says."""

from datetime import date
from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dashboard.access import ManagerReadVisit, ManagerVisit
from dashboard.api_description import XLSX, body_of
from dashboard.errors import Unprocessable
from dashboard.etags import IfMatch, editing, require_match, version_etag
from dashboard.incident_accident_schemas import (
    AccidentBody,
    AccidentInfo,
    ImportInfo,
    ImportProblem,
    Submission,
    Void,
    WorkplaceBody,
    accident_info,
)
from dashboard.incident_accidents import accident_view, read_accident, read_form
from dashboard.incident_views import today_of
from dashboard.once import Once, OnlyOnce
from dashboard.paging import Page, Paged
from dashboard.visit import Visit
from safety.i18n import explain, translator
from safety.incidents.accident_entry import AccidentEntry, read_entry, written
from safety.incidents.accident_files import read_accidents
from safety.incidents.form30 import WorkplaceEntry
from safety.store import accidents, incident_imports, incident_workplace

router = APIRouter(prefix="/api/v1", tags=["accidents"])


@router.get("/accidents")
def list_accidents(
    visit: ManagerReadVisit,
    paging: Paged,
    start: date | None = None,
    end: date | None = None,
    void: bool = False,
) -> Page[AccidentInfo]:
    """Accidents from ``start`` to before ``end``, newest first."""
    with visit.database.reading() as session:
        rows = accidents.page(
            session, start=start, end=end, void=void, before=paging.cursor, limit=paging.fetch
        )
        return paging.page(rows, lambda row: accident_info(accident_view(session, visit, row)))


@router.post("/accidents", status_code=201)
def create_accident(
    visit: ManagerVisit, body: AccidentBody, response: Response, once: OnlyOnce
) -> AccidentInfo:
    """Put an accident on record."""
    entry, incident = _entry(visit, body), body.incident_id
    made = once.make(
        visit,
        lambda session: accidents.add(session, entry, incident_id=incident, **visit.signed).id,
    )
    response.headers["location"] = f"/api/v1/accidents/{made}"
    return _answer(visit, made, response)


@router.get("/accidents/{accident_id}")
def get_accident(visit: ManagerReadVisit, accident_id: str, response: Response) -> AccidentInfo:
    """One accident with its legal deadlines."""
    return _answer(visit, accident_id, response)


@router.put("/accidents/{accident_id}")
def put_accident(
    visit: ManagerVisit,
    accident_id: str,
    body: AccidentBody,
    response: Response,
    if_match: IfMatch = None,
) -> AccidentInfo:
    """Correct an accident."""
    entry, incident = _entry(visit, body), body.incident_id
    with editing(visit, accidents.get, accident_id, if_match) as (session, version):
        accidents.change(
            session,
            accident_id,
            entry,
            incident_id=incident,
            expected_version=version,
            **visit.signed,
        )
    return _answer(visit, accident_id, response)


@router.post("/accidents/{accident_id}/void")
def void_accident(
    visit: ManagerVisit, accident_id: str, body: Void, response: Response, if_match: IfMatch = None
) -> AccidentInfo:
    """Declare an accident void: it stays readable and counts nowhere."""
    with editing(visit, accidents.get, accident_id, if_match) as (session, version):
        accidents.void(
            session, accident_id, reason=body.reason, expected_version=version, **visit.signed
        )
    return _answer(visit, accident_id, response)


@router.post("/accidents/{accident_id}/report")
def report_accident(
    visit: ManagerVisit, accident_id: str, response: Response, if_match: IfMatch = None
) -> AccidentInfo:
    """Note that a serious accident was reported to the authority."""
    with editing(visit, accidents.get, accident_id, if_match) as (session, version):
        accidents.report(session, accident_id, expected_version=version, **visit.signed)
    return _answer(visit, accident_id, response)


@router.post("/accidents/{accident_id}/submit")
def submit_form(
    visit: ManagerVisit,
    accident_id: str,
    body: Submission,
    response: Response,
    if_match: IfMatch = None,
) -> AccidentInfo:
    """Note that Form 30 was handed in."""
    who = body.representative
    with editing(visit, accidents.get, accident_id, if_match) as (session, version):
        accidents.submit(
            session, accident_id, representative=who, expected_version=version, **visit.signed
        )
    return _answer(visit, accident_id, response)


@router.get("/accidents/{accident_id}/form30")
def get_form(visit: ManagerReadVisit, accident_id: str, lang: str = "ko") -> dict[str, Any]:
    """The draft of Form 30, sections I, III and IV; II is never stored."""
    return read_form(visit, accident_id, translator("en" if lang == "en" else "ko")).as_json()


@router.post("/accidents/imports", status_code=201, openapi_extra=body_of("text/csv", XLSX))
async def check_file(
    visit: ManagerVisit, request: Request, once: OnlyOnce, filename: str = ""
) -> ImportInfo:
    """Look at a file (CSV or XLSX, the body itself); nothing counts until it is applied."""
    data = await request.body()
    return await run_in_threadpool(_check, visit, once, data, filename)


@router.get("/accidents/imports/{import_id}")
def get_import(visit: ManagerReadVisit, import_id: str) -> ImportInfo:
    """What was found in a file."""
    return _import_info(visit, import_id)


@router.post("/accidents/imports/{import_id}/apply")
def apply_import(
    visit: ManagerVisit, import_id: str, once: OnlyOnce, doubles: bool = False
) -> ImportInfo:
    """Take over the lines that can be used; ``doubles``: also what seems to be known."""
    today = today_of(visit)

    def take_over(session: Session) -> str:
        incident_imports.apply(session, import_id, today=today, doubles=doubles, **visit.signed)
        return import_id

    return _import_info(visit, once.make(visit, take_over))


@router.get("/workplace")
def get_workplace(visit: ManagerReadVisit, response: Response) -> WorkplaceBody:
    """Section I of Form 30."""
    with visit.database.reading() as session:
        entry, version = incident_workplace.read(session)
    response.headers["etag"] = version_etag(version)
    return WorkplaceBody(**{name: getattr(entry, name) for name in WorkplaceBody.model_fields})


@router.put("/workplace")
def put_workplace(
    visit: ManagerVisit, body: WorkplaceBody, response: Response, if_match: IfMatch = None
) -> WorkplaceBody:
    """Replace section I of Form 30."""
    with visit.database.transaction() as session:
        _, version = incident_workplace.read(session)
        require_match(if_match, version_etag(version))
        incident_workplace.save(
            session,
            WorkplaceEntry(**body.model_dump()),
            expected_version=version,
            **visit.signed,
        )
    return get_workplace(visit, response)


def _entry(visit: Visit, body: AccidentBody) -> AccidentEntry:
    values = {name: written(value) for name, value in body if name != "incident_id"}
    reading = read_entry(values, today=today_of(visit))
    if reading.entry is not None:
        return reading.entry
    name, error = next(iter(reading.problems.items()))
    why = explain(error, visit.language)
    raise Unprocessable("web.invalid", "{where}: {why}", where=name, why=why)


def _answer(visit: Visit, accident_id: str, response: Response) -> AccidentInfo:
    view = read_accident(visit, accident_id)
    response.headers["etag"] = version_etag(view.accident.version)
    return accident_info(view)


def _check(visit: Visit, once: Once, data: bytes, filename: str) -> ImportInfo:
    found = read_accidents(data, today=today_of(visit))

    def keep(session: Session) -> str:
        return incident_imports.check(session, found, data, filename=filename, **visit.signed).id

    return _import_info(visit, once.make(visit, keep))


def _import_info(visit: Visit, import_id: str) -> ImportInfo:
    with visit.database.reading() as session:
        row = incident_imports.get(session, import_id)
    doubles = sum(bool(each["double"]) for each in row.rows)
    return ImportInfo(
        id=row.id,
        filename=row.filename,
        sha256=row.sha256,
        state=row.state,
        ready=len(row.rows) - doubles,
        doubles=doubles,
        imported=row.imported,
        problems=[
            ImportProblem(
                line=each["line"],
                column=each["column"],
                code=each["key"],
                text=visit.translate(each["key"], **each["params"]),
            )
            for each in row.problems
        ],
    )
