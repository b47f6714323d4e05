"""How much of a zone on the floor a camera sees."""

import numpy as np
import shapely

from zones.calibration import FloorCalibration
from zones.geometry import FloorPolygon

ALL = 0.95
"""Who sees this share of a zone's floor sees all of it: a corner out of view does no harm."""

_STEPS = 24


def seen_share(floor_m: FloorPolygon, calibration: FloorCalibration) -> float:
    """The share of a zone's floor, 0 to 1, that lies in the camera's picture."""
    polygon = shapely.Polygon(floor_m)
    left, low, right, high = polygon.bounds
    x, y = np.meshgrid(
        *(np.linspace(a, b, 2 * _STEPS + 1)[1::2] for a, b in ((left, right), (low, high)))
    )
    places = np.column_stack([x.ravel(), y.ravel()])
    places = places[shapely.intersects_xy(polygon, places[:, 0], places[:, 1])]
    if not len(places):  # narrower than the grid
        places = shapely.get_coordinates(polygon.representative_point())
    shown = calibration.to_picture(places)
    return float(((shown >= 0) & (shown <= 1)).all(axis=1).mean())
