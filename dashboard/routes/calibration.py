"""How a camera sees the floor: points in its picture matched with points of the plan."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from cameras.specs import CameraSpec
from dashboard import surveying
from dashboard.access import ManagerOnlyVisit, ViewerVisit
from dashboard.canvas import plan_surface
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.visit import Visit
from safety.site import edit
from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from safety.store.refusals import NotFound
from zones.calibration import CalibrationSpec
from zones.plant import PlanSpec

router = APIRouter(prefix="/cameras/{camera_id}/floor", include_in_schema=False)


@router.get("")
def calibration_page(visit: ViewerVisit, camera_id: str) -> Response:
    with visit.database.reading() as session:
        site = load_site(session).spec
    camera = _camera(site, camera_id)
    return _page(visit, site, camera, surveying.values_of(camera.calibration))


@router.post("/examine")
def examine_calibration(
    visit: ViewerVisit, camera_id: str, wanted: CalibrationSpec
) -> dict[str, Any]:
    """How well a calibration fits, usable or not; nothing is saved."""
    with visit.database.reading() as session:
        site = load_site(session).spec
    _camera(site, camera_id)
    return surveying.report(wanted, site.plant.plan or PlanSpec(), visit.translate)


@router.post("")
def save_calibration(visit: ManagerOnlyVisit, camera_id: str, form: Form) -> Response:
    filled = surveying.filled(form, visit.translate)
    with visit.database.transaction() as session:
        site = load_site(session).spec
        camera = _camera(site, camera_id)
        if filled.spec is not None:
            changed = camera.model_copy(update={"calibration": filled.spec})
            edit.put(session, changed, by=visit.actor, at=visit.now)
    if filled.spec is None:
        return _page(visit, site, camera, filled.values, filled.problems)
    visit.hub.nudge("config")
    return redirect(f"/cameras/{camera_id}/floor?done=saved")


@router.post("/delete")
def delete_calibration(visit: ManagerOnlyVisit, camera_id: str) -> Response:
    with visit.database.transaction() as session:
        camera = _camera(load_site(session).spec, camera_id)
        changed = camera.model_copy(update={"calibration": None})
        edit.put(session, changed, by=visit.actor, at=visit.now)
    visit.hub.nudge("config")
    return redirect(f"/cameras/{camera_id}/floor?done=deleted")


def _camera(site: SiteSpec, camera_id: str) -> CameraSpec:
    for camera in site.cameras:
        if camera.id == camera_id:
            return camera
    raise NotFound("camera", camera_id)


def _page(
    visit: Visit,
    site: SiteSpec,
    camera: CameraSpec,
    values: Mapping[str, Any],
    problems: Mapping[str, str] | None = None,
) -> Response:
    return render(
        visit,
        "calibration.html",
        status=422 if problems else 200,
        camera=camera,
        surface=plan_surface(site.plant.plan or PlanSpec()),
        values=values,
        problems=dict(problems or {}),
    )
