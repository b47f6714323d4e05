"""Where people may stand in a zone, how tall they look there, and what picture they fill."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from cameras.region_plan_heights import STATURE_M, Array, Heights
from cameras.regions import WHOLE, Region
from zones.calibration import FloorCalibration
from zones.geometry import FloorPolygon, Polygon

GRID = 16
"""A zone is looked at in so many places across and down."""

FAR_SHARE_FLOOR = 0.1
"""A zone on the floor is as far as all of it but this share of its area,"""

FAR_SHARE_PICTURE = 0.25
"""and one drawn in the picture but this: its upper part may lie on a wall or a machine."""

WALK_M = 2.0
"""How far around a zone people are followed: more than a second at 1.5 m/s."""

REACH_M = 2.2
"""Height of a tall person with helmet, or of a raised hand."""

ARM_M = 0.5
"""Half a person's width, arms included."""

FORESHORTENED = 0.5
"""A metre away from the camera along the floor is this much of an upright one in the picture."""

LARGEST = 0.8
"""A region larger than this share of the picture gains too little over the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenZone:
    """A zone as one camera sees it.

    Attributes:
        polygon: In the picture.
        ruled: An enabled rule watches it, so it must be seen well.
        heights: Of a standing person as shares of the picture's, by place; places without floor
            left out.
        feet: (N, 2) those places.
        far_height: Of a person in the far part of the zone; None: unknown, or no floor in it.
    """

    zone_id: str
    polygon: Polygon
    ruled: bool
    feet: Array
    heights: Array
    far_height: float | None


def seen_zone(
    zone_id: str,
    polygon: Polygon,
    floor_m: FloorPolygon | None,
    *,
    ruled: bool,
    heights: Heights | None,
    calibration: FloorCalibration | None,
) -> SeenZone:
    """Look at a zone in many places.

    Args:
        polygon: The zone in the picture.
        floor_m: The zone on the plan, for one that lies there.
        ruled: Whether an enabled rule watches it.
        heights: How tall people look; None: unknown.
        calibration: How the camera sees the floor; needed for zones on the plan.
    """
    if floor_m is not None and calibration is not None:
        far_share = FAR_SHARE_FLOOR
        feet = calibration.to_picture(_places(floor_m))
        feet = feet[((feet >= 0) & (feet <= 1)).all(axis=1)]
    else:
        far_share = FAR_SHARE_PICTURE
        feet = _places(polygon)
    found = np.full(len(feet), np.nan) if heights is None else heights.of(feet)
    floor = found > 0  # also False where it is not known
    far = None
    if floor.any() and not np.isnan(found).any():
        far = float(np.quantile(found[floor], far_share, method="lower"))
    return SeenZone(
        zone_id=zone_id,
        polygon=polygon,
        ruled=ruled,
        feet=feet[floor],
        heights=found[floor],
        far_height=far,
    )


def _places(corners: Polygon) -> Array:
    """A grid of places over a polygon, (N, 2), its corners too."""
    polygon = shapely.Polygon(corners)
    left, top, right, bottom = polygon.bounds
    x, y = np.meshgrid(
        np.linspace(left, right, GRID + 1)[:-1] + (right - left) / GRID / 2,
        np.linspace(top, bottom, GRID + 1)[:-1] + (bottom - top) / GRID / 2,
    )
    inside = shapely.contains_xy(polygon, x.ravel(), y.ravel())
    grid = np.stack([x.ravel(), y.ravel()], axis=1)[inside]
    return grid if len(grid) else np.array([polygon.representative_point().coords[0]])


def region_of(zones: Sequence[SeenZone], *, aspect: float, least: float) -> Region:
    """The smallest part of the picture, in its aspect, that shows everybody in and near zones.

    Args:
        aspect: Width / height of the picture.
        least: Smallest share of the picture's sides that is worth it.
    """
    edges = np.array([_around(zone, aspect) for zone in zones])
    left, top = edges[:, :2].min(axis=0).clip(0, 1)
    right, bottom = edges[:, 2:].max(axis=0).clip(0, 1)
    share = max(right - left, bottom - top, least)
    if share > LARGEST:
        return WHOLE
    x = min(max((left + right - share) / 2, 0.0), 1 - share)
    y = min(max((top + bottom - share) / 2, 0.0), 1 - share)
    return Region(left=float(x), top=float(y), right=float(x + share), bottom=float(y + share))


def _around(zone: SeenZone, aspect: float) -> tuple[float, float, float, float]:
    """Edges of the zone with everybody who stands in it or walks up to it."""
    corners = np.array(zone.polygon)
    low, high = corners.min(axis=0), corners.max(axis=0)
    metre = zone.heights / STATURE_M
    aside = metre * (WALK_M + ARM_M) / aspect
    ahead = metre * WALK_M * FORESHORTENED
    x, y = zone.feet.T
    return (
        float(min(low[0], (x - aside).min(initial=1.0))),
        float(min(low[1], (y - ahead - metre * REACH_M).min(initial=1.0))),
        float(max(high[0], (x + aside).max(initial=0.0))),
        float(max(high[1], (y + ahead).max(initial=0.0))),
    )
