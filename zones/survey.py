"""From an installer's clicked points to a calibration, or to the reasons why there is none."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError

from zones.calibration import CalibrationSpec, FloorCalibration, Stature
from zones.geometry import MAX_FLOOR_M
from zones.homography import Array, Fit, fit, jacobian, project
from zones.lens import Lens, lens_of

LEAST_PAIRS = 4

SAME_PICTURE = 0.002
"""Picture points closer than this share of the picture are one point."""

SAME_PLAN_M = 0.02
"""Plan points closer than this are one point."""

LOWEST_M = 0.5
HIGHEST_M = 150.0
"""Heights at which cameras hang."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Survey:
    """A calibration and how its pairs fit.

    Attributes:
        residuals_m: (N,) distance of every pair's picture point, on the floor, from its plan
            point; infinite above the horizon.
        inliers: (N,) of bool: pairs it was made from; the others contradict them.
        rms_m: Root mean square of the inliers' residuals.
    """

    calibration: FloorCalibration
    residuals_m: Array
    inliers: NDArray[np.bool_]
    rms_m: float


@lru_cache(maxsize=256)
def solve(spec: CalibrationSpec) -> FloorCalibration:
    """The calibrated camera.

    Raises:
        ValueError: It cannot be used; a ``PydanticCustomError`` whose ``type`` is the
            translation key, with what is wrong and what to do.
    """
    found = survey(spec)
    if found.rms_m > spec.limit_m:
        worst = int(np.argmax(np.where(found.inliers, found.residuals_m, -1)))
        raise PydanticCustomError(
            "calibration.residual",
            "the pairs contradict each other by {rms} m, at most {limit} m is allowed; "
            "check pair {number} first, which is {worst} m off",
            {
                "rms": f"{found.rms_m:.2f}",
                "limit": f"{spec.limit_m:g}",
                "number": worst + 1,
                "worst": f"{found.residuals_m[worst]:.2f}",
            },
        )
    return found.calibration


@np.errstate(divide="ignore", invalid="ignore")
def survey(spec: CalibrationSpec) -> Survey:
    """The calibration, however large its residuals are.

    Raises:
        ValueError: As ``solve``, but for the residuals.
    """
    picture = np.array([pair.picture for pair in spec.pairs], np.float64).reshape(-1, 2)
    plan = np.array([pair.plan_m for pair in spec.pairs], np.float64).reshape(-1, 2)
    _check_points(picture, plan)
    lens = None if spec.lens is None else lens_of(spec.lens, spec.aspect)
    plane = _plane(picture, spec.aspect, lens)
    fitted = fit(plan, plane)
    if fitted is None:
        raise PydanticCustomError(
            "calibration.collinear",
            "the points are nearly in one line; add points to the side of it, so that four of "
            "them are the corners of a wide quadrilateral",
        )
    _check_order(fitted, plan, plane)
    stature = Stature(mean_m=spec.stature_m, spread_m=spec.stature_spread_m)
    calibration = FloorCalibration(fitted, spec.aspect, lens, stature)
    _check_pose(calibration)
    places = calibration.to_floor(picture).places_m
    off = np.hypot(*(places - plan).T)
    residuals = np.where(np.isfinite(off), off, np.inf)
    inliers = residuals[fitted.inliers]
    return Survey(
        calibration=calibration,
        residuals_m=residuals,
        inliers=fitted.inliers,
        rms_m=float(np.sqrt((inliers**2).mean())),
    )


def _plane(picture: Array, aspect: float, lens: Lens | None) -> Array:
    plane = (picture - 0.5) * np.array([aspect, 1.0])
    return plane if lens is None else lens.straighten(plane)


def _check_points(picture: Array, plan: Array) -> None:
    for number, ((u, v), (x, y)) in enumerate(zip(picture, plan, strict=True), start=1):
        if not (0 <= u <= 1 and 0 <= v <= 1):  # also catches NaN and infinity
            raise PydanticCustomError(
                "calibration.outside_picture",
                "the picture point of pair {number} ({x}, {y}) is outside the picture; "
                "give shares of the picture, from 0 to 1",
                {"number": number, "x": f"{u:g}", "y": f"{v:g}"},
            )
        if not (abs(x) <= MAX_FLOOR_M and abs(y) <= MAX_FLOOR_M):
            raise PydanticCustomError(
                "calibration.outside_plan",
                "the plan point of pair {number} ({x}, {y}) is on no floor plan; "
                "give metres, at most {most} from the plan's origin",
                {"number": number, "x": f"{x:g}", "y": f"{y:g}", "most": f"{MAX_FLOOR_M:g}"},
            )
    for one, other in combinations(range(len(plan)), 2):
        same_picture = np.abs(picture[one] - picture[other]).max() < SAME_PICTURE
        same_plan = np.abs(plan[one] - plan[other]).max() < SAME_PLAN_M
        if same_picture or same_plan:
            raise PydanticCustomError(
                "calibration.repeated",
                "pairs {one} and {other} are the same point in the picture or on the plan; "
                "remove or move one of them",
                {"one": one + 1, "other": other + 1},
            )
    if len(plan) < LEAST_PAIRS:
        raise PydanticCustomError(
            "calibration.too_few",
            "{count} pairs are not enough; give at least {least}, better eight, all over the "
            "floor that the camera watches",
            {"count": len(plan), "least": LEAST_PAIRS},
        )


def _check_order(fitted: Fit, plan: Array, plane: Array) -> None:
    """One side of the horizon for all, and seen from above, not from below or in a mirror."""
    kept = np.flatnonzero(fitted.inliers)
    projected, last = project(fitted.matrix, plan[kept])
    _, back = project(np.asarray(np.linalg.inv(fitted.matrix), np.float64), plane[kept])
    above = kept[(last <= 0) | (back <= 0)]
    if len(above):
        raise PydanticCustomError(
            "calibration.above_horizon",
            "pairs {numbers} do not lie on one floor with the others: they would be above the "
            "horizon; click points of the floor only, and check that each has its own place on "
            "the plan",
            {"numbers": ", ".join(str(number + 1) for number in above)},
        )
    turning = np.linalg.det(jacobian(fitted.matrix, projected, last))
    if (turning > 0).all():
        raise PydanticCustomError(
            "calibration.mirrored",
            "the plan is the mirror image of the picture; check the order of the points, and that "
            "the plan's y axis points up",
        )


def _check_pose(calibration: FloorCalibration) -> None:
    pose = calibration.pose
    if pose is not None and not LOWEST_M <= pose.location_m[2] <= HIGHEST_M:
        raise PydanticCustomError(
            "calibration.camera_height",
            "with these points the camera would hang {height} m above the floor; check that the "
            "plan is in metres and that every point is on the floor",
            {"height": f"{pose.location_m[2]:.2f}"},
        )
