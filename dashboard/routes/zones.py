"""Danger zones: drawn on a still picture, with the rules that apply in them."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from dashboard import forms, zone_forms
from dashboard.access import ManagerOnlyVisit, ViewerVisit
from dashboard.etags import check_match, spec_etag
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.visit import Visit
from safety.site import edit
from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from safety.store.refusals import NotFound
from zones.geometry import Polygon
from zones.specs import ZoneSpec

router = APIRouter(prefix="/zones", include_in_schema=False)


@router.get("")
def zones_page(visit: ViewerVisit, camera: str = "") -> Response:
    with visit.database.reading() as session:
        site = load_site(session).spec
    cameras = [each for each in site.cameras if camera in {"", each.id}]
    return render(visit, "zones.html", plan=site, cameras=cameras, camera=camera)


@router.get("/new")
def new_zone_page(visit: ManagerOnlyVisit, camera: str) -> Response:
    return _editor(visit, camera_id=camera, values={"name": "", "corners": ""})


@router.post("")
def create_zone(visit: ManagerOnlyVisit, form: Form) -> Response:
    camera_id = forms.text(form, "camera")
    zone_id = zone_forms.new_id("zone")
    filled = zone_forms.filled_zone(form, visit.translate, zone_id=zone_id, camera_id=camera_id)
    if filled.spec is None:
        return _editor(visit, camera_id=camera_id, values=filled.values, problems=filled.problems)
    with visit.database.transaction() as session:
        edit.put(session, filled.spec, by=visit.actor, at=visit.now)
        if forms.text(form, "alert_on_entry") == "yes":
            name = visit.translate("rules.default_name.intrusion", zone=filled.spec.name)[:120]
            rule = zone_forms.new_rule("intrusion", name=name, zone_id=zone_id)
            edit.put(session, rule, by=visit.actor, at=visit.now)
    visit.hub.nudge("config")
    return redirect(f"/zones/{zone_id}?done=created")


@router.get("/{zone_id}")
def zone_page(visit: ViewerVisit, zone_id: str) -> Response:
    with visit.database.reading() as session:
        zone = find_zone(session, zone_id)
    camera_id, polygon = _in_picture(zone)
    values = {"name": zone.name, "corners": zone_forms.corners_text(polygon)}
    return _editor(visit, camera_id=camera_id, values=values, zone=zone)


@router.post("/{zone_id}")
def change_zone(visit: ManagerOnlyVisit, zone_id: str, form: Form) -> Response:
    with visit.database.transaction() as session:
        zone = find_zone(session, zone_id)
        camera_id, _ = _in_picture(zone)
        filled = zone_forms.filled_zone(form, visit.translate, zone_id=zone_id, camera_id=camera_id)
        if filled.spec is not None:
            check_match(forms.text(form, "etag") or None, spec_etag(zone))
            edit.put(session, filled.spec, by=visit.actor, at=visit.now)
    if filled.spec is None:
        return _editor(
            visit,
            camera_id=camera_id,
            values=filled.values,
            problems=filled.problems,
            zone=zone,
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
    return redirect(f"/zones?camera={zone.camera_id}&done=deleted")


def find_zone(session: Session, zone_id: str) -> ZoneSpec:
    """One zone.

    Raises:
        NotFound: There is none.
    """
    for zone in load_site(session).spec.zones:
        if zone.id == zone_id:
            return zone
    raise NotFound("zone", zone_id)


def _in_picture(zone: ZoneSpec) -> tuple[str, Polygon]:
    """Camera and polygon of a zone that is drawn in a picture.

    Raises:
        NotFound: It is one on the floor plan.
    """
    if zone.camera_id is None or zone.polygon is None:
        raise NotFound("zone", zone.id)
    return zone.camera_id, zone.polygon


def _editor(
    visit: Visit,
    *,
    camera_id: str,
    values: Mapping[str, Any],
    problems: Mapping[str, str] | None = None,
    zone: ZoneSpec | None = None,
) -> Response:
    with visit.database.reading() as session:
        site = load_site(session).spec
    camera = next((each for each in site.cameras if each.id == camera_id), None)
    if camera is None:
        raise NotFound("camera", camera_id)
    return render(
        visit,
        "zone.html",
        status=422 if problems else 200,
        camera=camera,
        zone=zone,
        values=values,
        problems=dict(problems or {}),
        etag=spec_etag(zone) if zone else "",
        others=_other_zones(site, camera_id, zone),
        rules=[rule for rule in site.rules if zone and rule.zone_id == zone.id],
        channel_names={channel.id: channel.name for channel in site.channels},
        kinds=zone_forms.RULE_KINDS,
    )


def _other_zones(
    site: SiteSpec, camera_id: str, zone: ZoneSpec | None
) -> list[tuple[tuple[float, float], ...]]:
    return [
        each.polygon
        for each in site.zones
        if each.polygon is not None
        and each.camera_id == camera_id
        and (zone is None or each.id != zone.id)
    ]
