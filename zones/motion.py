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

SIZE_M: Mapping[ObjectClass, tuple[float, float]] = {
    ObjectClass.FORKLIFT: (3.0, 1.3),
    ObjectClass.AMR: (1.0, 0.7),
}
"""Usual length, forks included, and width, metres."""

SMALLEST, LARGEST = 0.8, 1.6
"""Shares of the usual size between which the width seen is believed."""

HEADING_FROM_MPS = 0.3
"""From this speed on a vehicle's heading is that of its velocity; slower, it keeps the last."""

BOX_NOISE = 0.03
"""Standard deviation of a box's lower edge, in heights of the box."""

CUT = 0.99
"""A box that reaches so far down is cut by the picture's edge: the vehicle is nearer than that."""

CUT_NOISE_M = 1.0
"""Standard deviation of the place of a vehicle that is cut."""

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
        """The vehicles of one frame, on the floor; without a place where there is no floor."""
        if not vehicles:
            return vehicles
        boxes = np.stack([vehicle.box for vehicle in vehicles]).astype(np.float64)
        edges, covariances = self._near_edges(boxes)
        rows = np.flatnonzero(np.isfinite(edges).all(axis=(1, 2)))
        known = self._velocities.update(
            [vehicles[row].track_id for row in rows],
            edges[rows, 1],
            (covariances[rows, 0, 0] + covariances[rows, 1, 1]) / 2,
            at.monotonic,
        )
        self._steer(known, at.monotonic)
        found = list(vehicles)
        for row in rows.tolist():
            found[row] = self._placed(vehicles[row], edges[row], covariances[row], known)
        return tuple(found)

    def _near_edges(self, boxes: Array) -> tuple[Array, Array]:
        """Left end, middle and right end of every box's lower edge, and a place behind the middle.

        Returns:
            (N, 4, 2) metres, NaN where there is no floor, and (N, 2, 2) the middles' covariance.
        """
        left, top, right, bottom = boxes.T
        height = bottom - top
        middle = (left + right) / 2
        behind = np.maximum(bottom - 0.05 * height, top)
        x = np.stack([left, middle, right, middle], axis=1)
        y = np.stack([bottom, bottom, bottom, behind], axis=1)
        noise = np.repeat(np.maximum(BOX_NOISE * height, 0.003), 4)
        floor = self._calibration.to_floor(np.stack([x, y], axis=2).reshape(-1, 2), noise=noise)
        covariance = floor.covariance_m2.reshape(-1, 4, 2, 2)[:, 1]
        cut = np.where(bottom >= CUT, CUT_NOISE_M**2, 0.0)
        return floor.places_m.reshape(-1, 4, 2), covariance + cut[:, None, None] * np.eye(2)

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

    def _placed(
        self, vehicle: SeenVehicle, edge: Array, covariance: Array, known: Mapping[int, Velocity]
    ) -> SeenVehicle:
        heading = self._headings.get(vehicle.track_id)
        xx, xy, yy = (float(covariance[i, j]) for i, j in ((0, 0), (0, 1), (1, 1)))
        return replace(
            vehicle,
            floor=FloorPosition(
                x_m=float(edge[1, 0]),
                y_m=float(edge[1, 1]),
                covariance_m2=(xx, xy, yy),
                source="box_bottom",
            ),
            velocity_mps=known.get(vehicle.track_id),
            footprint_m=_footprint(edge, vehicle.kind, heading[0] if heading else None),
        )


_KEEP_HEADING_S = 600.0
"""A vehicle that stands keeps its heading so long; a track that is over does no harm till then."""


def _footprint(
    edge: Array, kind: ObjectClass, heading: float | None
) -> tuple[tuple[float, float], ...]:
    """The outline behind a near edge.

    Args:
        edge: (4, 2) left, middle, right end of the box's lower edge, and a place behind the
            middle, metres.
        kind: What it is.
        heading: Where it drives; None if it has not been seen driving.
    """
    away = edge[3] - edge[1]
    away = away / max(float(np.hypot(*away)), 1e-9)
    width = float(np.hypot(*(edge[2] - edge[0])))
    length_m, width_m = SIZE_M[kind]
    if heading is None:
        sideways = width > (length_m + width_m) / 2
        heading = math.atan2(away[1], away[0]) + (math.pi / 2 if sideways else 0.0)
    forward = np.array([math.cos(heading), math.sin(heading)])
    along = abs(float(forward @ away))
    across = math.sqrt(max(0.0, 1 - along**2))
    looks = length_m * across + width_m * along
    share = min(max(width / looks, SMALLEST), LARGEST)
    half_length, half_width = share * length_m / 2, share * width_m / 2
    centre = edge[1] + away * (half_length * along + half_width * across)
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
