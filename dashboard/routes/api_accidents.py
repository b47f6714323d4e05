"""API: accidents, files of them, and what Form 30 says."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dashboard.access import ManagerReadVisit, ManagerVisit
from dashboard.api_description import XLSX, body_of
from dashboard.errors import Unprocessable
from dashboard.etags import version_etag
from dashboard.incident_accident_schemas import (
    AccidentBody,
    AccidentInfo,
    AccidentPage,
    ImportInfo,
    ImportProblem,
    Submission,
    Void,
    WorkplaceBody,
    accident_info,
)
from dashboard.incident_accidents import accident_view, read_accident, read_form
from dashboard.incident_requests import IdempotencyKey, IfMatch, made_once, require_version
from dashboard.incident_views import today_of
from dashboard.visit import Visit
from safety.i18n import explain, translator
from safety.incidents.accident_entry import AccidentEntry, read_entry, written
from safety.incidents.accident_files import read_accidents
from safety.incidents.form30 import WorkplaceEntry
from safety.store import accidents, incident_imports, incident_workplace
from safety.store.incident_tables import Accident

router = APIRouter(prefix="/api/v1", tags=["accidents"])


@router.get("/accidents")
def list_accidents(
    visit: ManagerReadVisit,
    start: date | None = None,
    end: date | None = None,
    void: bool = False,
    before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AccidentPage:
    """Accidents from ``start`` to before ``end``, newest first; page on with ``before``."""
    with visit.database.reading() as session:
        rows = accidents.page(
            session, start=start, end=end, void=void, before=before, limit=limit + 1
        )
        views = [accident_view(session, visit, row) for row in rows[:limit]]
    return AccidentPage(
        items=[accident_info(view) for view in views],
        next_before=rows[limit - 1].id if len(rows) > limit else None,
    )


@router.post("/accidents", status_code=201)
def create_accident(
    visit: ManagerVisit,
    body: AccidentBody,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> AccidentInfo:
    """Put an accident on record."""
    entry = _entry(visit, body)

    def make(session: Session) -> str:
        return accidents.add(
            session, entry, by=visit.actor, at=visit.now, incident_id=body.incident_id
        ).id

    made = made_once(visit, idempotency_key, body.model_dump_json().encode(), make)
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
    entry = _entry(visit, body)

    def change(session: Session, version: int) -> None:
        accidents.change(
            session,
            accident_id,
            entry,
            by=visit.actor,
            at=visit.now,
            incident_id=body.incident_id,
            expected_version=version,
        )

    return _changed(visit, accident_id, if_match, response, change)


@router.post("/accidents/{accident_id}/void")
def void_accident(
    visit: ManagerVisit, accident_id: str, body: Void, response: Response, if_match: IfMatch = None
) -> AccidentInfo:
    """Declare an accident void: it stays readable and counts nowhere."""

    def void(session: Session, version: int) -> None:
        accidents.void(
            session,
            accident_id,
            reason=body.reason,
            by=visit.actor,
            at=visit.now,
            expected_version=version,
        )

    return _changed(visit, accident_id, if_match, response, void)


@router.post("/accidents/{accident_id}/report")
def report_accident(
    visit: ManagerVisit, accident_id: str, response: Response, if_match: IfMatch = None
) -> AccidentInfo:
    """Note that a serious accident was reported to the authority."""

    def report(session: Session, version: int) -> None:
        accidents.report(
            session, accident_id, by=visit.actor, at=visit.now, expected_version=version
        )

    return _changed(visit, accident_id, if_match, response, report)


@router.post("/accidents/{accident_id}/submit")
def submit_form(
    visit: ManagerVisit,
    accident_id: str,
    body: Submission,
    response: Response,
    if_match: IfMatch = None,
) -> AccidentInfo:
    """Note that Form 30 was handed in."""

    def submit(session: Session, version: int) -> None:
        accidents.submit(
            session,
            accident_id,
            representative=body.representative,
            by=visit.actor,
            at=visit.now,
            expected_version=version,
        )

    return _changed(visit, accident_id, if_match, response, submit)


@router.get("/accidents/{accident_id}/form30")
def get_form(visit: ManagerReadVisit, accident_id: str, lang: str = "ko") -> dict[str, Any]:
    """The draft of Form 30, sections I, III and IV; II is never stored."""
    return read_form(visit, accident_id, translator("en" if lang == "en" else "ko")).as_json()


@router.post("/accidents/imports", status_code=201, openapi_extra=body_of("text/csv", XLSX))
async def check_file(visit: ManagerVisit, request: Request, filename: str = "") -> ImportInfo:
    """Look at a file (CSV or XLSX, the body itself); nothing counts until it is applied."""
    data = await request.body()
    return await run_in_threadpool(_check, visit, data, filename)


@router.get("/accidents/imports/{import_id}")
def get_import(visit: ManagerReadVisit, import_id: str) -> ImportInfo:
    """What was found in a file."""
    return _import_info(visit, import_id)


@router.post("/accidents/imports/{import_id}/apply")
def apply_import(visit: ManagerVisit, import_id: str, doubles: bool = False) -> ImportInfo:
    """Take over the lines that can be used; ``doubles``: also what seems to be known."""
    with visit.database.transaction() as session:
        incident_imports.apply(
            session,
            import_id,
            today=today_of(visit),
            by=visit.actor,
            at=visit.now,
            doubles=doubles,
        )
    return _import_info(visit, import_id)


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
        incident_workplace.save(
            session,
            WorkplaceEntry(**body.model_dump()),
            by=visit.actor,
            at=visit.now,
            expected_version=require_version(if_match, version),
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


def _changed(
    visit: Visit,
    accident_id: str,
    if_match: str | None,
    response: Response,
    change: Callable[[Session, int], None],
) -> AccidentInfo:
    with visit.database.transaction() as session:
        row: Accident = accidents.get(session, accident_id)
        change(session, require_version(if_match, row.version))
    return _answer(visit, accident_id, response)


def _answer(visit: Visit, accident_id: str, response: Response) -> AccidentInfo:
    view = read_accident(visit, accident_id)
    response.headers["etag"] = version_etag(view.accident.version)
    return accident_info(view)


def _check(visit: Visit, data: bytes, filename: str) -> ImportInfo:
    found = read_accidents(data, today=today_of(visit))
    with visit.database.transaction() as session:
        made = incident_imports.check(
            session, found, data, filename=filename, by=visit.actor, at=visit.now
        )
    return _import_info(visit, made.id)


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
