"""Where the feet of persons are on the floor plan, and in which zones."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from safety.types import KEYPOINTS, TrackedPerson
from zones.calibration import FloorCalibration
from zones.floor import ANKLE_M, LOWEST, MIN_CONFIDENCE
from zones.floor_area import ROUNDING_M, STRIDE_M, Covariance, Depth, FloorArea, FloorAreas
from zones.stack import Stack

ANKLES = ("left_ankle", "right_ankle")
_COLUMNS = [KEYPOINTS.index(name) for name in ANKLES]

FARTHER_SIGMAS = 2.0
"""Somebody is farther than a limit when that is so even two standard deviations nearer."""

ONE_OF_TWO = 1.5
"""Variance of one ankle's place in that of the middle between two, whose errors are half shared."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody inside a zone on the floor.

    Attributes:
        points: The ankles inside, or ``"floor"`` where only one place is known of a person.
    """

    points: list[str]
    _area: FloorArea
    _places: Sequence[tuple[float, float]]
    _covariance_m2: Covariance

    @property
    def depth(self) -> Depth:
        """Of the foot that is deepest inside."""
        depths = [self._area.depth(x, y, self._covariance_m2) for x, y in self._places]
        return max(depths, key=lambda depth: depth.inside_m)


class FloorFeet:
    """The feet of those persons whose place is known.

    Each ankle that is seen counts for itself; of the others only the place is known.

    Args:
        floors: (N, 5) x, y and the covariance of everybody; NaN without a place.
        areas: The zones that are asked about.
    """

    def __init__(
        self,
        persons: Sequence[TrackedPerson],
        stack: Stack,
        floors: Array,
        calibration: FloorCalibration | None,
        areas: FloorAreas,
    ) -> None:
        self._persons = persons
        self._stack = stack
        self._floors = floors
        self._calibration = calibration
        self._areas = areas
        self.placed: NDArray[np.bool_] = np.isfinite(floors[:, 0])

    def inside(self, area: FloorArea) -> dict[int, Standing]:
        """Who stands inside a zone, by track id."""
        if not self._persons:
            return {}
        number = self._areas.row_of(area)
        if number >= len(self._hull_m):  # asked about for the first time
            del self._hull_m
        found: dict[int, Standing] = {}
        for row, (left_m, right_m, middle_m) in enumerate(zip(*self._hull_m[number], strict=True)):
            if left_m < -ROUNDING_M and right_m < -ROUNDING_M and middle_m < -ROUNDING_M:
                continue
            standing = self._standing(row, area, (left_m, right_m), middle_m)
            if standing is not None:
                found[self._stack.ids[row]] = standing
        return found

    def farther(self, area: FloorArea, limit_m: float, among: Iterable[int]) -> frozenset[int]:
        """Who of these surely is farther from a zone than this."""
        wanted = set(among)
        return frozenset(
            person.track_id
            for person in self._persons
            if person.track_id in wanted
            and (floor := person.floor) is not None
            and _surely_farther(area.depth(floor.x_m, floor.y_m, floor.covariance_m2), limit_m)
        )

    @cached_property
    def _hull_m(self) -> list[list[list[float]]]:
        """Z by 3 by N: how far inside every zone's hull each ankle and the place between is.

        What is not known is nowhere: minus infinity. In plain numbers, as everything from here on.
        """
        places = np.concatenate([self._ankles, self._floors[None, :, :2]])
        inside = self._areas.hull_m(places.reshape(-1, 2))
        inside[np.isnan(inside)] = -np.inf
        found: list[list[list[float]]] = inside.reshape(len(inside), 3, -1).tolist()
        return found

    @cached_property
    def _plain(self) -> list[tuple[list[float], list[float], list[float]]]:
        """Everybody's place with its covariance, left ankle and right ankle."""
        left, right = self._ankles.tolist()
        return list(zip(self._floors.tolist(), left, right, strict=True))

    @cached_property
    def _ankles(self) -> Array:
        """(2, N, 2) the ankles that are seen of those who were placed by them; else NaN."""
        points = self._stack.keypoints[:, _COLUMNS].astype(np.float64).transpose(1, 0, 2)
        if self._calibration is None:
            return np.full((2, len(self._persons), 2), np.nan)
        seen = (points[:, :, 2] >= MIN_CONFIDENCE) & (points[:, :, 1] < LOWEST)
        seen &= [p.floor is not None and p.floor.source == "ankles" for p in self._persons]
        places = self._calibration.places(points[:, :, :2].reshape(-1, 2), height_m=ANKLE_M)
        return np.where(seen[:, :, None], places.reshape(2, -1, 2), np.nan)

    def _standing(
        self, row: int, area: FloorArea, feet_m: tuple[float, float], middle_m: float
    ) -> Standing | None:
        """Somebody inside a zone's hull or with a foot there, if a foot is inside the zone.

        Args:
            row: Who.
            feet_m, middle_m: How far inside the hull.
        """
        (x, y, xx, xy, yy), *ankles = self._plain[row]
        feet = [
            (name, ankle_x, ankle_y, inside_m)
            for name, (ankle_x, ankle_y), inside_m in zip(ANKLES, ankles, feet_m, strict=True)
            if inside_m != -math.inf
        ]
        if not feet:
            there = area.has(x, y, (xx, xy, yy), middle_m)
            return Standing(["floor"], area, [(x, y)], (xx, xy, yy)) if there else None
        if not (area.is_convex and middle_m >= ROUNDING_M):
            middle_m = area.depth(x, y, (xx, xy, yy)).inside_m
        if middle_m <= -STRIDE_M:
            return None
        if middle_m > STRIDE_M:
            return Standing([name for name, *_ in feet], area, [(x, y)], (xx, xy, yy))
        more = ONE_OF_TWO if len(feet) == 2 else 1.0
        spread = (more * xx, more * xy, more * yy)
        points = [name for name, fx, fy, foot_m in feet if area.has(fx, fy, spread, foot_m)]
        if not points:
            return None
        return Standing(points, area, [(fx, fy) for _, fx, fy, _ in feet], spread)


def _surely_farther(depth: Depth, limit_m: float) -> bool:
    return -depth.inside_m - FARTHER_SIGMAS * depth.sigma_m > limit_m
