"""The floor plan as one moment shows it: who and what is where, and what is watched.

What nobody has confirmed within three seconds is NOT MONITORED, as on the wall.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from cameras.messages import CameraStatus, PlanThing, ReportedVehicle
from cameras.plant import pose_of
from dashboard.canvas import Corners, calibration_of, in_view, plan_surface
from dashboard.hub import Hub
from dashboard.visit import Visit
from safety.clock import Clock
from safety.i18n import Translate
from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from safety.store import violations
from safety.types import CameraState
from zones.examine import WITHIN_95
from zones.feeds.vehicles import stopping_of
from zones.plant import PlanSpec
from zones.protective_field import field, footprint_at
from zones.specs import ZoneSpec

ZoneState = Literal["watched", "unwatched", "muted", "danger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorSite:
    """What of the site the plan shows.

    Attributes:
        revision: Of the configuration.
        looks_at: What every enabled, calibrated camera sees of the plan, by camera id.
        seen_by: Cameras that have a zone in view, by zone id.
        endangered: Zones in which a violation lasts.
    """

    spec: SiteSpec
    revision: int
    looks_at: Mapping[str, Corners]
    seen_by: Mapping[str, frozenset[str]]
    endangered: frozenset[str]

    @property
    def zones(self) -> list[ZoneSpec]:
        """Zones on the floor."""
        return [zone for zone in self.spec.zones if zone.floor_m is not None]


def read_floor_site(visit: Visit) -> FloorSite:
    """The site from the record; blocking."""
    with visit.database.reading() as session:
        loaded = load_site(session)
        lasting = violations.open_violations(session)
        endangered = {
            each.zone_id for each in lasting if each.zone_id and not each.details.get("shadow")
        }
    return floor_site(loaded.spec, revision=loaded.revision, endangered=frozenset(endangered))


def floor_site(spec: SiteSpec, *, revision: int, endangered: frozenset[str]) -> FloorSite:
    """What of a site the plan shows, with what its cameras see of it."""
    plan = spec.plant.plan or PlanSpec()
    cameras = [each for each in spec.cameras if each.enabled and each.calibration]
    looks_at = {
        each.id: seen
        for each in cameras
        if each.calibration and (seen := in_view(each.calibration, plan))
    }
    known = {each.id: calibration for each in cameras if (calibration := calibration_of(each))}
    seen_by = {
        zone.id: frozenset(
            name for name, each in known.items() if each.picture_polygon(zone.floor_m)
        )
        for zone in spec.zones
        if zone.floor_m is not None
    }
    return FloorSite(
        spec=spec,
        revision=revision,
        looks_at=looks_at,
        seen_by=seen_by,
        endangered=endangered,
    )


def still_part(site: FloorSite) -> dict[str, Any]:
    """What the page draws once."""
    names = {camera.id: camera.name for camera in site.spec.cameras}
    return {
        "revision": site.revision,
        "surface": plan_surface(site.spec.plant.plan or PlanSpec()),
        "zones": [
            {"id": zone.id, "name": zone.name, "corners": zone.floor_m} for zone in site.zones
        ],
        "cameras": [
            {"id": each, "name": names[each], "corners": seen}
            for each, seen in site.looks_at.items()
        ],
    }


def moving_part(site: FloorSite, hub: Hub, clock: Clock, translate: Translate) -> dict[str, Any]:
    """What the page is told several times a second."""
    known = hub.camera_status()
    update, plant = hub.plan(), hub.plant_status()
    vehicles = [_reported(each, site.spec, clock) for each in plant.vehicles] if plant else []
    seen = list(map(_thing, update.vehicles)) if update else []
    people = list(map(_thing, update.people)) if update else []
    cameras = {each: _camera_state(known.get(each)) for each in site.looks_at}
    zones = {zone.id: zone_state(site, zone.id, hub) for zone in site.zones}
    return {
        "revision": site.revision,
        "sentence": _sentence(cameras, zones, translate),
        "complete": _complete(cameras, zones),
        "count": translate("plan.count", people=len(people), vehicles=len(vehicles) + len(seen)),
        "cameras": {
            each: {"state": state, "text": translate(f"state.{state}")}
            for each, state in cameras.items()
        },
        "zones": {
            each: {"state": state, "text": translate(f"plan.zone.{state}")}
            for each, state in zones.items()
        },
        "people": people,
        "seen": seen,
        "vehicles": vehicles,
        "lost": _lost(site.spec, plant.lost_vehicles if plant else {}, translate),
    }


def zone_state(site: FloorSite, zone_id: str, hub: Hub) -> ZoneState:
    """How it stands with a zone on the floor; what nobody can say is not watched."""
    plant = hub.plant_status()
    known = hub.camera_status()
    watching = [
        status
        for camera_id in site.seen_by[zone_id]
        if (status := known.get(camera_id)) is not None
        and status.state is not CameraState.BLIND
        and zone_id not in status.unresolved_zones
    ]
    if not watching:
        return "unwatched"
    if zone_id in site.endangered:
        return "danger"
    return "muted" if plant is not None and zone_id in plant.muted_zones else "watched"


def _camera_state(status: CameraStatus | None) -> str:
    return (CameraState.BLIND if status is None else status.state).value


def _complete(cameras: Mapping[str, str], zones: Mapping[str, ZoneState]) -> bool:
    return (
        bool(cameras)
        and all(each == "live" for each in cameras.values())
        and "unwatched" not in zones.values()
    )


def _sentence(
    cameras: Mapping[str, str], zones: Mapping[str, ZoneState], translate: Translate
) -> str:
    unwatched = sum(each == "unwatched" for each in zones.values())
    watched = sum(state != "blind" for state in cameras.values())
    if not cameras:
        return translate("plan.no_cameras")
    if watched == 0:
        return translate("plan.none_watched")
    if unwatched:
        return translate("plan.zones_unwatched", count=unwatched, total=len(zones))
    if watched == len(cameras) == 1:
        return translate("plan.one_watched")
    key = "plan.all_watched" if watched == len(cameras) else "plan.some_watched"
    return translate(key, watched=watched, total=len(cameras))


def _thing(thing: PlanThing) -> dict[str, Any]:
    xx, xy, yy = thing.covariance_m2
    variances, axes = np.linalg.eigh(np.array([[xx, xy], [xy, yy]]))
    shorter, longer = (np.sqrt(variances.clip(0)) * WITHIN_95).tolist()
    return {
        "id": thing.id,
        "at": (round(thing.x_m, 2), round(thing.y_m, 2)),
        "axes": (round(longer, 2), round(shorter, 2)),
        "angle": round(math.atan2(axes[1, 1], axes[0, 1]), 3),
        "velocity": thing.velocity_mps,
    }


def _reported(vehicle: ReportedVehicle, site: SiteSpec, clock: Clock) -> dict[str, Any]:
    """A vehicle that reports itself; the message says where it is now, not where it was."""
    now = clock.now()
    pose = replace(pose_of(vehicle, now), at=now)
    room = field(pose, now, stopping_of(pose))
    names = {each.id: each.name for each in site.plant.vehicles}
    return {
        "id": vehicle.vehicle_id,
        "name": names.get(vehicle.vehicle_id, vehicle.vehicle_id),
        "speed": round(math.hypot(*vehicle.velocity_mps), 1),
        "footprint": _rounded(footprint_at(pose, now.monotonic)),
        "field": _rounded(room or ()),
    }


def _rounded(corners: Corners) -> list[tuple[float, float]]:
    return [(round(x, 2), round(y, 2)) for x, y in corners]


def _lost(site: SiteSpec, lost: Mapping[str, str], translate: Translate) -> list[str]:
    names = {each.id: each.name for each in site.plant.vehicles}
    return [
        f"{names.get(vehicle_id, vehicle_id)}: {translate(f'vehicle.lost.{reason}')}"
        for vehicle_id, reason in lost.items()
    ]
