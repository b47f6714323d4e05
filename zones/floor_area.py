"""Zones on the floor, and who is in them when places are known up to a covariance."""

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from zones.geometry import FloorPolygon

SURE_SIGMAS = 1.0
"""Somebody is inside when the place is inside by one standard deviation (84 % sure),"""

MOST_DEPTH_M = 0.25
"""but never must be deeper than this: a poor view may delay an alarm, not prevent it,"""

MOST_DEPTH_SHARE = 0.5
"""nor deeper than this share of the zone's largest inner circle."""

STRIDE_M = 0.8
"""A foot is no farther from the place of a person."""

ROUNDING_M = 1e-6
"""A place that is outside by less may be on the outline, which belongs to the zone."""

Array = NDArray[np.float64]


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

    Attributes:
        is_convex: The zone is its own convex hull.
        rim: (K, 3) one line of the hull in each row: (x, y, 1) times it is how far inside it is.
    """

    def __init__(self, corners_m: FloorPolygon) -> None:
        self._edges = [
            (ax, ay, by, bx - ax, by - ay, (bx - ax) ** 2 + (by - ay) ** 2)
            for (ax, ay), (bx, by) in zip(corners_m, (*corners_m[1:], corners_m[0]), strict=True)
        ]
        polygon = shapely.Polygon(corners_m)
        hull = polygon.convex_hull
        self.is_convex = bool(hull.equals(polygon))
        self.rim = _rim(shapely.get_coordinates(hull), shapely.get_coordinates(hull.centroid)[0])
        radius = float(shapely.maximum_inscribed_circle(polygon).length)
        self._most_depth_m = min(MOST_DEPTH_M, MOST_DEPTH_SHARE * radius)

    def holds(self, depth: Depth) -> bool:
        """Whether that is inside; see ``SURE_SIGMAS``."""
        return depth.inside_m >= min(SURE_SIGMAS * depth.sigma_m, self._most_depth_m)

    def has(self, x_m: float, y_m: float, covariance_m2: Covariance, hull_m: float) -> bool:
        """Whether a place is inside that lies so far inside the hull: ``holds``, mostly quicker."""
        if not hull_m >= -ROUNDING_M:
            return False
        if self.is_convex and hull_m >= self._most_depth_m + ROUNDING_M:
            return True
        return self.holds(self.depth(x_m, y_m, covariance_m2))

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


class FloorAreas:
    """The zones on the floor that a camera's rules ask about, so that one question answers all.

    A zone is taken in when it is first asked about.
    """

    def __init__(self) -> None:
        self._rows: dict[FloorArea, int] = {}
        self._lines = np.zeros((0, 3))
        self._most = 0

    def __len__(self) -> int:
        return len(self._rows)

    def row_of(self, area: FloorArea) -> int:
        """Where a zone's answers are in ``hull_m``."""
        row = self._rows.get(area)
        if row is None:
            row = self._rows[area] = len(self._rows)
            rims = [each.rim for each in self._rows]
            self._most = max(map(len, rims))
            # Repeated lines fill up: they change no minimum.
            even = np.array([rim[[*range(len(rim)), *[-1] * (self._most - len(rim))]]
                             for rim in rims])  # fmt: skip
            self._lines = even.transpose(1, 0, 2).reshape(-1, 3)
        return row

    def hull_m(self, places_m: Array) -> Array:
        """How far inside every zone's hull places are, negative outside.

        Args:
            places_m: (P, 2); NaN is nowhere.

        Returns:
            (Z, P) metres: of convex zones the depth where it is positive, of others more than it.
        """
        # Not by a matrix product: for that a library may wake its threads.
        x, y, offset = self._lines[:, :1], self._lines[:, 1:2], self._lines[:, 2:]
        inside = x * places_m[:, 0] + y * places_m[:, 1] + offset
        found: Array = inside.reshape(self._most, len(self), len(places_m)).min(axis=0)
        return found


def _rim(ring: Array, within: Array) -> Array:
    """The lines of a closed convex ring round a place, as in ``FloorArea.rim``."""
    along = np.diff(ring, axis=0)
    normals = np.column_stack([-along[:, 1], along[:, 0]]) / np.hypot(*along.T)[:, None]
    lines = np.column_stack([normals, -(normals * ring[:-1]).sum(axis=1)])
    turned: Array = lines * np.sign(lines @ [*within, 1.0])[:, None]
    return turned
