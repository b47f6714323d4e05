"""How persons and vehicles that a calibrated camera sees move on the floor.

A seen vehicle is known by its box alone: the box's bottom is where its nearest edge meets the
floor, its width there is how wide it looks. What lies behind the edge comes from the size usual
for its kind, turned the way it drives.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from safety.clock import Instant
from safety.perception.floor_velocity import FloorVelocities, Velocity
from safety.types import FloorPosition, ObjectClass, SeenVehicle, TrackedPerson
from zones.calibration import FloorCalibration
from zones.floor import CLEARANCE_M, VEHICLE_M
from zones.geometry import FloorPolygon

SIZE_M: Mapping[ObjectClass, tuple[float, float]] = {
    ObjectClass.FORKLIFT: (3.0, 1.3),
    ObjectClass.AMR: (1.0, 0.7),
}
"""Usual length, forks included, and width, metres."""

LARGEST = 1.6
"""A width seen is believed up to this share of the usual one; a smaller one is not: wheels and
loads behind the near edge, and whatever hides the vehicle, make it look narrow."""

HEADING_FROM_MPS = 0.3
"""From this speed on a vehicle's heading is that of its velocity; slower, it keeps the last."""


Vector = tuple[float, float]


class PersonMotion:
    """The velocities of one camera's persons."""

    def __init__(self) -> None:
        self._velocities = FloorVelocities(acceleration=1.0)

    def update(self, persons: tuple[TrackedPerson, ...], at: Instant) -> tuple[TrackedPerson, ...]:
        """The persons of one frame with their velocities, as far as they are known."""
        placed = [(p.track_id, p.floor) for p in persons if p.floor is not None]
        if not placed:
            return persons
        known = self._velocities.update(
            [track_id for track_id, _ in placed],
            np.array([(floor.x_m, floor.y_m) for _, floor in placed]),
            np.array([_variance(floor) for _, floor in placed]),
            at.monotonic,
        )
        # Named one by one: ``replace`` takes twice as long, twenty times a frame.
        return tuple(
            TrackedPerson(
                track_id=person.track_id,
                box=person.box,
                score=person.score,
                keypoints=person.keypoints,
                age_s=person.age_s,
                ppe=person.ppe,
                missing_since=person.missing_since,
                floor=person.floor,
                velocity_mps=known.get(person.track_id),
            )
            for person in persons
        )


class VehicleMotion:
    """Outlines and velocities of the vehicles that one calibrated camera sees."""

    def __init__(self, calibration: FloorCalibration) -> None:
        self._calibration = calibration
        self._velocities = FloorVelocities(acceleration=0.5)
        self._headings: dict[int, tuple[float, float]] = {}

    def update(self, vehicles: tuple[SeenVehicle, ...], at: Instant) -> tuple[SeenVehicle, ...]:
        """The vehicles of one frame, of which the places are known already, with the rest."""
        placed = [(v, v.floor) for v in vehicles if v.floor is not None]
        if not placed:
            return vehicles
        known = self._velocities.update(
            [vehicle.track_id for vehicle, _ in placed],
            np.array([(floor.x_m, floor.y_m) for _, floor in placed]),
            # Where the near edge is, is a bias that moves along: it makes no velocity.
            np.array([_variance(floor) - VEHICLE_M**2 for _, floor in placed]),
            at.monotonic,
        )
        self._steer(known, at.monotonic)
        outlines = self._outlines(placed)
        moving = {
            vehicle.track_id: replace(
                vehicle, velocity_mps=known.get(vehicle.track_id), footprint_m=shape
            )
            for (vehicle, _), shape in zip(placed, outlines, strict=True)
        }
        return tuple(moving.get(vehicle.track_id, vehicle) for vehicle in vehicles)

    def _steer(self, known: Mapping[int, Velocity], now: float) -> None:
        for track_id, (x, y) in known.items():
            if math.hypot(x, y) >= HEADING_FROM_MPS:
                self._headings.pop(track_id, None)
                self._headings[track_id] = (math.atan2(y, x), now)
        while self._headings:  # the oldest is first
            oldest = next(iter(self._headings))
            if now - self._headings[oldest][1] <= _KEEP_HEADING_S:
                break
            del self._headings[oldest]

    def _outlines(
        self, placed: Sequence[tuple[SeenVehicle, FloorPosition]]
    ) -> list[FloorPolygon | None]:
        """The outline behind every near edge; None where the camera's own place is unknown."""
        pose = self._calibration.pose
        if pose is None:
            return [None] * len(placed)
        camera = pose.location_m
        ways = [_unit((floor.x_m - camera[0], floor.y_m - camera[1])) for _, floor in placed]
        # One metre across the view at every edge, as the picture shows it.
        ends = [
            (floor.x_m - side * way[1] / 2, floor.y_m + side * way[0] / 2)
            for (_, floor), way in zip(placed, ways, strict=True)
            for side in (1, -1)
        ]
        shown = self._calibration.to_picture(np.array(ends), height_m=CLEARANCE_M)
        metre = np.abs(shown[1::2, 0] - shown[::2, 0]).tolist()
        return [
            self._outline(vehicle, (floor.x_m, floor.y_m), way, across)
            for (vehicle, floor), way, across in zip(placed, ways, metre, strict=True)
        ]

    def _outline(
        self, vehicle: SeenVehicle, near: Vector, away: Vector, metre: float
    ) -> FloorPolygon | None:
        if not metre > 0:  # also catches NaN
            return None
        seen_m = float(vehicle.box[2] - vehicle.box[0]) / metre
        heading = self._headings.get(vehicle.track_id)
        return outline(near, away, seen_m, vehicle.kind, heading[0] if heading else None)


_KEEP_HEADING_S = 600.0
"""A vehicle that stands keeps its heading so long; a track that is over does no harm till then."""


def outline(
    near: Vector, away: Vector, seen_m: float, kind: ObjectClass, heading: float | None
) -> FloorPolygon:
    """The footprint behind a near edge.

    Args:
        near: Middle of the near edge, metres.
        away: Unit vector from the camera's side to the far side.
        seen_m: How wide it looks.
        kind: What it is.
        heading: Where it drives; None if it has not been seen driving.
    """
    length_m, width_m = SIZE_M[kind]
    if heading is None:
        sideways = seen_m > (length_m + width_m) / 2
        heading = math.atan2(away[1], away[0]) + (math.pi / 2 if sideways else 0.0)
    forward = (math.cos(heading), math.sin(heading))
    along = abs(forward[0] * away[0] + forward[1] * away[1])
    across = math.sqrt(max(0.0, 1 - along**2))
    looks = length_m * across + width_m * along
    share = min(max(seen_m / looks, 1.0), LARGEST)
    half_length, half_width = share * length_m / 2, share * width_m / 2
    behind = half_length * along + half_width * across
    x, y = near[0] + away[0] * behind, near[1] + away[1] * behind
    return tuple(
        (
            x + a * half_length * forward[0] - b * half_width * forward[1],
            y + a * half_length * forward[1] + b * half_width * forward[0],
        )
        for a, b in ((1, 1), (-1, 1), (-1, -1), (1, -1))
    )


def _unit(way: Vector) -> Vector:
    length = max(math.hypot(*way), 1e-9)
    return way[0] / length, way[1] / length


def _variance(floor: FloorPosition) -> float:
    return (floor.covariance_m2[0] + floor.covariance_m2[2]) / 2
