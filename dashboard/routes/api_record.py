"""API: violations and coverage."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from dashboard.access import ViewerVisit
from dashboard.errors import Unprocessable
from dashboard.schemas import CoverageInfo, ViolationInfo, ViolationPage
from dashboard.site import camera_names
from safety.store import coverage, violations
from safety.store.coverage import Totals
from safety.store.tables import ViolationRow

router = APIRouter(prefix="/api/v1", tags=["record"])

_LONGEST_WINDOW = timedelta(days=400)


@router.get("/violations")
def list_violations(
    visit: ViewerVisit,
    camera: str | None = None,
    rule: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ViolationPage:
    """Violations, newest first; page on with ``before``."""
    with visit.database.reading() as session:
        rows = violations.list_violations(
            session,
            camera_id=camera,
            rule_id=rule,
            since=since,
            until=until,
            before=before,
            limit=limit + 1,
        )
    return ViolationPage(
        items=[_violation(row) for row in rows[:limit]],
        next_before=rows[limit - 1].id if len(rows) > limit else None,
    )


@router.get("/violations/{violation_id}")
def get_violation(visit: ViewerVisit, violation_id: str) -> ViolationInfo:
    """One violation."""
    with visit.database.reading() as session:
        return _violation(violations.get(session, violation_id))


@router.get("/coverage")
def get_coverage(
    visit: ViewerVisit,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    camera: str | None = None,
) -> list[CoverageInfo]:
    """How long each camera really watched; the last 24 hours unless told otherwise."""
    end = until or visit.now
    start = since or end - timedelta(hours=24)
    _check_window(start, end)
    with visit.database.reading() as session:
        known = [camera_id for camera_id, _ in camera_names(session)]
        totals = coverage.totals(session, since=start, until=end)
    unrecorded = Totals(unrecorded_s=(end - start).total_seconds())
    return [
        _coverage(camera_id, totals.get(camera_id, unrecorded))
        for camera_id in known
        if camera in {None, camera_id}
    ]


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
