"""Pinhole cameras over a floor, computed from where they hang and nothing else."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zones.lens import LensSpec, lens_of

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Hung:
    """A camera that looks along the plan's y axis, turned by ``yaw_deg`` anticlockwise."""

    height_m: float = 4.0
    tilt_deg: float = 25.0
    roll_deg: float = 0.0
    view_deg: float = 66.0
    yaw_deg: float = 0.0
    place_m: tuple[float, float] = (0.0, 0.0)
    aspect: float = 16 / 9
    lens: LensSpec | None = None

    @property
    def focal(self) -> float:
        """In picture heights."""
        return self.aspect / 2 / math.tan(math.radians(self.view_deg) / 2)

    @property
    def axes(self) -> Array:
        """(3, 3): rows right, down and ahead of the camera, in plan coordinates."""
        tilt, yaw, roll = (
            math.radians(angle) for angle in (self.tilt_deg, self.yaw_deg, self.roll_deg)
        )
        level = np.array([-math.sin(yaw), math.cos(yaw), 0.0])
        right = np.array([math.cos(yaw), math.sin(yaw), 0.0])
        ahead = math.cos(tilt) * level - np.array([0, 0, math.sin(tilt)])
        down = np.cross(ahead, right)
        turned = math.cos(roll) * right + math.sin(roll) * down
        return np.array([turned, np.cross(ahead, turned), ahead])

    def project(self, places_m: Array, *, height_m: float = 0.0) -> Array:
        """Places on the plan, (N, 2), so high above the floor, in the picture, normalised."""
        heights = np.full((len(places_m), 1), height_m - self.height_m)
        seen = np.hstack([places_m - np.array(self.place_m), heights]) @ self.axes.T
        plane = self.focal * seen[:, :2] / seen[:, 2:]
        if self.lens is not None:
            plane = lens_of(self.lens, self.aspect).bend(plane)
        return np.asarray(plane / (self.aspect, 1.0) + 0.5)

    def unproject(self, points: Array) -> Array:
        """Picture points on the floor, (N, 2); NaN above the horizon."""
        plane = (points - 0.5) * (self.aspect, 1.0)
        if self.lens is not None:
            plane = lens_of(self.lens, self.aspect).straighten(plane)
        rays = np.hstack([plane / self.focal, np.ones((len(plane), 1))]) @ self.axes
        falling = np.where(rays[:, 2] < -1e-6, rays[:, 2], np.nan)
        return np.asarray(
            np.array(self.place_m) + rays[:, :2] * (-self.height_m / falling)[:, None]
        )
