"""Where a calibrated camera hangs: focal length and the vertical, from its homography alone."""

import math
from dataclasses import dataclass

import numpy as np

from zones.homography import Array

NARROWEST_RAD = math.radians(8)
WIDEST_RAD = math.radians(160)
"""Horizontal angles of view between which an estimate is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """A camera above the floor.

    Square pixels and a principal point in the middle of the picture are assumed.

    Attributes:
        focal: Focal length in picture heights.
        vertical: (3,) what one metre of height adds to a point's homogeneous coordinates.
        location_m: x, y on the plan and height above the floor, metres.
    """

    focal: float
    vertical: Array
    location_m: tuple[float, float, float]


def pose_of(matrix: Array, aspect: float) -> Pose | None:
    """The pose behind a homography plan → picture; None where it cannot be told.

    It cannot for a camera that looks straight down: then every focal length fits.
    """
    focal = _focal(matrix)
    if focal is None or not NARROWEST_RAD < 2 * math.atan(aspect / 2 / focal) < WIDEST_RAD:
        return None
    inverse_k = np.diag([1 / focal, 1 / focal, 1.0])
    first, second, third = (inverse_k @ matrix).T
    unit = (np.linalg.norm(first) + np.linalg.norm(second)) / 2
    if unit < 1e-12:
        return None
    axes = np.stack([first, second, np.cross(first, second) / unit], axis=1) / unit
    place = -np.linalg.solve(axes, third / unit)
    vertical = np.diag([focal, focal, 1.0]) @ axes[:, 2] * unit
    x, y, z = (float(value) for value in place)
    return Pose(focal=focal, vertical=vertical, location_m=(x, y, z))


def _focal(matrix: Array) -> float | None:
    """From the plan's axes being perpendicular and equally long, by least squares."""
    (a1, b1, c1), (a2, b2, c2) = matrix[:, 0], matrix[:, 1]
    known = np.array([2 * (a1 * a2 + b1 * b2), a1 * a1 + b1 * b1 - a2 * a2 - b2 * b2])
    depth = np.array([2 * c1 * c2, c1 * c1 - c2 * c2])
    size = float(known @ known)
    if size < 1e-18:
        return None
    inverse_square = -float(known @ depth) / size
    return 1 / math.sqrt(inverse_square) if inverse_square > 1e-6 else None
