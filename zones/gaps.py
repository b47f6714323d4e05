"""How far persons are from vehicles and machines, all pairs of a frame at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from safety.types import FloatArray, TrackedPerson
from zones.geometry import FloorPolygon

FEET_M = 0.1
"""Feet reach so far from the middle between them, towards what is near."""

CONTACT_M = 0.4
"""Half a person's width, and arms: somebody this near to an outline touches it."""

LOOK_AHEAD_S = 10.0
"""Contacts later than this are none."""

STANDING_MPS = 0.15
"""Slower vehicles stand."""

ASSUMED_HEIGHT_M = 1.7
"""Height of a person where the floor is unknown."""

Array = NDArray[np.float64]


class Obstacle(Protocol):
    """What one may be too near to."""

    @property
    def outline(self) -> FloorPolygon | None:
        """Convex, anticlockwise, on the plan; None where the floor is unknown."""

    @property
    def velocity_mps(self) -> tuple[float, float] | None:
        """In the plan; None while unknown."""

    @property
    def covariance_m2(self) -> tuple[float, float, float]:
        """xx, xy and yy of its place."""

    @property
    def box(self) -> FloatArray | None:
        """(4,) in the picture; None if it is not seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A convex piece of something that stands still."""

    outline: FloorPolygon | None
    velocity_mps: tuple[float, float] | None = (0.0, 0.0)
    covariance_m2: tuple[float, float, float] = (0.0, 0.0, 0.0)
    box: FloatArray | None = None


def pieces_of(polygon: Polygon) -> tuple[Piece, ...]:
    """A polygon of any shape as convex pieces."""
    whole = polygon.equals(polygon.convex_hull)
    triangles = polygon if whole else shapely.constrained_delaunay_triangles(polygon)
    parts = shapely.get_parts(triangles).tolist()
    return tuple(Piece(outline=convex(shapely.get_coordinates(part).tolist())) for part in parts)


def convex(corners: Sequence[tuple[float, float]]) -> FloorPolygon:
    """The corners of their convex hull, anticlockwise (Andrew's monotone chain, 1979)."""
    points = sorted({(float(x), float(y)) for x, y in corners})
    lower = _chain(points)
    return (*lower[:-1], *_chain(points[::-1])[:-1])


