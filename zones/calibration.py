"""A camera's view of the floor: from the picture to metres on the plan, and how sure that is.

An installer clicks points of the floor in the picture and gives their place on the plan. The
homography through them is fitted in ``zones.homography``; its uncertainty, from how well people
click and measure, reaches every position that is computed with it.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import Field

from safety.config import Spec
from zones.geometry import MIN_AREA, FloorPolygon, Polygon
from zones.homography import Array, Fit, jacobian, parameter_jacobian, project
from zones.lens import Lens, LensSpec
from zones.pose import Pose, pose_of

POINT_NOISE = 0.003
"""Assumed standard deviation of a point in the picture, in picture heights."""

LEAST_DEPTH = 0.02
"""Places nearer to the camera's own plane than this share of the pairs' depth are left out, like
those behind it."""

_EDGE_STEPS = 16
"""Pieces into which an edge is cut where the lens bends it."""


class PointPair(Spec):
    """One point of the floor, in the picture and on the plan."""

    picture: tuple[float, float]
    """x and y, 0-1 of the picture."""
    plan_m: tuple[float, float]
    """x and y on the floor plan, metres."""


class CalibrationSpec(Spec):
    """How a camera sees the floor."""

    pairs: tuple[PointPair, ...] = Field(max_length=64)
    """Points of the floor in the picture and on the plan; four or more, better eight, spread over
    the whole floor that the camera watches."""
    aspect: float = Field(default=16 / 9, gt=0.2, lt=5)
    """Width / height of the scene as the lens sees it."""
    lens: LensSpec | None = None
    """Distortion of a wide lens."""
    limit_m: float = Field(default=0.5, gt=0, le=10)
    """Largest error of the pairs, root mean square in metres, with which it may be used."""
    stature_m: float = Field(default=1.70, ge=1.2, le=2.2)
    """Height of the people it sees, with shoes and helmet, for those whose feet are hidden."""
    stature_spread_m: float = Field(default=0.10, gt=0, le=0.5)
    """How much people's heights differ, standard deviation in metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stature:
    """How tall people are, soles to crown with shoes and helmet: mean and standard deviation."""

    mean_m: float = 1.70
    spread_m: float = 0.10


@dataclass(frozen=True, slots=True, eq=False)
class Floor:
    """Places on the floor; row i of every array is one of them.

    Attributes:
        places_m: (N, 2) on the plan, metres; NaN where there is no floor (above the horizon).
        covariance_m2: (N, 2, 2), square metres.
    """

    places_m: Array
    covariance_m2: Array


