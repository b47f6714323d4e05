"""API: violations and coverage."""

from datetime import datetime, timedelta

from fastapi import APIRouter
from pydantic import AwareDatetime

from dashboard.access import ViewerVisit
from dashboard.errors import Unprocessable
from dashboard.paging import Page, Paged
from dashboard.schemas import CoverageInfo, ViolationInfo
from dashboard.site import camera_names
from safety.store import coverage, violations
from safety.store.coverage import Totals
from safety.store.tables import ViolationRow

router = APIRouter(prefix="/api/v1", tags=["record"])

_LONGEST_WINDOW = timedelta(days=400)


@router.get("/violations")
def list_violations(
    visit: ViewerVisit,
    paging: Paged,
    camera: str | None = None,
    rule: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Page[ViolationInfo]:
    """Violations, newest first."""
    with visit.database.reading() as session:
        rows = violations.list_violations(
            session,
            camera_id=camera,
            rule_id=rule,
            since=since,
            until=until,
            before=paging.cursor,
            limit=paging.fetch,
        )
    return paging.page(rows, _violation)


@router.get("/violations/{violation_id}")
def get_violation(visit: ViewerVisit, violation_id: str) -> ViolationInfo:
    """One violation."""
    with visit.database.reading() as session:
        return _violation(violations.get(session, violation_id))


@router.get("/coverage")
def get_coverage(
    visit: ViewerVisit,
    paging: Paged,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    camera: str | None = None,
) -> Page[CoverageInfo]:
    """How long each camera really watched; the last 24 hours unless told otherwise."""
    end = until or visit.now
    start = since or end - timedelta(hours=24)
    _check_window(start, end)
    with visit.database.reading() as session:
        known = [each for each, _ in camera_names(session) if camera in {None, each}]
        totals = coverage.totals(session, since=start, until=end)
    unrecorded = Totals(unrecorded_s=(end - start).total_seconds())
    return paging.cut(known, lambda each: _coverage(each, totals.get(each, unrecorded)), key=str)


def _check_window(start: datetime, end: datetime) -> None:
    if not timedelta(0) < end - start <= _LONGEST_WINDOW:
        raise Unprocessable(
            "web.window",
            "'since' must be before 'until', by {days} days at most",
            days=_LONGEST_WINDOW.days,
        )


def _violation(row: ViolationRow) -> ViolationInfo:
    return ViolationInfo.model_validate(row.model_dump(include=set(ViolationInfo.model_fields)))


def _coverage(camera_id: str, totals: Totals) -> CoverageInfo:
    return CoverageInfo(
        camera_id=camera_id,
        live_s=round(totals.live_s, 3),
        degraded_s=round(totals.degraded_s, 3),
        blind_s=round(totals.blind_s, 3),
        unrecorded_s=round(totals.unrecorded_s, 3),
    )
