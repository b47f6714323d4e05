"""The camera, zones and rules that a scene is scored with: what an installer would set up."""

import numpy as np

from safety.scoring.scene import Scene
from zones.calibration import CalibrationSpec, FloorCalibration, PointPair
from zones.distances import FixedDistance
from zones.rules.fall import FallSpec
from zones.rules.intrusion import IntrusionSpec
from zones.rules.man_down import ManDownSpec
from zones.rules.missing_ppe import MissingPpeSpec
from zones.rules.occupancy import OccupancySpec
from zones.rules.proximity import ProximitySpec
from zones.rules.reach_in import ReachInSpec
from zones.specs import RuleSpec, ZoneSpec
from zones.survey import solve

CAMERA_ID = "scene"

NEAR_M = 2.0
"""Truths call people nearer than this to a vehicle near."""

STILL_S = 1.0
"""Truths call somebody down as soon as they lie; scored is how soon that can be told."""

LONE_S = 1.0
"""Truths call somebody alone at once."""

_PICTURE_POINTS = ((0.1, 0.95), (0.5, 0.95), (0.9, 0.95), (0.2, 0.7), (0.8, 0.7), (0.3, 0.5),
                   (0.7, 0.5), (0.5, 0.6), (0.5, 0.42))  # fmt: skip
"""Where the camera is calibrated, as far as floor is seen there."""

_FARTHEST_M = 40.0


def zones_of(scene: Scene) -> tuple[ZoneSpec, ...]:
    """The scene's zones: on the floor, except those that lie above it, which are drawn."""
    return tuple(
        ZoneSpec(id=_slug(name), name=name, camera_id=CAMERA_ID, polygon=_in_picture(zone.image))
        if zone.kind == "reach"
        else ZoneSpec(id=_slug(name), name=name, floor_m=zone.floor_m)
        for name, zone in scene.zones.items()
    )


def rules_of(scene: Scene) -> tuple[RuleSpec, ...]:
    """One rule for everything that the scene's truth was computed for."""
    rules: list[RuleSpec] = []
    for name, zone in scene.zones.items():
        slug = _slug(name)
        if zone.kind == "restricted" and "zone" in scene.rules:
            rules.append(IntrusionSpec(id=f"intrusion-{slug}", name=name, zone_id=slug))
        if zone.kind == "reach" and "reach" in scene.rules:
            rules.append(ReachInSpec(id=f"reach-in-{slug}", name=name, zone_id=slug))
        if zone.kind == "ppe" and "ppe" in scene.rules:
            rules.append(MissingPpeSpec(id=f"ppe-{slug}", name=name, zone_id=slug))
    if "proximity" in scene.rules:
        near = FixedDistance(distance_m=NEAR_M)
        rules.append(ProximitySpec(id="proximity", name="Proximity", warning=near, cooldown_s=0.0))
    if "fall" in scene.rules:
        rules.append(FallSpec(id="fall", name="Fall"))
        rules.append(ManDownSpec(id="man-down", name="Man down", still_s=STILL_S))
    if "lone" in scene.rules:
        rules.append(
            OccupancySpec(
                id="lone", name="Lone", at_least=2, empty_is_fine=True, hold_to_open_s=LONE_S
            )
        )
    return tuple(rules)


def hold_s(rule: RuleSpec) -> float:
    """How long the condition must last before the rule opens a violation."""
    return rule.hold_to_open_s + (rule.still_s if isinstance(rule, ManDownSpec) else 0.0)


def calibration_of(scene: Scene) -> FloorCalibration:
    """The camera as an installer would calibrate it, from the truth's own homography.

    Raises:
        ValueError: The camera cannot be calibrated: hardly any floor is in its picture.
    """
    return solve(CalibrationSpec(pairs=pairs_of(scene), aspect=scene.aspect))


def pairs_of(scene: Scene) -> tuple[PointPair, ...]:
    """Places in the picture and where they are on the floor, as far as floor is seen there."""
    to_floor = np.linalg.inv(np.array(scene.camera.floor_to_image))
    pairs: list[PointPair] = []
    for x, y in _PICTURE_POINTS:
        place = to_floor @ (x * scene.width_px, y * scene.height_px, 1.0)
        ahead = float(np.array(scene.camera.floor_to_image)[2] @ (place / place[2]))
        plan = place[:2] / place[2]
        if ahead > 0 and float(np.abs(plan).max()) < _FARTHEST_M:
            pairs.append(PointPair(picture=(x, y), plan_m=(float(plan[0]), float(plan[1]))))
    return tuple(pairs)


def _in_picture(polygon: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    return tuple((min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)) for x, y in polygon)


def _slug(name: str) -> str:
    return name.lower().replace("_", "-").replace(" ", "-")
