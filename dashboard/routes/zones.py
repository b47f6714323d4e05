"""Danger zones: drawn on a still picture, with the rules that apply in them."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from pydantic_core import PydanticCustomError
from sqlmodel import Session
from starlette.responses import Response

from dashboard import forms, rule_forms, zone_forms
from dashboard.access import ManagerOnlyVisit, ViewerVisit
from dashboard.canvas import Canvas, Corners, View, in_view, views_of
from dashboard.etags import check_match, spec_etag
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.rule_fields import RULE_KINDS
from dashboard.rule_views import read_rules
from dashboard.visit import Visit
from safety.site import edit
from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from safety.store.refusals import NotFound
from zones.geometry import MAX_CORNERS, checked_floor_polygon
from zones.plant import PlanSpec
from zones.specs import ZoneSpec

router = APIRouter(prefix="/zones", include_in_schema=False)


class Drawn(BaseModel):
    """An outline on the floor that somebody is drawing: on the plan, or in a camera's picture."""

    camera: str = Field(default="", max_length=200)
    corners: Corners = Field(max_length=MAX_CORNERS)


@router.get("")
def zones_page(visit: ViewerVisit, camera: str = "") -> Response:
    with visit.database.reading() as session:
        site = load_site(session).spec
    cameras = [each for each in site.cameras if camera in {"", each.id}]
    floor_zones = [zone for zone in site.zones if zone.floor_m is not None and not camera]
    return render(
        visit,
        "zones.html",
        plan=site,
        cameras=cameras,
        camera=camera,
        floor_zones=floor_zones,
        floor=site.plant.plan or PlanSpec(),
    )


@router.get("/new")
def new_zone_page(visit: ManagerOnlyVisit, camera: str = "", on: str = "picture") -> Response:
    site = _site(visit)
    canvas = _canvas(site, camera, on_floor=on == "floor")
    return _editor(visit, site, canvas, values={"name": "", "corners": ""})


@router.post("")
def create_zone(visit: ManagerOnlyVisit, form: Form) -> Response:
    site = _site(visit)
    on_floor = forms.text(form, "on") == "floor"
    canvas = _canvas(site, forms.text(form, "camera"), on_floor=on_floor)
    zone_id = zone_forms.new_id("zone")
    filled = zone_forms.filled_zone(form, visit.translate, zone_id=zone_id, canvas=canvas)
    if filled.spec is None:
        return _editor(visit, site, canvas, values=filled.values, problems=filled.problems)
    with visit.database.transaction() as session:
        edit.put(session, filled.spec, by=visit.actor, at=visit.now)
        if forms.text(form, "alert_on_entry") == "yes":
            name = visit.translate("rules.default_name.intrusion", zone=filled.spec.name)[:120]
            rule = rule_forms.new_rule("intrusion", name=name, zone_id=zone_id)
            edit.put(session, rule, by=visit.actor, at=visit.now)
    visit.hub.nudge("config")
    return redirect(f"/zones/{zone_id}?done=created")


@router.post("/views")
def zone_views(visit: ViewerVisit, drawn: Drawn) -> dict[str, Any]:
    """How every calibrated camera sees an outline on the floor that is being drawn."""
    site = _site(visit)
    canvas = _canvas(site, drawn.camera, on_floor=True)
    try:
        floor_m = checked_floor_polygon(canvas.to_floor(drawn.corners))
    except PydanticCustomError as error:
        said = visit.translate(error.type, **(error.context or {}))
        return {"problem": said, "views": {}}
    views = {view.camera.id: view.polygon for view in views_of(site, floor_m)}
    return {"problem": "", "views": views}


@router.get("/{zone_id}")
def zone_page(visit: ViewerVisit, zone_id: str, camera: str = "") -> Response:
    site = _site(visit)
    zone = find_zone_in(site, zone_id)
    canvas = _canvas_of(site, zone, camera)
    corners = canvas.corners_of(zone)
    if corners is None:  # not whole in this picture: on the plan it always is
        canvas = _canvas_of(site, zone, "")
        corners = canvas.corners_of(zone) or ()
    values = {"name": zone.name, "corners": zone_forms.corners_text(corners, canvas.unit)}
    return _editor(visit, site, canvas, values=values, zone=zone)


@router.post("/{zone_id}")
def change_zone(visit: ManagerOnlyVisit, zone_id: str, form: Form) -> Response:
    with visit.database.transaction() as session:
        site = load_site(session).spec
        zone = find_zone_in(site, zone_id)
        canvas = _canvas_of(site, zone, forms.text(form, "camera"))
        filled = zone_forms.filled_zone(form, visit.translate, zone_id=zone_id, canvas=canvas)
        if filled.spec is not None:
            check_match(forms.text(form, "etag") or None, spec_etag(zone))
            edit.put(session, filled.spec, by=visit.actor, at=visit.now)
    if filled.spec is None:
        return _editor(
            visit, site, canvas, values=filled.values, problems=filled.problems, zone=zone
        )
    visit.hub.nudge("config")
    return redirect(f"/zones/{zone_id}?done=saved")


