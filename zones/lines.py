"""Lines that must not be crossed: in the picture (normalised) or on the floor (metres)."""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError

from zones.geometry import MAX_FLOOR_M

Line = tuple[tuple[float, float], ...]
"""Points (x, y) in order, two or more."""

MAX_POINTS = 50
"""More points than anybody draws; a bound on the work per frame."""

MIN_LENGTH = 0.01
"""Shortest line as a share of the picture's width."""

MIN_LENGTH_M = 0.2
"""Shortest line on the floor."""


def checked_line(points: Line) -> Line:
    """The points, if they make a line in the picture; one that repeats the one before is dropped.

    Raises:
        ValueError: A ``PydanticCustomError``, as for zones.
    """
    for number, (x, y) in enumerate(points, start=1):
        if not (0 <= x <= 1 and 0 <= y <= 1):  # also catches NaN and infinity
            raise PydanticCustomError(
                "line.outside_picture",
                "point {number} is outside the picture; give x and y as shares of the picture,"
                " from 0 to 1",
                {"number": number},
            )
    return _long_enough(points, MIN_LENGTH)


def checked_floor_line(points: Line) -> Line:
    """The points, if they make a line on the floor plan.

    Raises:
        ValueError: As ``checked_line``, with coordinates in metres.
    """
    for number, (x, y) in enumerate(points, start=1):
        if not (abs(x) <= MAX_FLOOR_M and abs(y) <= MAX_FLOOR_M):  # also catches NaN, infinity
            raise PydanticCustomError(
                "line.outside_plan",
                "point {number} is not on any floor plan; give metres, at most {most} from the"
                " plan's origin",
                {"number": number, "most": f"{MAX_FLOOR_M:g}"},
            )
    return _long_enough(points, MIN_LENGTH_M)


class Barrier:
    """A line, prepared for many questions per second; all in one unit, the same along x and y."""

    def __init__(self, points: NDArray[np.float64]) -> None:
        self._points = points
        self._from = points[:-1]
        self._along = points[1:] - points[:-1]

    def distances(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) from places, (N, 2), to the nearest point of the line."""
        apart = places[:, None] - self._from
        share = (apart * self._along).sum(axis=2) / (self._along**2).sum(axis=1)
        apart -= share.clip(0, 1)[:, :, None] * self._along
        nearest: NDArray[np.float64] = np.sqrt((apart**2).sum(axis=2).min(axis=1))
        return nearest

    def crossings(self, before: tuple[float, float], after: tuple[float, float]) -> int:
        """How often the way between two places crosses the line, net.

        Returns:
            Positive: to the side of larger cross product, which is the right hand of somebody
            who goes along the line where y points down (picture), the left where it points up.
        """
        start, way = np.array(before), np.array(after) - np.array(before)
        # A point of the line that lies on the way belongs to one side, so that two segments
        # that meet there are crossed once.
        beyond = _cross(way, self._points - start) >= 0
        from_side = _cross(self._along, start - self._from) >= 0
        to_side = _cross(self._along, start + way - self._from) >= 0
        crossed = (beyond[:-1] != beyond[1:]) & (from_side != to_side)
        return int(np.where(to_side, 1, -1)[crossed].sum())


def _cross(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]
    return product


def _long_enough(points: Line, least: float) -> Line:
    distinct = tuple(
        point for number, point in enumerate(points) if number == 0 or point != points[number - 1]
    )
    length = sum(math.dist(a, b) for a, b in pairwise(distinct))
    if not 2 <= len(distinct) <= MAX_POINTS or length < least:
        raise PydanticCustomError(
            "line.too_short",
            "a line needs 2 to {most} different points and some length; draw it longer",
            {"most": MAX_POINTS},
        )
    return distinct
