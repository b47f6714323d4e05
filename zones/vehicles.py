"""The vehicles near one camera's persons: those it sees and those that report themselves.

A vehicle that does both is one: it keeps its reported place, which is better, and its box.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from safety.clock import Instant
from safety.types import (
    FloatArray,
    FloorPosition,
    ObjectClass,
    PlantState,
    SeenVehicle,
    TrackedPerson,
    VehiclePose,
)
from zones.motion import SIZE_M
from zones.protective_field import LONGEST_S, footprint_at, place

SAME_VEHICLE_M = 1.0
"""A seen vehicle this near to a reported one of its kind is that one; twice the standard
deviation of its place is added."""

STANDING_MPS = 0.15
"""Slower vehicles stand."""

FEET_M = 0.1
"""Feet reach so far from the middle between them, towards what is near."""

CONTACT_M = 0.4
"""Half a person's width, and arms: somebody this near to a vehicle's outline touches it."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """One vehicle, as of one frame.

    Attributes:
        name: ``"amr-3"`` for one that is only seen, else the vehicle's id in the settings.
        outline: On the plan, metres; None where the camera does not know the floor.
        velocity_mps: In the plan; None while unknown.
        covariance_m2: xx, xy and yy of its place.
        box: (4,) in the picture, normalised; None if it is not seen.
        born_at: Monotonic seconds when first seen; for reported ones, when it was there.
        reported: Whether it reports its place itself.
    """

    name: str
    kind: ObjectClass
    outline: Polygon | None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How far a person is from a vehicle or machine.

    Attributes:
        metres: From the nearer foot to the outline; 0 inside it.
        sigma_m: Its standard deviation.
        toward_mps: How fast the gap closes; None while a velocity is unknown.
        contact_s: Seconds until contact if nobody changes speed or course; None: no contact, or
            unknown.
        by_picture: No floor is known there; estimated from how tall the person looks.
    """

    metres: float
    sigma_m: float
    toward_mps: float | None = None
    contact_s: float | None = None
    by_picture: bool = False


class Traffic:
    """The vehicles of one frame, found once for all rules of a camera.

    Attributes:
        lost: Ids of vehicles that should report where they are and do not.
    """

    def __init__(
        self, seen: Sequence[SeenVehicle], plant: PlantState, at: Instant, aspect: float
    ) -> None:
        self.lost = plant.lost_vehicles
        self._seen = seen
        self._plant = plant
        self._at = at
        self._aspect = aspect
        self._gaps: dict[tuple[int, str], Gap | None] = {}

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
            _only_seen(vehicle, now) for row, vehicle in enumerate(self._seen) if row not in taken
        ]
        return (*merged, *alone)

    def of(self, kinds: Collection[str]) -> list[Vehicle]:
        """The vehicles of these kinds."""
        return [vehicle for vehicle in self.vehicles if vehicle.kind in kinds]

    def gap(self, person: TrackedPerson, vehicle: Vehicle) -> Gap | None:
        """How far they are apart; None if that cannot be told at all."""
        key = (person.track_id, vehicle.name)
        if key not in self._gaps:
            self._gaps[key] = self._measure(person, vehicle)
        return self._gaps[key]

    def _measure(self, person: TrackedPerson, vehicle: Vehicle) -> Gap | None:
        if person.floor is not None and vehicle.outline is not None:
            return gap_on_floor(
                person.floor,
                person.velocity_mps,
                vehicle.outline,
                vehicle.velocity_mps,
                vehicle.covariance_m2,
            )
        if vehicle.box is not None:
            return Gap(
                metres=metres_by_picture(person.box, vehicle.box, self._aspect),
                sigma_m=0.0,
                by_picture=True,
            )
        return None


def gap_on_floor(
    floor: FloorPosition,
    velocity_mps: tuple[float, float] | None,
    outline: Polygon,
    other_velocity_mps: tuple[float, float] | None,
    other_covariance_m2: tuple[float, float, float],
) -> Gap:
    """The gap between a person and an outline on the plan.

    Args:
        floor: Where the person stands.
        velocity_mps: The person's velocity; None unknown.
        outline: Of the vehicle or machine.
        other_velocity_mps: Its velocity; None unknown.
        other_covariance_m2: Of its place.
    """
    point = shapely.Point(floor.x_m, floor.y_m)
    metres = max(0.0, float(shapely.distance(point, outline)) - FEET_M)
    away = _direction(point, outline)
    sigma = math.sqrt(_along(away, floor.covariance_m2) + _along(away, other_covariance_m2))
    if velocity_mps is None or other_velocity_mps is None:
        return Gap(metres=metres, sigma_m=sigma)
    nearer = (other_velocity_mps[0] - velocity_mps[0], other_velocity_mps[1] - velocity_mps[1])
    return Gap(
        metres=metres,
        sigma_m=sigma,
        toward_mps=nearer[0] * away[0] + nearer[1] * away[1],
        contact_s=_contact_s(point, nearer, outline),
    )


