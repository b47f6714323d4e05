"""Machines, vehicles, feeds and shifts, with what they say now."""

from fastapi import APIRouter
from starlette.responses import Response

from dashboard.access import ViewerVisit
from dashboard.pages import render
from dashboard.plant_forms import FEEDS
from dashboard.plant_view import read_feeds
from dashboard.visit import Visit
from safety.site.apply import load_site

router = APIRouter(prefix="/machines", include_in_schema=False)


@router.get("")
def machines_page(visit: ViewerVisit) -> Response:
    return _render(visit, "machines.html")


@router.get("/now")
def machines_now(visit: ViewerVisit) -> Response:
    """The live part; the page asks for it again and again."""
    return _render(visit, "_machines.html")


def _render(visit: Visit, template: str) -> Response:
    with visit.database.reading() as session:
        site = load_site(session).spec
    status = visit.hub.plant_status()
    plant = site.plant
    return render(
        visit,
        template,
        plant=plant,
        feed_kinds=tuple(FEEDS),
        known=status is not None,
        machines={each.machine_id: each for each in status.machines} if status else {},
        vehicles={each.vehicle_id: each for each in status.vehicles} if status else {},
        lost=status.lost_vehicles if status else {},
        active_shifts=status.active_shifts if status else (),
        feeds=read_feeds(visit, site),
        told_by={
            name: feed.name
            for feed in plant.feeds
            for name in (*feed.machine_ids, *feed.vehicle_ids)
        },
    )
