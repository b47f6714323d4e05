"""API: when a camera's chain to a siren was tried, and how it did."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter

from dashboard.access import ViewerVisit
from dashboard.paging import Page, Paged
from dashboard.schemas import Answer
from safety.store import drills

router = APIRouter(prefix="/api/v1", tags=["channels"])


class DrillInfo(Answer):
    """One drill; no violation, and counted as none."""

    id: str
    camera_id: str
    channel_id: str
    """The siren."""
    scene: str
    """The film that was played."""
    outcome: Literal["sounded", "refused", "failed"]
    reason: str
    """Why no siren sounded; empty: one did."""
    engine_s: float | None
    """From the rule's report to the engine."""
    siren_s: float | None
    """From the command to the siren's confirmation."""
    total_s: float | None
    """From the picture to the siren's confirmation."""
    at: datetime
    by: str


@router.get("/drills")
def list_drills(visit: ViewerVisit, paging: Paged, camera: str | None = None) -> Page[DrillInfo]:
    """Drills, newest first; of one camera or of all."""
    with visit.database.reading() as session:
        rows = drills.list_drills(
            session, camera_id=camera, before=paging.cursor, limit=paging.fetch
        )
    return paging.page(rows, lambda row: DrillInfo.model_validate(row.model_dump()))
