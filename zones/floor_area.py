"""Zones on the floor, and who is in them when places are known up to a covariance."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from zones.geometry import FloorPolygon

Array = NDArray[np.float64]

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


class FloorArea:
    """A polygon on the floor plan, prepared for many questions per second."""

    def __init__(self, corners_m: FloorPolygon) -> None:
        self._polygon = shapely.Polygon(corners_m)
        shapely.prepare(self._polygon)
        self._from = np.array(corners_m, np.float64)
        self._along = np.roll(self._from, -1, axis=0) - self._from
        self._around = self._polygon.buffer(STRIDE_M, quad_segs=2)
        shapely.prepare(self._around)
        radius = float(shapely.maximum_inscribed_circle(self._polygon).length)
        self._most_depth_m = min(MOST_DEPTH_M, MOST_DEPTH_SHARE * radius)

    def near(self, places_m: Array) -> NDArray[np.bool_]:
        """(N,) who may have a foot inside; a quick answer that spares exact ones."""
        near: NDArray[np.bool_] = shapely.intersects_xy(
            self._around, places_m[:, 0], places_m[:, 1]
        )
        return near

    def inside(self, places_m: Array, covariance_m2: Array) -> dict[int, Depth]:
        """Who is inside; see ``SURE_SIGMAS``.

        Args:
            places_m: (N, 2), metres; places that are not finite are outside.
            covariance_m2: (N, 2, 2), square metres.

        Returns:
            Row → how far inside.
        """
        rows = np.flatnonzero(shapely.intersects_xy(self._polygon, places_m[:, 0], places_m[:, 1]))
        if not len(rows):
            return {}
        distance, sigma = self._outline(places_m[rows], covariance_m2[rows])
        sure = distance >= np.minimum(SURE_SIGMAS * sigma, self._most_depth_m)
        return {
            int(row): Depth(float(distance[number]), float(sigma[number]))
            for number, row in enumerate(rows) if sure[number]
        }  # fmt: skip

    def distances(self, places_m: Array, covariance_m2: Array) -> list[Depth]:
        """How far inside (or, negative, outside) every place is."""
        inside = shapely.intersects_xy(self._polygon, places_m[:, 0], places_m[:, 1])
        distance, sigma = self._outline(places_m, covariance_m2)
        return [
            Depth(d if is_in else -d, s)
            for d, s, is_in in zip(distance.tolist(), sigma.tolist(), inside.tolist(), strict=True)
        ]

    def _outline(self, places_m: Array, covariance_m2: Array) -> tuple[Array, Array]:
        """Distance to the nearest point of the outline, and its standard deviation."""
        apart = places_m[:, None] - self._from
        share = (apart * self._along).sum(axis=2) / (self._along**2).sum(axis=1)
        apart -= share.clip(0, 1)[:, :, None] * self._along
        squares = (apart**2).sum(axis=2)
        nearest = squares.argmin(axis=1)
        rows = np.arange(len(places_m))
        distance = np.sqrt(squares[rows, nearest])
        way = apart[rows, nearest] / np.maximum(distance, 1e-9)[:, None]
        # On the outline itself there is no way to it: across the outline's edge then.
        on_it = distance < 1e-9
        if on_it.any():
            along = self._along[nearest[on_it]]
            way[on_it] = along[:, ::-1] * [1, -1] / np.hypot(*along.T)[:, None]
        sigma = np.sqrt(np.einsum("ni,nij,nj->n", way, covariance_m2, way).clip(0, None))
        return distance, sigma
