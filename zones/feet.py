"""Where the feet of persons are on the floor plan, and in which zones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from safety.types import KEYPOINTS, FloorPosition, TrackedPerson
from zones.calibration import FloorCalibration
from zones.floor import ANKLE_M, LOWEST, MIN_CONFIDENCE
from zones.floor_area import STRIDE_M, Depth, FloorArea
from zones.stack import Stack

ANKLES = ("left_ankle", "right_ankle")
_COLUMNS = [KEYPOINTS.index(name) for name in ANKLES]

FARTHER_SIGMAS = 2.0
"""Somebody is farther than a limit when that is so even two standard deviations nearer."""

ONE_OF_TWO = 1.5
"""Variance of one ankle's place in that of the middle between two, whose errors are half shared."""

ROUNDING_M = 1e-6
"""A place that is outside by less may be on the outline, which belongs to the zone."""

Foot = tuple[str, float, float]
"""Which one, and its x and y in metres."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody inside a zone on the floor.

    Attributes:
        depth: Of the foot that is deepest inside.
        points: The ankles inside, or ``"floor"`` where only one place is known of a person.
    """

    depth: Depth
    points: list[str]


class FloorFeet:
    """The feet of those persons whose place is known.

    Each ankle that is seen counts for itself; of the others only the place is known.

    Attributes:
        places: Everybody's place, by track id.
    """

    def __init__(
        self,
        persons: Sequence[TrackedPerson],
        stack: Stack,
        calibration: FloorCalibration | None,
    ) -> None:
        self._persons = persons
        self._stack = stack
        self._calibration = calibration
        self.places: Mapping[int, FloorPosition] = {
            person.track_id: person.floor for person in persons if person.floor is not None
        }

    def inside(self, area: FloorArea) -> dict[int, Standing]:
        """Who stands inside a zone, by track id."""
        found: dict[int, Standing] = {}
        for track_id, floor in self.places.items():
            if not area.near(floor.x_m, floor.y_m):
                continue
            feet = self._ankles.get(track_id)
            if (
                feet
                and not any(area.near(x, y, ROUNDING_M) for _, x, y in feet)
                and not area.near(floor.x_m, floor.y_m, -STRIDE_M)
            ):
                continue  # most of those who are near, at a fraction of the price
            middle = area.depth(floor.x_m, floor.y_m, floor.covariance_m2)
            if middle.inside_m > -STRIDE_M:
                standing = _standing(feet, floor, middle, area)
                if standing is not None:
                    found[track_id] = standing
        return found

    def farther(self, area: FloorArea, limit_m: float, among: Iterable[int]) -> frozenset[int]:
        """Who of these surely is farther from a zone than this."""
        return frozenset(
            track_id
            for track_id in among
            if (floor := self.places.get(track_id)) is not None
            and _surely_farther(area.depth(floor.x_m, floor.y_m, floor.covariance_m2), limit_m)
        )

    @cached_property
    def _ankles(self) -> dict[int, list[Foot]]:
        """The ankles that are seen of those who were placed by them."""
        placed = [
            row
            for row, person in enumerate(self._persons)
            if person.floor is not None and person.floor.source == "ankles"
        ]
        if self._calibration is None or not placed:
            return {}
        points = self._stack.keypoints[placed][:, _COLUMNS].astype(np.float64)
        seen = (points[:, :, 2] >= MIN_CONFIDENCE) & (points[:, :, 1] < LOWEST)
        places = self._calibration.places(points[:, :, :2].reshape(-1, 2), height_m=ANKLE_M)
        seen &= np.isfinite(places).all(axis=1).reshape(-1, 2)
        return {
            self._stack.ids[row]: [
                (name, x, y)
                for name, (x, y), is_seen in zip(ANKLES, feet, both, strict=True)
                if is_seen
            ]
            for row, feet, both in zip(
                placed, places.reshape(-1, 2, 2).tolist(), seen.tolist(), strict=True
            )
        }


def _standing(
    feet: list[Foot] | None, floor: FloorPosition, middle: Depth, area: FloorArea
) -> Standing | None:
    """Somebody whose place is so deep inside, if a foot is inside."""
    if not feet:
        return Standing(middle, ["floor"]) if area.holds(middle) else None
    if middle.inside_m > STRIDE_M:
        return Standing(middle, [name for name, _, _ in feet])
    xx, xy, yy = floor.covariance_m2
    more = ONE_OF_TWO if len(feet) == 2 else 1.0
    spread = (more * xx, more * xy, more * yy)
    depths = {name: area.depth(x, y, spread) for name, x, y in feet}
    points = [name for name, depth in depths.items() if area.holds(depth)]
    if not points:
        return None
    return Standing(max(depths.values(), key=lambda depth: depth.inside_m), points)


def _surely_farther(depth: Depth, limit_m: float) -> bool:
    return -depth.inside_m - FARTHER_SIGMAS * depth.sigma_m > limit_m
