"""The busiest case of ``bench_rules``: floor zones, every kind of rule, and vehicles that report.

Twenty persons walk about a calibrated hall with ten zones on its floor and three robots.
"""

import math
from collections.abc import Callable
from itertools import count

import numpy as np

from safety.clock import Instant
from safety.perception.tracking import create_tracker
from safety.types import Detections, ObjectClass, Observation, PlantState, VehiclePose
from tests.support.bodies import ASPECT, body, camera
from zones.engine import RuleEngine
from zones.floor import locate
from zones.rules.dwell import DwellSpec
from zones.rules.fall import FallSpec
from zones.rules.intrusion import IntrusionSpec
from zones.rules.line_crossing import LineCrossingSpec
from zones.rules.man_down import ManDownSpec
from zones.rules.occupancy import OccupancySpec
from zones.rules.proximity import ProximitySpec
from zones.rules.reach_in import ReachInSpec
from zones.rules.running import RunningSpec
from zones.rules.vehicle_in_zone import VehicleInZoneSpec
from zones.specs import RuleSpec, ZoneSpec

PERSONS = 20
ROBOTS = 3
FOOTPRINT = ((0.5, 0.35), (-0.5, 0.35), (-0.5, -0.35), (0.5, -0.35))

Step = Callable[[Detections, float], object]


def walk(frames: int, fps: float) -> list[Detections]:
    """What a network finds of the twenty, frame by frame."""
    return [_found(number / fps) for number in range(frames)]


def steps() -> dict[str, Step]:
    """Tracking, then tracking and places on the floor, then all with the rules."""
    return {"tracking": _step(0), "tracking_floor": _step(1), "tracking_floor_rules": _step(2)}


def _step(depth: int) -> Step:
    tracker, calibration, engine = create_tracker(ASPECT), camera(), _engine()

    def step(found: Detections, at_s: float) -> object:
        at = Instant(wall=at_s, monotonic=at_s)
        persons = tracker.update(found, at)
        if depth == 0:
            return persons
        placed = locate(persons, calibration)
        if depth == 1:
            return placed
        seen = Observation(camera_id="cam", at=at, sequence=1, aspect=ASPECT, persons=placed)
        return engine.update(seen, _plant(at))

    return step


def _engine() -> RuleEngine:
    zones = [
        ZoneSpec(id=f"z{n}", name=f"Zone {n}", floor_m=_square(-4.5 + 2 * (n % 5), 7 + n // 5 * 4))
        for n in range(10)
    ]
    rules = _rules()
    ids = count()
    return RuleEngine(
        camera_id="cam",
        zones=zones,
        rules=rules,
        rule_revisions={rule.id: 1 for rule in rules},
        new_id=lambda: f"v{next(ids)}",
        calibration=camera(),
    )


def _rules() -> list[RuleSpec]:
    return [
        IntrusionSpec(id="r0", name="R", zone_id="z0"),
        IntrusionSpec(id="r1", name="R", zone_id="z1"),
        DwellSpec(id="r2", name="R", zone_id="z2", limit_s=5),
        ReachInSpec(id="r3", name="R", zone_id="z3"),
        OccupancySpec(id="r4", name="R", zone_id="z4", at_most=2),
        LineCrossingSpec(id="r5", name="R", zone_id="z5", line_m=((-5, 9), (5, 9))),
        ProximitySpec(id="r6", name="R"),
        VehicleInZoneSpec(id="r7", name="R", zone_id="z7"),
        FallSpec(id="r8", name="R"),
        ManDownSpec(id="r9", name="R"),
        RunningSpec(id="r10", name="R"),
    ]


def _square(x: float, y: float) -> tuple[tuple[float, float], ...]:
    return ((x, y), (x + 1.6, y), (x + 1.6, y + 3), (x, y + 3))


def _plant(at: Instant) -> PlantState:
    poses = [
        VehiclePose(
            vehicle_id=f"amr-{number}",
            kind=ObjectClass.AMR,
            at=at,
            x_m=-3.0 + 3 * number,
            y_m=10 + 3 * math.sin(at.monotonic / 3 + number),
            heading_rad=math.pi / 2,
            velocity_mps=(0.0, math.cos(at.monotonic / 3 + number)),
            footprint_m=FOOTPRINT,
        )
        for number in range(ROBOTS)
    ]
    return PlantState(vehicles={pose.vehicle_id: pose for pose in poses})


def _found(at_s: float) -> Detections:
    persons = [
        body(
            number,
            "stands",
            (
                -4 + 2 * (number % 5) + 0.8 * math.sin(at_s * 0.8 + number),
                7 + 2 * (number // 5) + 0.8 * math.cos(at_s * 0.6 + number),
            ),
            yaw_deg=90 * math.sin(at_s / 5 + number),
            calibrated=False,
        )
        for number in range(PERSONS)
    ]
    return Detections(
        boxes=np.stack([person.box for person in persons]),
        scores=np.linspace(0.9, 0.55, PERSONS).astype(np.float32),
        classes=np.zeros(PERSONS, np.int64),
        keypoints=np.stack([person.keypoints for person in persons]),
    )