class FloorCalibration:
    """A calibrated camera. Picture points are (N, 2), normalised; see ``solve``."""

    def __init__(
        self, fit: Fit, aspect: float, lens: Lens | None, stature: Stature | None = None
    ) -> None:
        self.stature = stature or Stature()
        self._fit = fit
        self.aspect = aspect
        self._lens = lens
        self._inverse: Array = np.asarray(np.linalg.inv(fit.matrix), np.float64)
        # Depth 1 is where the pairs are: their centre is the parameters' origin.
        self.pose: Pose | None = pose_of(fit.matrix, aspect)
        self._raised = lru_cache(maxsize=16)(self._matrices)

    def plane(self, points: Array) -> Array:
        """From the picture to where a perfect lens shows it, in picture heights from the centre."""
        plane = (points - 0.5) * np.array([self.aspect, 1.0])
        return plane if self._lens is None else self._lens.straighten(plane)

    def picture(self, plane: Array) -> Array:
        """The way back from ``plane``."""
        if self._lens is not None:
            plane = self._lens.bend(plane)
        points: Array = plane / np.array([self.aspect, 1.0]) + 0.5
        return points

    @np.errstate(divide="ignore", invalid="ignore")
    def to_floor(
        self,
        points: Array,
        *,
        noise: Array | float = POINT_NOISE,
        height_m: float = 0.0,
        height_noise_m: float = 0.0,
    ) -> Floor:
        """Where on the plan picture points are that are ``height_m`` above the floor.

        Without a known pose all heights count as 0.

        Args:
            points: (N, 2), normalised.
            noise: Standard deviation of the points in picture heights, one or (N,).
            height_m: Height above the floor.
            height_noise_m: Its standard deviation.
        """
        plane = self.plane(np.asarray(points, np.float64))
        matrix, inverse = self._raised(height_m)
        places, nearness = project(inverse, plane)
        depth = 1 / nearness
        depth[~(depth > LEAST_DEPTH)] = np.nan
        places[np.isnan(depth)] = np.nan
        spread = np.zeros((len(places), 2, 2))
        spread[:, 0, 0] = spread[:, 1, 1] = np.square(noise)
        if self.pose is not None and height_noise_m:
            lifted = self.pose.vertical
            rise = (lifted[:2] - plane * lifted[2]) / depth[:, None] * height_noise_m
            spread += rise[:, :, None] * rise[:, None, :]
        local = (places - self._fit.shift) * self._fit.scale
        by_parameters = parameter_jacobian(local, plane, depth)
        spread += by_parameters @ self._fit.covariance @ by_parameters.transpose(0, 2, 1)
        back = inverse2(jacobian(matrix, plane, depth))
        return Floor(places, back @ spread @ back.transpose(0, 2, 1))

    @np.errstate(divide="ignore", invalid="ignore")
    def places(self, points: Array, *, height_m: float = 0.0) -> Array:
        """As ``to_floor``, (N, 2) places only: where uncertainties are known already."""
        places, nearness = project(self._raised(height_m)[1], self.plane(points))
        places[~(nearness * LEAST_DEPTH < 1) | ~(nearness > 0)] = np.nan
        return places

    @np.errstate(divide="ignore", invalid="ignore")
    def to_picture(self, places_m: Array, *, height_m: float = 0.0) -> Array:
        """Where the picture shows places of the plan, (N, 2); NaN behind the camera."""
        plane, depth = project(self._raised(height_m)[0], np.asarray(places_m, np.float64))
        return np.where((depth > LEAST_DEPTH)[:, None], self.picture(plane), np.nan)

    @np.errstate(divide="ignore", invalid="ignore")
    def heights(self, places_m: Array, height_m: float) -> Array:
        """(N,) how tall something of this height looks there, in picture heights; NaN unknown."""
        if self.pose is None:
            return np.full(len(places_m), np.nan)
        foot, _ = project(self._raised(0.0)[0], places_m)
        head, _ = project(self._raised(height_m)[0], places_m)
        return np.asarray(np.hypot(*(head - foot).T))

    def picture_polygon(self, floor_m: FloorPolygon, *, height_m: float = 0.0) -> Polygon | None:
        """A floor polygon as the picture shows it, cut at the horizon and the picture's edge.

        Args:
            floor_m: Corners on the plan.
            height_m: Height above the floor to which it is raised; 0 without a known pose.

        Returns:
            Its largest visible piece; None if there is none worth watching.
        """
        matrix, _ = self._raised(height_m)
        in_front = _clipped(np.array(floor_m), matrix[2])
        if len(in_front) < 3:
            return None
        if self._lens is not None:
            in_front = _densified(in_front)
        corners = self.picture(project(matrix, in_front)[0])
        visible = shapely.make_valid(shapely.Polygon(corners)).intersection(shapely.box(0, 0, 1, 1))
        pieces = [each for each in shapely.get_parts(visible) if each.geom_type == "Polygon"]
        largest = max(pieces, key=lambda piece: piece.area, default=None)
        if largest is None or largest.area < MIN_AREA:
            return None
        return tuple((float(x), float(y)) for x, y in largest.exterior.coords[:-1])

    def horizon(self) -> tuple[tuple[float, float], ...]:
        """Points of the horizon from the left edge of the picture to the right; empty if none."""
        a, b, c = self._inverse[2]
        if abs(b) < 1e-9 * np.hypot(a, c):
            return ()
        x = np.linspace(-0.5, 0.5, 9 if self._lens else 2) * self.aspect
        plane = np.stack([x, -(a * x + c) / b], axis=1)
        if np.abs(plane[:, 1]).max() > 10:
            return ()
        return tuple((float(x), float(y)) for x, y in self.picture(plane))

    def _matrices(self, height_m: float) -> tuple[Array, Array]:
        """Plan → plane for what is so high above the floor, and the way back."""
        if self.pose is None or height_m == 0:
            return self._fit.matrix, self._inverse
        matrix = self._fit.matrix.copy()
        matrix[:, 2] += height_m * self.pose.vertical
        return matrix, np.asarray(np.linalg.inv(matrix), np.float64)


def inverse2(matrices: Array) -> Array:
    """Inverses of (N, 2, 2) matrices; not finite for singular ones, never an error."""
    a, b, c, d = matrices.reshape(-1, 4).T
    inverse = np.empty_like(matrices)
    inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 0], inverse[:, 1, 1] = d, -b, -c, a
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse /= (a * d - b * c)[:, None, None]
    return inverse


def _clipped(corners: Array, depth_row: Array) -> Array:
    """The part of a polygon in front of the camera (Sutherland-Hodgman on one half plane)."""
    depth = corners @ depth_row[:2] + depth_row[2] - LEAST_DEPTH
    kept: list[NDArray[np.float64]] = []
    for i in range(len(corners)):
        before = i - 1
        if (depth[i] > 0) != (depth[before] > 0):
            share = depth[before] / (depth[before] - depth[i])
            kept.append(corners[before] + share * (corners[i] - corners[before]))
        if depth[i] > 0:
            kept.append(corners[i])
    return np.array(kept).reshape(-1, 2)


def _densified(corners: Array) -> Array:
    """The same outline with more corners, for a lens to bend."""
    after = np.roll(corners, -1, axis=0)
    shares = np.arange(_EDGE_STEPS)[:, None, None] / _EDGE_STEPS
    dense: Array = (corners + shares * (after - corners)).transpose(1, 0, 2).reshape(-1, 2)
    return dense
