"""Which cameras watch, which do not, why, and what to do about it."""

from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from dashboard.access import ViewerVisit
from dashboard.coverage import coverage_of
from dashboard.pages import render
from dashboard.visit import Visit
from dashboard.wall import read_wall
from safety.i18n import catalogue

router = APIRouter(prefix="/cameras", include_in_schema=False)

WINDOW = timedelta(hours=24)


@router.get("")
def cameras_page(visit: ViewerVisit) -> Response:
    return render(visit, "cameras.html", _values(visit))


@router.get("/list")
def cameras_list(visit: ViewerVisit) -> Response:
    return render(visit, "_cameras_part.html", _values(visit))


def _values(visit: Visit) -> dict[str, object]:
    wall = read_wall(visit)
    with visit.database.reading() as session:
        coverage = coverage_of(
            session, [tile.id for tile in wall.tiles], until=visit.now, window=WINDOW
        )
    return {
        "wall": wall,
        "statuses": visit.hub.camera_status(),
        "coverage": coverage,
        "known": catalogue(visit.language),
    }
