"""Plane geometry of zones: polygons in the picture (normalised) and on the floor (metres)."""

import math

import shapely
from pydantic_core import PydanticCustomError
from shapely.validation import explain_validity

Polygon = tuple[tuple[float, float], ...]
"""Corners (x, y), 0-1 of the picture, in order, not closed."""

FloorPolygon = tuple[tuple[float, float], ...]
"""Corners (x, y), metres on the site's floor plan, in order, not closed."""

MIN_AREA = 1e-4
"""Smallest area of a zone as a share of the picture: about 13 x 7 px at 1280 x 720."""

MIN_FLOOR_AREA_M2 = 0.05
"""Smallest area of a zone on the floor: less than a foot's print and its uncertainty."""

MAX_FLOOR_M = 10_000.0
"""Farthest coordinate on a floor plan; more is a slip of the finger."""

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
    distinct = _distinct(corners)
    area = _area_of_simple(distinct)
    if area < MIN_AREA:
        raise PydanticCustomError(
            "polygon.too_small",
            "the zone covers {share} % of the picture, at least {least} % is needed; "
            "draw it larger",
            {"share": f"{area * 100:.4f}", "least": f"{MIN_AREA * 100:g}"},
        )
    return distinct


def checked_floor_polygon(corners: FloorPolygon) -> FloorPolygon:
    """The corners, if they make a polygon that a zone on the floor plan can be.

    Raises:
        ValueError: As ``checked_polygon``, with coordinates in metres.
    """
    for number, (x, y) in enumerate(corners, start=1):
        if not (abs(x) <= MAX_FLOOR_M and abs(y) <= MAX_FLOOR_M):  # also catches NaN, infinity
            raise PydanticCustomError(
                "polygon.outside_plan",
                "corner {number} ({x}, {y}) is not on any floor plan; give metres, at most"
                " {most} from the plan's origin",
                {"number": number, "x": _shown(x), "y": _shown(y), "most": f"{MAX_FLOOR_M:g}"},
            )
    distinct = _distinct(corners)
    area = _area_of_simple(distinct)
    if area < MIN_FLOOR_AREA_M2:
        raise PydanticCustomError(
            "polygon.too_small_on_floor",
            "the zone covers {area} m2 of floor, at least {least} m2 is needed; draw it larger",
            {"area": f"{area:.4f}", "least": f"{MIN_FLOOR_AREA_M2:g}"},
        )
    return distinct


def _distinct(corners: Polygon) -> Polygon:
    distinct = _without_repeats(corners)
    if not 3 <= len(distinct) <= MAX_CORNERS:
        raise PydanticCustomError(
            "polygon.corner_count",
            "a zone needs 3 to {most} different corners, this one has {count}; "
            "draw its outline corner by corner",
            {"most": MAX_CORNERS, "count": len(distinct)},
        )
    return distinct


def _area_of_simple(corners: Polygon) -> float:
    polygon = shapely.Polygon(corners)
    if not polygon.is_valid:
        reason = explain_validity(polygon)
        raise PydanticCustomError(
            "polygon.crosses_itself",
            "the outline crosses or touches itself{place}; give the corners in the order in "
            "which one walks around the zone, or draw two zones",
            {"place": _place(reason)},
        )
    return float(polygon.area)


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
