"""Zones prepared for many questions per second: who is in them?"""

from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray

from zones.floor_area import FloorArea
from zones.geometry import FloorPolygon, Polygon


class ZoneArea:
    """A zone in one camera's picture.

    Attributes:
        floor: The same zone on the floor plan; None for one drawn in the picture.
    """

    def __init__(self, polygon: Polygon, floor_m: FloorPolygon | None = None) -> None:
        self._polygon = shapely.Polygon(polygon)
        shapely.prepare(self._polygon)
        self.floor = None if floor_m is None else FloorArea(floor_m)

    def contains(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which points lie in the zone; its outline belongs to it.

        Args:
            points: (..., 2), x and y, normalised.

        Returns:
            (...,) of bool; a point that is not finite is outside.
        """
        inside: NDArray[np.bool_] = shapely.intersects_xy(
            self._polygon, points[..., 0], points[..., 1]
        )
        return inside


@lru_cache(maxsize=1024)
def area_of(polygon: Polygon, floor_m: FloorPolygon | None) -> ZoneArea:
    """The zone, prepared once for all the rules that watch it."""
    return ZoneArea(polygon, floor_m)
