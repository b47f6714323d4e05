"""Zones on the floor, and who is in them when places are known up to a covariance."""

import math
from dataclasses import dataclass

import shapely

from zones.geometry import FloorPolygon

SURE_SIGMAS = 1.0
"""Somebody is inside when the place is inside by one standard deviation (84 % sure),"""

MOST_DEPTH_M = 0.25
"""but never must be deeper than this: a poor view may delay an alarm, not prevent it,"""

MOST_DEPTH_SHARE = 0.5
"""nor deeper than this share of the zone's largest inner circle."""


STRIDE_M = 0.8
"""A foot is no farther from the place of a person."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How far inside a zone somebody is.

    Attributes:
        inside_m: Metres to the outline; negative outside.
        sigma_m: Its standard deviation.
    """

    inside_m: float
    sigma_m: float


Covariance = tuple[float, float, float]
"""xx, xy and yy, square metres."""


class FloorArea:
    """A polygon on the floor plan.

    In plain numbers: a handful of places and corners costs less so than calling NumPy does.
    """

    def __init__(self, corners_m: FloorPolygon) -> None:
        self._edges = [
            (ax, ay, by, bx - ax, by - ay, (bx - ax) ** 2 + (by - ay) ** 2)
            for (ax, ay), (bx, by) in zip(corners_m, (*corners_m[1:], corners_m[0]), strict=True)
        ]
        xs, ys = [x for x, _ in corners_m], [y for _, y in corners_m]
        self._left, self._right = min(xs), max(xs)
        self._low, self._high = min(ys), max(ys)
        radius = float(shapely.maximum_inscribed_circle(shapely.Polygon(corners_m)).length)
        self._most_depth_m = min(MOST_DEPTH_M, MOST_DEPTH_SHARE * radius)

    def near(self, x_m: float, y_m: float, by_m: float = STRIDE_M) -> bool:
        """Whether a place may be inside, or so near; a quick answer that spares exact ones."""
        return (
            self._left - by_m <= x_m <= self._right + by_m
            and self._low - by_m <= y_m <= self._high + by_m
        )

    def holds(self, depth: Depth) -> bool:
        """Whether that is inside; see ``SURE_SIGMAS``."""
        return depth.inside_m >= min(SURE_SIGMAS * depth.sigma_m, self._most_depth_m)

    def depth(self, x_m: float, y_m: float, covariance_m2: Covariance) -> Depth:
        """How far inside a place is, or, negative, outside; the outline belongs to the zone."""
        inside = False
        least, across = math.inf, (0.0, 0.0)
        for ax, ay, by, dx, dy, length2 in self._edges:
            wx, wy = x_m - ax, y_m - ay
            # Edges that a ray to the right crosses, each with its lower end only.
            if (ay > y_m) != (by > y_m) and wx * dy * dy < wy * dx * dy:
                inside = not inside
            along = wx * dx + wy * dy
            if along >= length2:
                wx, wy = wx - dx, wy - dy
            elif along > 0:
                share = along / length2
                wx, wy = wx - share * dx, wy - share * dy
            squared = wx * wx + wy * wy
            if squared < least:
                # On the outline itself there is no way to it: across the edge then.
                least, across = squared, (wx, wy) if squared > 1e-18 else (dy, -dx)
        xx, xy, yy = covariance_m2
        wx, wy = across
        variance = (wx * wx * xx + 2 * wx * wy * xy + wy * wy * yy) / (wx * wx + wy * wy)
        distance = math.sqrt(least)
        return Depth(distance if inside or distance < 1e-9 else -distance, math.sqrt(variance))
