"""The vehicles near one camera's persons: those it sees and those that report themselves.

A vehicle that does both is one: it keeps its reported place, which is better, and its box.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import shapely
from shapely import Polygon

from safety.clock import Instant
from safety.types import (
    FloatArray,
    FloorPosition,
    ObjectClass,
    PlantState,
    SeenVehicle,
    VehiclePose,
)
from zones.gaps import STANDING_MPS, convex
from zones.geometry import FloorPolygon
from zones.motion import SIZE_M
from zones.protective_field import LONGEST_S, outline_at, place

SAME_VEHICLE_M = 1.0
"""A seen vehicle this near to a reported one of its kind is that one; twice the standard
deviation of its place is added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """One vehicle, as of one frame.

    Attributes:
        name: ``"amr-3"`` for one that is only seen, else the vehicle's id in the settings.
        outline: On the plan, metres, convex and anticlockwise; None where the floor is unknown.
        velocity_mps: In the plan; None while unknown.
        covariance_m2: xx, xy and yy of its place.
        box: (4,) in the picture, normalised; None if it is not seen.
        born_at: Monotonic seconds when first seen; for reported ones, when it was there.
        reported: Whether it reports its place itself.
    """

    name: str
    kind: ObjectClass
    outline: FloorPolygon | None
    velocity_mps: tuple[float, float] | None
    covariance_m2: tuple[float, float, float]
    box: FloatArray | None
    born_at: float
    reported: bool

    @property
    def speed_mps(self) -> float | None:
        """Metres per second; None while unknown."""
        return None if self.velocity_mps is None else math.hypot(*self.velocity_mps)

    @property
    def stands(self) -> bool:
        """Whether it surely stands still; one of unknown speed may move."""
        return self.speed_mps is not None and self.speed_mps < STANDING_MPS


class Traffic:
    """The vehicles of one frame, found once for all rules of a camera.

    Attributes:
        lost: Ids of vehicles that should report where they are and do not.
    """

    def __init__(self, seen: Sequence[SeenVehicle], plant: PlantState, at: Instant) -> None:
        self.lost = plant.lost_vehicles
        self._seen = seen
        self._plant = plant
        self._at = at

    @cached_property
    def vehicles(self) -> tuple[Vehicle, ...]:
        """Every vehicle once."""
        now = self._at.monotonic
        reported = [
            _reported(pose, now)
            for pose in self._plant.vehicles.values()
            if abs(now - pose.at.monotonic) <= LONGEST_S
        ]
        partner = _same(self._seen, reported)
        merged = [
            _with_box(vehicle, self._seen[partner[row]], now) if row in partner else vehicle
            for row, vehicle in enumerate(reported)
        ]
        taken = set(partner.values())
        alone = [
            _only_seen(vehicle, now)
            for row, vehicle in enumerate(self._seen)
            if row not in taken and vehicle.moved
        ]
        return (*merged, *alone)

    def of(self, kinds: Collection[str]) -> list[Vehicle]:
        """The vehicles of these kinds."""
        return [vehicle for vehicle in self.vehicles if vehicle.kind in kinds]


def _reported(pose: VehiclePose, now: float) -> Vehicle:
    moved = place(pose, now)
    return Vehicle(
        name=pose.vehicle_id,
        kind=pose.kind,
        outline=outline_at(_hull(pose.footprint_m), moved),
        velocity_mps=moved.velocity_mps,
        covariance_m2=pose.covariance_m2,
        box=None,
        born_at=pose.at.monotonic,
        reported=True,
    )


_hull = lru_cache(maxsize=256)(convex)
"""Of footprints: they stay convex wherever their vehicle drives."""


def _only_seen(vehicle: SeenVehicle, now: float) -> Vehicle:
    floor = vehicle.floor
    return Vehicle(
        name=f"{vehicle.kind}-{vehicle.track_id}",
        kind=vehicle.kind,
        outline=None if floor is None else convex(vehicle.footprint_m or _around(vehicle, floor)),
        velocity_mps=vehicle.velocity_mps,
        covariance_m2=(0.0, 0.0, 0.0) if floor is None else floor.covariance_m2,
        box=vehicle.box,
        born_at=now - vehicle.age_s,
        reported=False,
    )


def _with_box(reported: Vehicle, seen: SeenVehicle, now: float) -> Vehicle:
    return Vehicle(
        name=reported.name,
        kind=reported.kind,
        outline=reported.outline,
        velocity_mps=reported.velocity_mps,
        covariance_m2=reported.covariance_m2,
        box=seen.box,
        born_at=now - seen.age_s,
        reported=True,
    )


def _around(vehicle: SeenVehicle, floor: FloorPosition) -> tuple[tuple[float, float], ...]:
    """An outline for a place without one: all that a vehicle of this kind may cover."""
    reach = SIZE_M[vehicle.kind][0] / 2
    return tuple(
        (floor.x_m + dx * reach, floor.y_m + dy * reach)
        for dx, dy in ((1, 1), (-1, 1), (-1, -1), (1, -1))
    )


def _same(seen: Sequence[SeenVehicle], reported: Sequence[Vehicle]) -> Mapping[int, int]:
    """Row of a reported vehicle → row of the seen one that it is, nearest first."""
    pairs: list[tuple[float, float, int, int]] = []
    for row, vehicle in enumerate(reported if seen else ()):
        assert vehicle.outline is not None, "reported vehicles have a place"
        outline = Polygon(vehicle.outline)
        for column, other in enumerate(seen):
            if other.floor is None:
                continue
            edge = shapely.Point(other.floor.x_m, other.floor.y_m)
            apart = float(outline.distance(edge))
            doubt = 2 * math.sqrt(max(other.floor.covariance_m2[0], other.floor.covariance_m2[2]))
            shape = Polygon(other.footprint_m) if other.footprint_m else edge
            # The network may mistake one kind for the other, but not beside each other.
            same = (
                apart <= SAME_VEHICLE_M + doubt
                if other.kind is vehicle.kind
                else outline.intersects(shape)
            )
            if same:
                off = float(outline.centroid.distance(shape.centroid))
                pairs.append((apart, off, row, column))
    chosen: dict[int, int] = {}
    for _, _, row, column in sorted(pairs):
        if row not in chosen and column not in chosen.values():
            chosen[row] = column
    return chosen
