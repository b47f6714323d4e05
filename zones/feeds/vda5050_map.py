"""From a vehicle's map to the floor plan: the similarity through surveyed points."""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, FiniteFloat, model_validator
from pydantic_core import PydanticCustomError

from safety.config import Spec

Point = tuple[float, float]

LEAST_SPREAD_M = 1.0
MOST_RESIDUAL_M = 1.0
SCALES = (0.8, 1.25)

Metres = Annotated[FiniteFloat, Field(ge=-1e6, le=1e6)]
"""A coordinate that can be squared and summed up; no plant is a thousand kilometres long."""


class MapPoint(Spec):
    """One place in both maps, metres."""

    map_m: tuple[Metres, Metres]
    """Where it is by the vehicle's map."""
    plan_m: tuple[Metres, Metres]
    """Where it is on the floor plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapTransform:
    """Rotation, scale and shift from map to plan, both in metres.

    Attributes:
        turn: Complex number that turns and scales.
        shift: Complex number, metres.
        residual_m: Root mean square distance of the surveyed points; with two points always 0.
    """

    turn: complex
    shift: complex
    residual_m: float

    @property
    def scale(self) -> float:
        """Metres on the plan for one on the map; near 1 if both are right."""
        return abs(self.turn)

    @property
    def rotation_rad(self) -> float:
        """Anticlockwise."""
        return cmath.phase(self.turn)

    def point(self, x_m: float, y_m: float) -> Point:
        """A position on the plan."""
        z = self.turn * complex(x_m, y_m) + self.shift
        return z.real, z.imag

    def vector(self, x: float, y: float) -> Point:
        """A velocity or offset on the plan."""
        z = self.turn * complex(x, y)
        return z.real, z.imag


def fit(points: Sequence[MapPoint]) -> MapTransform:
    """The similarity without mirroring that fits best, by least squares (Umeyama 1991 in 2-D).

    Raises:
        PydanticCustomError: The points are too near each other, or do not fit: the residual is
            over ``MOST_RESIDUAL_M``, or a metre is not about a metre in both.
    """
    there = [complex(*point.map_m) for point in points]
    here = [complex(*point.plan_m) for point in points]
    middle_there, middle_here = sum(there) / len(there), sum(here) / len(here)
    spread = sum(abs(z - middle_there) ** 2 for z in there)
    if math.sqrt(spread) < LEAST_SPREAD_M:
        raise PydanticCustomError(
            "feed.map_points_near", "the points of a map lie too near each other; spread them"
        )
    pairs = list(zip(there, here, strict=True))
    turn = sum((z - middle_there).conjugate() * (w - middle_here) for z, w in pairs) / spread
    shift = middle_here - turn * middle_there
    residual = math.sqrt(sum(abs(turn * z + shift - w) ** 2 for z, w in pairs) / len(pairs))
    found = MapTransform(turn=turn, shift=shift, residual_m=residual)
    if residual > MOST_RESIDUAL_M or not SCALES[0] <= found.scale <= SCALES[1]:
        raise PydanticCustomError(
            "feed.map_misfit",
            "the points of a map do not fit: residual {residual} m, scale {scale}; measure them"
            " again, in metres, x and y in this order",
            {"residual": f"{residual:.2f}", "scale": f"{found.scale:.2f}"},
        )
    return found


class VdaMap(Spec):
    """A map of the vehicles, tied to the floor plan by points known in both."""

    map_id: str = Field(min_length=1, max_length=200)
    """The mapId that vehicles report."""
    points: tuple[MapPoint, ...] = Field(min_length=2, max_length=100)
    """Two or more places known in both; three or more show how well they fit."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        fit(self.points)
        return self