def _chain(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    for x, y in points:
        while len(kept) > 1:
            (ax, ay), (bx, by) = kept[-2:]
            if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                break
            kept.pop()
        kept.append((x, y))
    return kept


class Gaps:
    """The gaps between N persons and V obstacles.

    Attributes:
        metres: (N, V) from the nearer foot to the outline, 0 inside; NaN cannot be told.
        by_picture: (N, V) where the floor is unknown: estimated from how tall the person looks.
    """

    def __init__(
        self,
        persons: Sequence[TrackedPerson],
        obstacles: Sequence[Obstacle],
        aspect: float,
        floors: Array | None = None,
    ) -> None:
        """Measure; at least one person and one obstacle.

        Args:
            floors: What ``floors_of`` says of the persons, if somebody has asked already.
        """
        self._persons, self._obstacles = persons, obstacles
        floors = floors_of(persons) if floors is None else floors
        self._places = floors[:, :2]
        self._shapes = _Shapes([obstacle.outline for obstacle in obstacles])
        rim = self._shapes.nearest(self._places)
        self.metres: Array = np.where(rim.inside, 0.0, np.maximum(rim.distance - FEET_M, 0.0))
        self._rim, self._spreads = rim, floors[:, 2:]
        self.by_picture: NDArray[np.bool_] = np.isnan(self.metres)
        if self.by_picture.any():
            rough = by_picture(persons, obstacles, aspect)
            self.metres = np.where(self.by_picture, rough, self.metres)

    @cached_property
    def contact_s(self) -> Array:
        """(N, V) seconds until contact if nobody changes course; infinite: none, or unknown."""
        walking = np.array([p.velocity_mps or (np.nan, np.nan) for p in self._persons])
        driving = np.array([o.velocity_mps or (np.nan, np.nan) for o in self._obstacles])
        moving = walking[:, None] - driving
        seconds = self._shapes.entered_s(self._places, moving, CONTACT_M)
        with np.errstate(invalid="ignore"):
            soon = (seconds <= LOOK_AHEAD_S) & (np.hypot(*moving.T).T >= STANDING_MPS)
        contact: Array = np.where(soon, seconds, np.inf)
        return contact

    @cached_property
    def sigma_m(self) -> Array:
        """(N, V) standard deviation; 0 where estimated by the picture.

        Along the way between them; on the outline itself the larger one.
        """
        rim, persons = self._rim, self._spreads
        obstacles = np.array([obstacle.covariance_m2 for obstacle in self._obstacles])
        xx, xy, yy = np.moveaxis(persons[:, None] + obstacles, 2, 0)
        length = np.maximum(rim.distance, 1e-9)
        x, y = rim.x / length, rim.y / length
        along = x * x * xx + 2 * x * y * xy + y * y * yy
        touching = rim.distance < 1e-6
        if touching.any():
            along = np.where(touching, np.maximum(xx, yy), along)
        sigma_m: Array = np.where(self.by_picture, 0.0, np.sqrt(np.maximum(along, 0.0)))
        return sigma_m


def floors_of(persons: Sequence[TrackedPerson]) -> Array:
    """(N, 5) x, y and the covariance (xx, xy, yy) of everybody; NaN without a place."""
    floors = [
        _NOWHERE if p.floor is None else (p.floor.x_m, p.floor.y_m, *p.floor.covariance_m2)
        for p in persons
    ]
    return np.array(floors, np.float64).reshape(-1, 5)


_NOWHERE = (math.nan,) * 5


@dataclass(frozen=True, slots=True)
class _Rim:
    """The nearest points of V outlines to N places; every array is (N, V).

    Attributes:
        distance: Metres; NaN without a place.
        x, y: The way from there to the place.
        inside: The place is inside the outline, or on it.
    """

    distance: Array
    x: Array
    y: Array
    inside: NDArray[np.bool_]


def by_picture(
    persons: Sequence[TrackedPerson], obstacles: Sequence[Obstacle], aspect: float
) -> Array:
    """Rough distances where the floor is unknown, from how tall the persons look.

    Depth looks shorter than it is from any camera that does not look straight down, so these
    are rather too short than too long: they warn too early.

    Returns:
        (N, V) metres; NaN for what is not in the picture.
    """
    unseen = np.full(4, np.nan)
    one = np.stack([person.box for person in persons]).astype(np.float64)[:, None]
    other = np.stack([unseen if o.box is None else o.box for o in obstacles]).astype(np.float64)
    metres_per_height = ASSUMED_HEIGHT_M / np.maximum(one[..., 3] - one[..., 1], 1e-6)
    aside = np.maximum(other[:, 0] - one[..., 2], one[..., 0] - other[:, 2])
    across = np.maximum(aside, 0.0) * aspect
    rough: Array = np.hypot(across, other[:, 3] - one[..., 3]) * metres_per_height
    return rough


class _Shapes:
    """V convex outlines as arrays, all with K edges; an edge of no length fills up.

    Coordinates have arrays of their own, (V, K): sums over an axis of two are slow.
    """

    def __init__(self, outlines: Sequence[FloorPolygon | None]) -> None:
        nowhere = ((np.nan, np.nan),)
        corners = [outline or nowhere for outline in outlines]
        most = max(len(each) for each in corners)
        start = np.array([each + each[-1:] * (most - len(each)) for each in corners])
        along = start[:, [*range(1, most), 0]] - start
        self._x, self._y = start[..., 0], start[..., 1]
        self._dx, self._dy = along[..., 0], along[..., 1]
        squares = self._dx * self._dx + self._dy * self._dy
        self._squares = np.where(squares > 0, squares, 1.0)

    def nearest(self, places: Array) -> _Rim:
        """Of every outline's rim what is nearest to these places."""
        x = places[:, 0, None, None] - self._x
        y = places[:, 1, None, None] - self._y
        inside = (x * self._dy <= y * self._dx).all(axis=2)
        share = (x * self._dx + y * self._dy) / self._squares
        share = np.minimum(np.maximum(share, 0.0), 1.0)
        x -= share * self._dx
        y -= share * self._dy
        squares = x * x + y * y
        # Of somebody without a place all are NaN, and so is the first of them.
        most = squares.shape[2]
        which = squares.argmin(axis=2).ravel() + np.arange(0, squares.size, most)
        shape = squares.shape[:2]
        return _Rim(
            np.sqrt(squares.ravel()[which]).reshape(shape),
            x.ravel()[which].reshape(shape),
            y.ravel()[which].reshape(shape),
            inside,
        )

    def entered_s(self, places: Array, moving: Array, margin_m: float) -> Array:
        """(N, V) when places that move reach the outlines grown by a margin; infinite: never.

        Clipping of a ray with half planes, after Cyrus and Beck (1978).
        """
        length = np.sqrt(self._squares)
        normal_x, normal_y = self._dy / length, -self._dx / length
        out = (places[:, 0, None, None] - self._x) * normal_x - margin_m
        out += (places[:, 1, None, None] - self._y) * normal_y
        speed = moving[..., 0, None] * normal_x + moving[..., 1, None] * normal_y
        with np.errstate(divide="ignore", invalid="ignore"):
            crossed = -out / speed
        enters = np.where(speed < 0, crossed, 0.0).max(axis=2)
        leaves = np.where(speed > 0, crossed, np.inf).min(axis=2)
        apart = ((speed == 0) & (out > 0)).any(axis=2)
        with np.errstate(invalid="ignore"):
            entered: Array = np.where((enters <= leaves) & ~apart, enters, np.inf)
        return entered
