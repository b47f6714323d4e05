"""What zones are drawn on: a camera's picture, or the site's floor plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic_core import PydanticCustomError

from cameras.specs import CameraSpec
from safety.site.spec import SiteSpec
from zones.calibration import CalibrationSpec, FloorCalibration
from zones.geometry import FloorPolygon, Polygon
from zones.plant import PlanSpec
from zones.specs import ZoneSpec
from zones.survey import solve

Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """A picture or the plan, on which a zone's corners are given.

    Attributes:
        camera: Whose picture it is; None on the plan.
        on_floor: Whether the zone lies on the floor: in a picture only where the camera is
            calibrated.
        plan: The floor plan.
    """

    camera: CameraSpec | None
    on_floor: bool
    plan: PlanSpec

    @property
    def unit(self) -> float:
        """What one written number is worth: percent of the picture, or metres of the plan."""
        return 1.0 if self.camera is None else 0.01

    def place(self, corners: Corners) -> dict[str, Any]:
        """The fields of a ``ZoneSpec`` with these corners.

        Raises:
            ValueError: A corner is not on the floor; a ``PydanticCustomError``.
        """
        if not self.on_floor:
            assert self.camera is not None
            return {"camera_id": self.camera.id, "polygon": corners}
        return {"floor_m": self.to_floor(corners)}

    def to_floor(self, corners: Corners) -> FloorPolygon:
        """Corners on this canvas as places on the plan.

        Raises:
            ValueError: One is above the horizon; a ``PydanticCustomError``.
        """
        if self.camera is None or not corners:
            return corners
        calibration = calibration_of(self.camera)
        assert calibration is not None, "only calibrated pictures show the floor"
        found = calibration.places(np.array(corners)).tolist()
        for number, (x, y) in enumerate(found, start=1):
            if not np.isfinite([x, y]).all():
                raise PydanticCustomError(
                    "zones.not_on_floor",
                    "corner {number} is above the horizon, where there is no floor; draw the zone "
                    "lower, or on the plan",
                    {"number": number},
                )
        return tuple((float(x), float(y)) for x, y in found)

    def corners_of(self, zone: ZoneSpec) -> Corners | None:
        """A zone's corners on this canvas; None if it cannot be drawn here whole."""
        if zone.floor_m is None:
            here = self.camera is not None and zone.camera_id == self.camera.id
            return zone.polygon if here else None
        if self.camera is None:
            return zone.floor_m
        calibration = calibration_of(self.camera)
        if calibration is None:
            return None
        places = calibration.to_picture(np.array(zone.floor_m))
        if not ((places >= 0) & (places <= 1)).all():
            return None
        return tuple((float(x), float(y)) for x, y in places)

    def surface(self) -> dict[str, Any]:
        """What the page's script has to know of it."""
        return {"kind": "picture"} if self.camera is not None else plan_surface(self.plan)


def plan_surface(plan: PlanSpec) -> dict[str, Any]:
    """The floor plan as the pages' scripts draw it."""
    image = f"/plan/picture/{plan.image_sha256}.jpg" if plan.image_sha256 else None
    return {"kind": "plan", "image": image, **plan.model_dump(exclude={"image_sha256"})}


def calibration_of(camera: CameraSpec) -> FloorCalibration | None:
    """How a camera sees the floor; None if nobody has calibrated it."""
    return None if camera.calibration is None else solve(camera.calibration)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One camera's view of a zone on the floor.

    Attributes:
        polygon: What of it is in the picture; None if nothing is.
    """

    camera: CameraSpec
    polygon: Polygon | None


def views_of(site: SiteSpec, floor_m: FloorPolygon) -> list[View]:
    """How every enabled, calibrated camera sees a place on the floor."""
    return [
        View(camera=camera, polygon=calibration.picture_polygon(floor_m))
        for camera in site.cameras
        if camera.enabled and (calibration := calibration_of(camera)) is not None
    ]


def in_view(spec: CalibrationSpec, plan: PlanSpec) -> Corners | None:
    """The part of the plan that a calibrated camera looks at; None if there is none."""
    calibration = solve(spec)
    (x, y), wide, high = plan.origin_m, plan.width_m, plan.height_m
    whole = ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high))
    seen = calibration.picture_polygon(whole)
    if seen is None:
        return None
    places = calibration.places(_with_more_corners(seen))
    return tuple((float(a), float(b)) for a, b in places if np.isfinite([a, b]).all())


def _with_more_corners(corners: Sequence[tuple[float, float]]) -> np.ndarray[Any, Any]:
    """The same outline with every edge cut in eight: a lens bends straight edges."""
    outline = np.array(corners)
    shares = np.arange(8)[:, None, None] / 8
    dense: np.ndarray[Any, Any] = outline + shares * (np.roll(outline, -1, axis=0) - outline)
    return dense.transpose(1, 0, 2).reshape(-1, 2)
