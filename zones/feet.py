"""Where the feet of persons are on the floor plan, and in which zones."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from safety.types import KEYPOINTS, TrackedPerson
from zones.calibration import FloorCalibration
from zones.floor import (
    ANKLE_M,
    ANKLE_NOISE_M,
    FEET_M,
    JOINT_NOISE,
    LOWEST,
    MIN_CONFIDENCE,
)
from zones.floor_area import Depth, FloorArea

Array = NDArray[np.float64]

ANKLES = ("left_ankle", "right_ankle")
_COLUMNS = [KEYPOINTS.index(name) for name in ANKLES]

FARTHER_SIGMAS = 2.0
"""Somebody is farther than a limit when that is so even two standard deviations nearer."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody inside a zone on the floor.

    Attributes:
        depth: Of the foot that is deepest inside.
        points: The ankles inside, or ``"floor"`` where only one place is known of a person.
    """

    depth: Depth
    points: list[str]


@dataclass(frozen=True, slots=True)
class _Places:
    """Row i of every array is one place: (N, 2) metres and (N, 2, 2) square metres."""

    owners: list[int]
    names: list[str]
    places_m: Array
    covariance_m2: Array


class FloorFeet:
    """The feet of those persons whose place is known.

    Each ankle that is seen counts for itself; of the others only the place is known.

    Attributes:
        ids: Whose place is known.
    """

    def __init__(
        self, persons: Sequence[TrackedPerson], calibration: FloorCalibration | None
    ) -> None:
        self._calibration = calibration
        self._persons = {p.track_id: p for p in persons if p.floor is not None}
        self.ids = self._persons.keys()

    def inside(self, area: FloorArea) -> dict[int, Standing]:
        """Who stands inside a zone, by track id."""
        if not self.ids:
            return {}
        near = area.near(self._middles.places_m)
        if not near.any():
            return {}
        found: dict[int, Standing] = {}
        feet = self._feet
        close = {self._middles.owners[row] for row in np.flatnonzero(near).tolist()}
        for row, depth in area.inside(feet.places_m, feet.covariance_m2).items():
            owner, name = feet.owners[row], feet.names[row]
            if owner not in close:
                continue
            before = found.get(owner)
            if before is None:
                found[owner] = Standing(depth, [name])
            else:
                deepest = max(before.depth, depth, key=lambda each: each.inside_m)
                found[owner] = Standing(deepest, [*before.points, name])
        return found

    def farther(self, area: FloorArea, limit_m: float) -> frozenset[int]:
        """Who surely is farther from a zone than this."""
        if not self.ids:
            return frozenset()
        depths = area.distances(self._middles.places_m, self._middles.covariance_m2)
        return frozenset(
            owner
            for owner, depth in zip(self._middles.owners, depths, strict=True)
            if -depth.inside_m - FARTHER_SIGMAS * depth.sigma_m > limit_m
        )

    @cached_property
    def _middles(self) -> _Places:
        """One place of everybody."""
        floors = [p.floor for p in self._persons.values() if p.floor is not None]
        spread = np.array([floor.covariance_m2 for floor in floors])
        return _Places(
            owners=list(self._persons),
            names=["floor"] * len(floors),
            places_m=np.array([(floor.x_m, floor.y_m) for floor in floors]),
            covariance_m2=spread[:, [0, 1, 1, 2]].reshape(-1, 2, 2),
        )

    @cached_property
    def _feet(self) -> _Places:
        """The ankles of those of whom they are seen, the one place of the others."""
        with_ankles = [
            p for p in self._persons.values() if p.floor is not None and p.floor.source == "ankles"
        ]
        if self._calibration is None or not with_ankles:
            return self._middles
        ankles = _ankles(with_ankles, self._calibration)
        known, middles = set(ankles.owners), self._middles
        rest = [row for row, owner in enumerate(middles.owners) if owner not in known]
        return _Places(
            owners=[*ankles.owners, *(middles.owners[row] for row in rest)],
            names=[*ankles.names, *(middles.names[row] for row in rest)],
            places_m=np.concatenate([ankles.places_m, middles.places_m[rest]]),
            covariance_m2=np.concatenate([ankles.covariance_m2, middles.covariance_m2[rest]]),
        )


def _ankles(persons: Sequence[TrackedPerson], calibration: FloorCalibration) -> _Places:
    keypoints = np.stack([p.keypoints[_COLUMNS] for p in persons]).astype(np.float64)
    boxes = np.stack([p.box for p in persons]).astype(np.float64)
    seen = (keypoints[:, :, 2] >= MIN_CONFIDENCE) & (keypoints[:, :, 1] < LOWEST)
    rows, sides = np.nonzero(seen)
    size = np.hypot((boxes[:, 2] - boxes[:, 0]) * calibration.aspect, boxes[:, 3] - boxes[:, 1])
    floor = calibration.to_floor(
        keypoints[rows, sides, :2],
        noise=JOINT_NOISE * size[rows],
        height_m=ANKLE_M,
        height_noise_m=ANKLE_NOISE_M,
    )
    floor.covariance_m2[:] += FEET_M**2 * np.eye(2)
    known = np.isfinite(floor.places_m).all(axis=1)
    return _Places(
        owners=[persons[row].track_id for row in rows[known].tolist()],
        names=[ANKLES[side] for side in sides[known].tolist()],
        places_m=floor.places_m[known],
        covariance_m2=floor.covariance_m2[known],
    )
