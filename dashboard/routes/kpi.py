"""The figures: the month's page, its pictures, and the variant for a wall display."""

from fastapi import APIRouter
from starlette.responses import Response

from dashboard.access import ViewerVisit
from dashboard.errors import NotFound
from dashboard.exposure import Measure, read_exposure
from dashboard.kpi import heat, known_months, maker_of, read_kpi, wanted_month
from dashboard.kpi_wall import read_kpi_wall
from dashboard.pages import render
from dashboard.report_desk import picture_version

router = APIRouter(prefix="/kpi", include_in_schema=False)

SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""A picture styles itself; opened by itself it can do nothing else."""


@router.get("")
def kpi_page(visit: ViewerVisit, month: str = "", zone: str = "") -> Response:
    return render(visit, "kpi.html", view=read_kpi(visit, month, zone), heat=heat)


@router.get("/plots/{month}/{name}")
def plot(visit: ViewerVisit, month: str, name: str, lang: str = "", v: str = "") -> Response:
    """A picture of a month's report, ``target.svg``; ``v`` names what it was drawn from."""
    maker = maker_of(visit)
    with visit.database.reading() as session:
        wanted = wanted_month(visit, month, known_months(session, maker.today))
    desk = visit.services.reports
    report = desk.shown(visit.database, maker, wanted).report
    language = lang if lang in {"ko", "en"} else visit.language
    found = desk.pictures(report, language).get(name.removesuffix(".svg"))
    if found is None:
        raise NotFound
    present = picture_version(report)
    headers = {
        "content-security-policy": SVG_POLICY,
        "cache-control": "private, max-age=86400" if v == present else "no-store",
    }
    return Response(found, media_type="image/svg+xml", headers=headers)


@router.get("/exposure")
def exposure_page(visit: ViewerVisit, month: str = "", measure: Measure = "time") -> Response:
    """Where people were on the floor, and where rules were broken; nobody's own way."""
    return render(visit, "exposure.html", view=read_exposure(visit, month, measure))


@router.get("/wall")
def wall_page(visit: ViewerVisit) -> Response:
    """For a screen in the hall: days since the last accident, and what is watched now."""
    return render(visit, "kpi_wall.html", wall=read_kpi_wall(visit))


@router.get("/wall/part")
def wall_part(visit: ViewerVisit) -> Response:
    return render(visit, "_kpi_wall.html", wall=read_kpi_wall(visit))
