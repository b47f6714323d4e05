"""API: hours worked and headcount by month, files of them, and the baseline."""

from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dashboard.access import ManagerReadVisit, ManagerVisit
from dashboard.api_description import XLSX, body_of
from dashboard.etags import IfMatch, check_match, require_match, version_etag
from dashboard.kpi_schemas import (
    BaselineBody,
    BaselineInfo,
    ComparedLine,
    HoursImport,
    LineProblem,
    WorkMonthBody,
    WorkMonthInfo,
    baseline_info,
    work_month_info,
)
from dashboard.once import Once, OnlyOnce
from dashboard.paging import Page, Paged
from dashboard.visit import Visit
from safety.i18n import explain
from safety.incidents.hours_files import read_hours_file
from safety.months import checked_month
from safety.store import baselines, work_imports, work_months
from safety.store.kpi_tables import WorkMonth
from safety.store.refusals import NotFound
from safety.store.work_imports import Comparison
from safety.store.work_months import Group

router = APIRouter(prefix="/api/v1", tags=["figures"])


@router.get("/work-months")
def list_work_months(
    visit: ManagerReadVisit, paging: Paged, first: str | None = None, last: str | None = None
) -> Page[WorkMonthInfo]:
    """What was entered from ``first`` to ``last`` (``2026-11``), oldest first."""
    with visit.database.reading() as session:
        rows = work_months.list_months(
            session,
            first=checked_month(first) if first else None,
            last=checked_month(last) if last else None,
        )
    return paging.cut(rows, work_month_info, key=lambda row: f"{row.month}-{row.worker_group}")


@router.get("/work-months/{month}/{group}")
def get_work_month(
    visit: ManagerReadVisit, month: str, group: Group, response: Response
) -> WorkMonthInfo:
    """One month of one group."""
    with visit.database.reading() as session:
        row = session.get(WorkMonth, (checked_month(month), group))
        if row is None:
            raise NotFound("work month", f"{month} {group}")
        response.headers["etag"] = version_etag(row.version)
        return work_month_info(row)


@router.put("/work-months/{month}/{group}")
def put_work_month(
    visit: ManagerVisit,
    month: str,
    group: Group,
    body: WorkMonthBody,
    response: Response,
    if_match: IfMatch = None,
) -> WorkMonthInfo:
    """Enter a month, or correct it: then ``If-Match`` names the version that was read."""
    with visit.database.transaction() as session:
        key = checked_month(month), group
        known = session.get(WorkMonth, key, with_for_update=True, populate_existing=True)
        if known is not None:
            require_match(if_match, version_etag(known.version))
        else:
            check_match(if_match, version_etag(0))
        row = work_months.put(
            session,
            month=month,
            group=group,
            hours=body.hours,
            headcount=body.headcount,
            source="entered",
            expected_version=0 if known is None else known.version,
            **visit.signed,
        )
        response.headers["etag"] = version_etag(row.version)
        return work_month_info(row)


@router.post("/work-months/imports", openapi_extra=body_of("text/csv", XLSX))
async def import_hours(
    visit: ManagerVisit,
    request: Request,
    once: OnlyOnce,
    apply: bool = False,
    replace: bool = False,
) -> HoursImport:
    """A file (CSV or XLSX, the body itself): looked at, or with ``apply`` also entered.

    Lines with problems are never entered; what differs from the record only with ``replace``.
    """
    data = await request.body()
    return await run_in_threadpool(_import, visit, once, data, apply, replace)


@router.get("/baseline")
def get_baseline(visit: ManagerReadVisit, response: Response) -> BaselineInfo:
    """The baseline that counts, with every earlier one."""
    with visit.database.reading() as session:
        rows = baselines.history(session)
        if not rows:
            raise NotFound("baseline", "newest")
        response.headers["etag"] = version_etag(rows[-1].id or 0)
        return baseline_info(rows)


@router.put("/baseline")
def put_baseline(
    visit: ManagerVisit, body: BaselineBody, response: Response, if_match: IfMatch = None
) -> BaselineInfo:
    """Register the baseline, or change it with a reason and ``If-Match``."""
    with visit.database.transaction() as session:
        known = baselines.newest(session)
        if known is not None:
            require_match(if_match, version_etag(known.id or 0))
        baselines.register(session, by=visit.actor, at=visit.now, **body.model_dump())
    return get_baseline(visit, response)


def _import(visit: Visit, once: Once, data: bytes, apply: bool, replace: bool) -> HoursImport:
    found = read_hours_file(data)

    def enter(session: Session) -> dict[str, Any]:
        compared = work_imports.compare(session, found, at=visit.now)
        answer = _seen(visit, compared)  # beside the record as it was before
        if apply:
            answer.changed = work_imports.apply(session, compared, replace=replace, **visit.signed)
        return answer.model_dump(mode="json")

    return HoursImport.model_validate(once.answer(visit, enter))


def _seen(visit: Visit, compared: Comparison) -> HoursImport:
    lines = [
        ComparedLine(
            line=each.line.number,
            month=each.line.month,
            group=each.line.group,
            hours=each.line.hours,
            headcount=each.line.headcount,
            fate=each.fate,
        )
        for each in compared.lines
    ]
    problems = [
        LineProblem(
            line=each.line,
            column=each.column,
            code=each.error.key,
            text=explain(each.error, visit.language),
        )
        for each in compared.problems
    ]
    return HoursImport(changed=0, lines=lines, problems=problems)
