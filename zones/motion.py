"""How persons and vehicles that a calibrated camera sees move on the floor.

A seen vehicle is known by its box alone: the box's bottom is where its nearest edge meets the
floor, its width there is how wide it looks. What lies behind the edge comes from the size usual
for its kind, turned the way it drives.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from safety.clock import Instant
from safety.perception.floor_velocity import FloorVelocities, Velocity
from safety.types import FloorPosition, ObjectClass, SeenVehicle, TrackedPerson
from zones.calibration import FloorCalibration
from zones.floor import CLEARANCE_M, VEHICLE_M

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


Array = NDArray[np.float64]


class PersonMotion:
    """The velocities of one camera's persons."""

    def __init__(self) -> None:
        self._velocities = FloorVelocities(acceleration=1.0)

    def update(self, persons: tuple[TrackedPerson, ...], at: Instant) -> tuple[TrackedPerson, ...]:
        """The persons of one frame with their velocities, as far as they are known."""
        placed = [(p.track_id, p.floor) for p in persons if p.floor is not None]
        if not placed:
            return persons
        places = np.array([(floor.x_m, floor.y_m) for _, floor in placed])
        variances = np.array([_variance(floor) for _, floor in placed])
        ids = [track_id for track_id, _ in placed]
        known = self._velocities.update(ids, places, variances, at.monotonic)
        return tuple(
            replace(person, velocity_mps=known[person.track_id])
            if person.track_id in known
            else person
            for person in persons
        )


class VehicleMotion:
    """Places, outlines and velocities of the vehicles that one calibrated camera sees."""

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
        edges = self._edges(np.stack([vehicle.box for vehicle, _ in placed]).astype(np.float64))
        moving = {
            vehicle.track_id: replace(
                vehicle,
                velocity_mps=known.get(vehicle.track_id),
                footprint_m=self._footprint(vehicle, floor, edge),
            )
            for (vehicle, floor), edge in zip(placed, edges, strict=True)
        }
        return tuple(moving.get(vehicle.track_id, vehicle) for vehicle in vehicles)

    def _edges(self, boxes: Array) -> Array:
        """Left end, right end, and a place behind the middle, of every box's lower edge.

        Returns:
            (N, 3, 2) metres; NaN where there is no floor.
        """
        left, top, right, bottom = boxes.T
        behind = bottom - 0.05 * (bottom - top)
        x = np.stack([left, right, (left + right) / 2], axis=1)
        y = np.stack([bottom, bottom, behind], axis=1)
        points = np.stack([x, y], axis=2).reshape(-1, 2)
        places = self._calibration.to_floor(points, height_m=CLEARANCE_M).places_m
        return places.reshape(-1, 3, 2)

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

    def _footprint(
        self, vehicle: SeenVehicle, floor: FloorPosition, edge: Array
    ) -> tuple[tuple[float, float], ...] | None:
        if not np.isfinite(edge).all():
            return None
        heading = self._headings.get(vehicle.track_id)
        middle = np.array([floor.x_m, floor.y_m])
        width_m = float(np.hypot(*(edge[1] - edge[0])))
        return outline(
            middle, edge[2] - middle, width_m, vehicle.kind, heading[0] if heading else None
        )


_KEEP_HEADING_S = 600.0
"""A vehicle that stands keeps its heading so long; a track that is over does no harm till then."""


def outline(
    near: Array, away: Array, seen_m: float, kind: ObjectClass, heading: float | None
) -> tuple[tuple[float, float], ...]:
    """The footprint behind a near edge.

    Args:
        near: (2,) middle of the near edge, metres.
        away: (2,) any way from the camera's side to the far side.
        seen_m: How wide it looks.
        kind: What it is.
        heading: Where it drives; None if it has not been seen driving.
    """
    away = away / max(float(np.hypot(*away)), 1e-9)
    length_m, width_m = SIZE_M[kind]
    if heading is None:
        sideways = seen_m > (length_m + width_m) / 2
        heading = math.atan2(away[1], away[0]) + (math.pi / 2 if sideways else 0.0)
    forward = np.array([math.cos(heading), math.sin(heading)])
    along = abs(float(forward @ away))
    across = math.sqrt(max(0.0, 1 - along**2))
    looks = length_m * across + width_m * along
    share = min(max(seen_m / looks, 1.0), LARGEST)
    half_length, half_width = share * length_m / 2, share * width_m / 2
    centre = near + away * (half_length * along + half_width * across)
    left = np.array([-forward[1], forward[0]])
    return tuple(
        (float(corner[0]), float(corner[1]))
        for corner in (
            centre + a * half_length * forward + b * half_width * left
            for a, b in ((1, 1), (-1, 1), (-1, -1), (1, -1))
        )
    )


def _variance(floor: FloorPosition) -> float:
    return (floor.covariance_m2[0] + floor.covariance_m2[2]) / 2
