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


def place_at(
    route: tuple[Point, ...], passes_s: tuple[float, ...], seconds: float
) -> tuple[Place, float]:
    """Where a vehicle is that passes every corner at its time, and its speed, m/s.

    After the last corner it is at the first again, at once: a film that begins anew.
    """
    rest = seconds % passes_s[-1]
    for (start, end), (a, b) in zip(pairwise(passes_s), pairwise(route), strict=True):
        if rest < end:
            share = max(0.0, rest - start) / (end - start)
            place = Place(
                x_m=a[0] + (b[0] - a[0]) * share,
                y_m=a[1] + (b[1] - a[1]) * share,
                heading_rad=_heading(route, a, b),
            )
            return place, math.dist(a, b) / (end - start)
    raise AssertionError("the rest of a division is smaller than the divisor")


def _heading(route: tuple[Point, ...], a: Point, b: Point) -> float:
    """Where it looks: along its way; while it stands, along the whole route."""
    if math.dist(a, b) < 0.01:
        a, b = route[0], route[-1]
    return math.atan2(b[1] - a[1], b[0] - a[0])