def metres_by_picture(person: FloatArray, vehicle: FloatArray, aspect: float) -> float:
    """A rough distance where the floor is unknown, from how tall the person looks.

    Depth looks shorter than it is from any camera that does not look straight down, so this is
    rather too short than too long: it warns too early.

    Args:
        person: (4,) box, normalised.
        vehicle: (4,) box, normalised.
        aspect: Width / height of the picture.
    """
    metres_per_height = ASSUMED_HEIGHT_M / max(float(person[3] - person[1]), 1e-6)
    across = max(float(vehicle[0] - person[2]), float(person[0] - vehicle[2]), 0.0) * aspect
    depth = abs(float(vehicle[3] - person[3]))
    return math.hypot(across, depth) * metres_per_height


ASSUMED_HEIGHT_M = 1.7
"""Height of a person where the floor is unknown."""

LOOK_AHEAD_S = 10.0
"""Contacts later than this are none."""


def _reported(pose: VehiclePose, now: float) -> Vehicle:
    moved = place(pose, now)
    return Vehicle(
        name=pose.vehicle_id,
        kind=pose.kind,
        outline=Polygon(footprint_at(pose, now)),
        velocity_mps=moved.velocity_mps,
        covariance_m2=pose.covariance_m2,
        box=None,
        born_at=pose.at.monotonic,
        reported=True,
    )


def _only_seen(vehicle: SeenVehicle, now: float) -> Vehicle:
    floor = vehicle.floor
    return Vehicle(
        name=f"{vehicle.kind}-{vehicle.track_id}",
        kind=vehicle.kind,
        outline=None if floor is None else Polygon(vehicle.footprint_m or _around(vehicle, floor)),
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
    for row, vehicle in enumerate(reported):
        assert vehicle.outline is not None, "reported vehicles have a place"
        for column, other in enumerate(seen):
            if other.floor is None:
                continue
            edge = shapely.Point(other.floor.x_m, other.floor.y_m)
            apart = float(vehicle.outline.distance(edge))
            doubt = 2 * math.sqrt(max(other.floor.covariance_m2[0], other.floor.covariance_m2[2]))
            shape = Polygon(other.footprint_m) if other.footprint_m else edge
            # The network may mistake one kind for the other, but not beside each other.
            same = (
                apart <= SAME_VEHICLE_M + doubt
                if other.kind is vehicle.kind
                else vehicle.outline.intersects(shape)
            )
            if same:
                off = float(vehicle.outline.centroid.distance(shape.centroid))
                pairs.append((apart, off, row, column))
    chosen: dict[int, int] = {}
    for _, _, row, column in sorted(pairs):
        if row not in chosen and column not in chosen.values():
            chosen[row] = column
    return chosen


def _direction(point: shapely.Point, outline: Polygon) -> tuple[float, float]:
    """Unit vector from the outline to the point; from its middle for a point inside."""
    (x, y), *_ = shapely.shortest_line(outline, point).coords
    if math.hypot(point.x - x, point.y - y) < 1e-6:
        x, y = outline.centroid.x, outline.centroid.y
    length = math.hypot(point.x - x, point.y - y)
    return ((point.x - x) / length, (point.y - y) / length) if length > 1e-6 else (1.0, 0.0)


def _along(direction: tuple[float, float], covariance: tuple[float, float, float]) -> float:
    x, y = direction
    xx, xy, yy = covariance
    return max(0.0, x * x * xx + 2 * x * y * xy + y * y * yy)


def _contact_s(point: shapely.Point, nearer: tuple[float, float], outline: Polygon) -> float | None:
    """When the point, seen from the outline, comes within ``CONTACT_M`` of it."""
    speed = math.hypot(*nearer)
    if speed < STANDING_MPS:
        return None
    reach = speed * LOOK_AHEAD_S
    # A plain bound first: most are nowhere near each other.
    if outline.distance(point) > reach + CONTACT_M:
        return None
    end = (point.x - nearer[0] * LOOK_AHEAD_S, point.y - nearer[1] * LOOK_AHEAD_S)
    way = shapely.LineString([(point.x, point.y), end])
    if way.distance(outline) > CONTACT_M:
        return None
    touching = way.intersection(outline.buffer(CONTACT_M, quad_segs=4))
    return float(point.distance(touching)) / speed
