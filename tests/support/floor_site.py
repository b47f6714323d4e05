"""A factory one of whose cameras knows the floor, seen from above at a slant."""

from pathlib import Path

import numpy as np

from cameras.specs import CameraSpec
from safety.site.apply import apply_site
from safety.site.spec import SiteSpec
from tests.support.factory import factory_spec
from tests.support.web import Site
from zones.calibration import CalibrationSpec, PointPair
from zones.feeds.vehicles import VehicleSpec
from zones.plant import PlanSpec, PlantSpec
from zones.specs import ZoneSpec

PLACES = tuple((x, y) for y in (4.0, 9.0) for x in (-3.0, -1.0, 1.0, 3.0))
"""Points of the floor, metres."""

PLAN = PlanSpec(width_m=20.0, height_m=16.0, origin_m=(-10.0, 0.0))

IN_VIEW = ((-1.0, 5.0), (1.0, 5.0), (1.0, 7.0), (-1.0, 7.0))
BEHIND = ((-9.0, 0.5), (-7.0, 0.5), (-7.0, 2.0), (-9.0, 2.0))


def seen_at(x: float, y: float) -> tuple[float, float]:
    """Where a camera 4 m up that looks down by 20° shows a place, 0-1 of its picture."""
    slant = np.deg2rad(20)
    ahead = y * np.cos(slant) + 4 * np.sin(slant)
    below = 4 * np.cos(slant) - y * np.sin(slant)
    return float(0.5 + 0.9 * x / ahead / (16 / 9)), float(0.5 + 0.9 * below / ahead)


CALIBRATION = CalibrationSpec(
    pairs=tuple(PointPair(picture=seen_at(*place), plan_m=place) for place in PLACES)
)


def with_floor(site: Site) -> None:
    """Make it the site's configuration."""
    spec = floor_spec(site.settings.data_dir)
    apply_site(site.database, spec, by="test", now=site.now)


def floor_spec(directory: Path) -> SiteSpec:
    """A calibrated camera, a zone in its view and one that no camera sees."""
    spec = factory_spec(directory)
    cameras: list[CameraSpec] = list(spec.cameras)
    cameras[0] = cameras[0].model_copy(update={"calibration": CALIBRATION})
    zones = (
        ZoneSpec(id="front", name="프레스 앞", floor_m=IN_VIEW),
        ZoneSpec(id="store", name="창고", floor_m=BEHIND),
    )
    return spec.model_copy(
        update={
            "cameras": tuple(cameras),
            "zones": (*spec.zones, *zones),
            "plant": PlantSpec(plan=PLAN, vehicles=(VehicleSpec(id="amr-1", name="AMR 1"),)),
        }
    )
