"""Plane geometry of zones: polygons in the picture, normalised coordinates."""

import math

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError
from shapely.validation import explain_validity

Polygon = tuple[tuple[float, float], ...]
"""Corners (x, y), 0-1 of the picture, in order, not closed."""

MIN_AREA = 1e-4
"""Smallest area of a zone as a share of the picture: about 13 x 7 px at 1280 x 720."""

MAX_CORNERS = 200
"""More corners than anybody draws; a bound on the work per frame."""


def checked_polygon(corners: Polygon) -> Polygon:
    """The corners, if they make a polygon that a zone can be.

    A corner that repeats the one before it (a double click, or a last corner equal to the
    first as GeoJSON has it) is dropped. Clockwise and anticlockwise are both fine.

    Raises:
        ValueError: Fewer than three corners, a coordinate outside 0-1 or not finite,
            the outline crosses itself, or hardly any area; the message says which and what
            to do. It is a ``PydanticCustomError``: ``type`` is the translation key.
    """
    for number, (x, y) in enumerate(corners, start=1):
        if not (0 <= x <= 1 and 0 <= y <= 1):  # also catches NaN and infinity
            raise PydanticCustomError(
                "polygon.outside_picture",
                "corner {number} ({x}, {y}) is outside the picture; "
                "give x and y as shares of the picture, from 0 to 1",
                {"number": number, "x": _shown(x), "y": _shown(y)},
            )
    distinct = _without_repeats(corners)
    if not 3 <= len(distinct) <= MAX_CORNERS:
        raise PydanticCustomError(
            "polygon.corner_count",
            "a zone needs 3 to {most} different corners, this one has {count}; "
            "draw its outline corner by corner",
            {"most": MAX_CORNERS, "count": len(distinct)},
        )
    _check_outline(distinct)
    return distinct


class ZoneArea:
    """A zone's polygon, prepared for many questions per second."""

    def __init__(self, polygon: Polygon) -> None:
        self._polygon = shapely.Polygon(polygon)
        shapely.prepare(self._polygon)

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


def _check_outline(corners: Polygon) -> None:
    polygon = shapely.Polygon(corners)
    if not polygon.is_valid:
        reason = explain_validity(polygon)
        raise PydanticCustomError(
            "polygon.crosses_itself",
            "the outline crosses or touches itself{place}; give the corners in the order in "
            "which one walks around the zone, or draw two zones",
            {"place": _place(reason)},
        )
    if polygon.area < MIN_AREA:
        raise PydanticCustomError(
            "polygon.too_small",
            "the zone covers {share} % of the picture, at least {least} % is needed; "
            "draw it larger",
            {"share": f"{polygon.area * 100:.4f}", "least": f"{MIN_AREA * 100:g}"},
        )


def _without_repeats(corners: Polygon) -> Polygon:
    """Without corners equal to the one before; the last is before the first."""
    return tuple(
        corner for before, corner in zip((*corners[-1:], *corners[:-1]), corners, strict=True)
        if corner != before
    )  # fmt: skip


def _place(reason: str) -> str:
    """``" near (0.5, 0.5)"`` out of GEOS's ``"Self-intersection[0.5 0.5]"``."""
    _, bracket, rest = reason.partition("[")
    if not bracket:
        return ""
    x, y = (float(number) for number in rest.rstrip("]").split())
    return f" near ({x:.3f}, {y:.3f})"


def _shown(coordinate: float) -> str:
    return f"{coordinate:g}" if math.isfinite(coordinate) else str(coordinate)
