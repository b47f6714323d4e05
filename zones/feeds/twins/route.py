"""Driving round a closed route at constant speed."""

import math
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where on the route, metres; the heading in radians."""

    x_m: float
    y_m: float
    heading_rad: float


def place_on(route: tuple[Point, ...], travelled_m: float) -> Place:
    """Where a vehicle is after so many metres; after the last corner it returns to the first."""
    corners = [*route, route[0]]
    lengths = [math.dist(a, b) for a, b in pairwise(corners)]
    rest = travelled_m % sum(lengths)
    for ((x, y), (to_x, to_y)), length in zip(pairwise(corners), lengths, strict=True):
        if rest <= length and length > 0:
            share = rest / length
            return Place(
                x_m=x + (to_x - x) * share,
                y_m=y + (to_y - y) * share,
                heading_rad=math.atan2(to_y - y, to_x - x),
            )
        rest -= length
    return Place(x_m=route[0][0], y_m=route[0][1], heading_rad=0.0)
