"""Lines that must not be crossed: in the picture (normalised) or on the floor (metres)."""

import math
from itertools import pairwise

from pydantic_core import PydanticCustomError

from zones.geometry import MAX_FLOOR_M

Line = tuple[tuple[float, float], ...]
"""Points (x, y) in order, two or more."""

Place = tuple[float, float]

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
    """A line; all in one unit, the same along x and y.

    In plain numbers: a few segments cost less so than calling NumPy does.
    """

    def __init__(self, points: Line) -> None:
        self._segments = [
            (ax, ay, bx, by, bx - ax, by - ay, (bx - ax) ** 2 + (by - ay) ** 2)
            for (ax, ay), (bx, by) in pairwise(points)
        ]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        self._left, self._right = min(xs), max(xs)
        self._low, self._high = min(ys), max(ys)

    def clears(self, before: Place, after: Place, by: float) -> bool:
        """Whether all of the way surely keeps clear of the line; spares most exact answers."""
        (from_x, from_y), (x, y) = before, after
        return (
            (from_x < self._left and x < self._left - by)
            or (from_x > self._right and x > self._right + by)
            or (from_y < self._low and y < self._low - by)
            or (from_y > self._high and y > self._high + by)
        )

    def distance(self, x: float, y: float) -> float:
        """From a place to the nearest point of the line."""
        least = math.inf
        for ax, ay, _, _, dx, dy, length2 in self._segments:
            wx, wy = x - ax, y - ay
            along = wx * dx + wy * dy
            if along >= length2:
                wx, wy = wx - dx, wy - dy
            elif along > 0:
                share = along / length2
                wx, wy = wx - share * dx, wy - share * dy
            least = min(least, wx * wx + wy * wy)
        return math.sqrt(least)

    def crossings(self, before: tuple[float, float], after: tuple[float, float]) -> int:
        """How often the way between two places crosses the line, net.

        Returns:
            Positive: to the side of larger cross product, which is the right hand of somebody
            who goes along the line where y points down (picture), the left where it points up.
        """
        x, y = before
        wx, wy = after[0] - x, after[1] - y
        net = 0
        for ax, ay, bx, by, dx, dy, _ in self._segments:
            from_side = dx * (y - ay) - dy * (x - ax) >= 0
            to_side = dx * (y + wy - ay) - dy * (x + wx - ax) >= 0
            if from_side == to_side:
                continue
            # A point of the line that lies on the way belongs to one side, so that two segments
            # that meet there are crossed once; so its end must be where the next one begins.
            begins = wx * (ay - y) - wy * (ax - x) >= 0
            ends = wx * (by - y) - wy * (bx - x) >= 0
            if begins != ends:
                net += 1 if to_side else -1
        return net


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