@router.post("/{zone_id}/delete")
def delete_zone(visit: ManagerOnlyVisit, zone_id: str) -> Response:
    """Remove a zone and its rules; old alerts keep the names they had."""
    with visit.database.transaction() as session:
        zone = find_zone(session, zone_id)
        for rule in load_site(session).spec.rules:
            if rule.zone_id == zone_id:
                edit.remove(session, "rules", rule.id, by=visit.actor, at=visit.now)
        edit.remove(session, "zones", zone_id, by=visit.actor, at=visit.now)
    visit.hub.nudge("config")
    shown = f"camera={zone.camera_id}&" if zone.camera_id else ""
    return redirect(f"/zones?{shown}done=deleted")


def find_zone(session: Session, zone_id: str) -> ZoneSpec:
    """One zone.

    Raises:
        NotFound: There is none.
    """
    return find_zone_in(load_site(session).spec, zone_id)


def find_zone_in(site: SiteSpec, zone_id: str) -> ZoneSpec:
    """As ``find_zone``, in a site that has been read already."""
    for zone in site.zones:
        if zone.id == zone_id:
            return zone
    raise NotFound("zone", zone_id)


def _site(visit: Visit) -> SiteSpec:
    with visit.database.reading() as session:
        return load_site(session).spec


def _canvas(site: SiteSpec, camera_id: str, *, on_floor: bool) -> Canvas:
    """A picture, or the plan.

    Raises:
        NotFound: No such camera, or a zone on the floor in a picture without a floor.
    """
    plan = site.plant.plan or PlanSpec()
    if on_floor and not camera_id:
        return Canvas(camera=None, on_floor=True, plan=plan)
    camera = next((each for each in site.cameras if each.id == camera_id), None)
    if camera is None:
        raise NotFound("camera", camera_id)
    if on_floor and camera.calibration is None:
        raise NotFound("floor calibration", camera_id)
    return Canvas(camera=camera, on_floor=on_floor, plan=plan)


def _canvas_of(site: SiteSpec, zone: ZoneSpec, camera_id: str) -> Canvas:
    on_floor = zone.floor_m is not None
    return _canvas(site, camera_id if on_floor else zone.camera_id or "", on_floor=on_floor)


def _editor(
    visit: Visit,
    site: SiteSpec,
    canvas: Canvas,
    *,
    values: Mapping[str, Any],
    problems: Mapping[str, str] | None = None,
    zone: ZoneSpec | None = None,
) -> Response:
    others = [
        {"name": each.name, "corners": corners}
        for each in site.zones
        if (zone is None or each.id != zone.id) and (corners := canvas.corners_of(each))
    ]
    floor_m = zone.floor_m if zone is not None else None
    views = views_of(site, floor_m) if floor_m is not None else _blank_views(site, canvas)
    unresolved = _unresolved(visit, zone)
    return render(
        visit,
        "zone.html",
        status=422 if problems else 200,
        camera=canvas.camera,
        on_floor=canvas.on_floor,
        surface=canvas.surface() | {"views": _looked_at(site, canvas)},
        zone=zone,
        values=values,
        problems=dict(problems or {}),
        etag=spec_etag(zone) if zone else "",
        others=others,
        views=views,
        unresolved=unresolved,
        hatched=_nowhere_seen(zone, canvas, views, unresolved),
        rules=read_rules(visit, site, zone.id) if zone else [],
        kinds=RULE_KINDS,
    )


def _looked_at(site: SiteSpec, canvas: Canvas) -> list[Corners]:
    """What calibrated cameras see of the plan, where the plan is drawn on."""
    if canvas.camera is not None:
        return []
    calibrations = [each.calibration for each in site.cameras if each.enabled]
    return [seen for each in calibrations if each and (seen := in_view(each, canvas.plan))]


def _blank_views(site: SiteSpec, canvas: Canvas) -> list[View]:
    """Every calibrated camera, for a zone that is still to be drawn."""
    if not canvas.on_floor:
        return []
    calibrated = [each for each in site.cameras if each.enabled and each.calibration is not None]
    return [View(camera=each, polygon=None) for each in calibrated]


def _unresolved(visit: Visit, zone: ZoneSpec | None) -> frozenset[str]:
    """Cameras in whose picture people in the zone are too small to be found."""
    known = visit.hub.camera_status().values()
    return frozenset(
        each.camera_id for each in known if zone is not None and zone.id in each.unresolved_zones
    )


def _nowhere_seen(
    zone: ZoneSpec | None, canvas: Canvas, views: list[View], unresolved: frozenset[str]
) -> bool:
    """Whether no camera can find anybody in the zone as it is drawn here."""
    if zone is None:
        return False
    if canvas.camera is not None:
        return canvas.camera.id in unresolved
    return not any(view.polygon and view.camera.id not in unresolved for view in views)
