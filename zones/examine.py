"""What an installer is shown while calibrating: how every pair fits, and how sure it all is."""

import math
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from zones.calibration import CalibrationSpec, FloorCalibration
from zones.homography import Array
from zones.survey import LEAST_PAIRS, Survey, solve, survey

WITHIN_95 = math.sqrt(5.991)
"""Semi-axes of the ellipse that holds 95 % of a plane normal distribution, in deviations."""


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(_Shown):
    """Something to tell: a translation key with its parameters, and the English text."""

    key: str
    message: str
    params: dict[str, str | int | float] = {}


class PairFit(_Shown):
    """How one pair fits the others."""

    number: int
    """Counted from 1."""
    residual_m: float | None
    """On the floor; None above the horizon."""
    used: bool
    """Pairs that contradict the others are not."""


class Ellipse(_Shown):
    """A picture point on the floor, with the ellipse that holds it with 95 % probability."""

    picture: tuple[float, float]
    plan_m: tuple[float, float] | None
    """None where there is no floor."""
    semi_axes_m: tuple[float, float] = (0.0, 0.0)
    """Longer one first."""
    angle_rad: float = 0.0
    """Of the longer one, from the plan's x axis, anticlockwise."""


class CalibrationReport(_Shown):
    """Everything about a calibration, in JSON types."""

    usable: bool
    refusal: Finding | None = None
    """Why it cannot be used."""
    warnings: tuple[Finding, ...] = ()
    pairs: tuple[PairFit, ...] = ()
    rms_m: float | None = None
    camera_m: tuple[float, float, float] | None = None
    """Where the camera hangs: x, y on the plan, height above the floor."""
    view_deg: float | None = None
    """Horizontal angle of view."""
    horizon: tuple[tuple[float, float], ...] = ()
    """Its course in the picture from left to right, normalised; may lie above the picture."""
    ellipses: tuple[Ellipse, ...] = ()


def examine(spec: CalibrationSpec, points: Sequence[tuple[float, float]] = ()) -> CalibrationReport:
    """Look at a calibration, usable or not.

    Args:
        spec: The calibration; also one that ``solve`` refuses.
        points: Picture points, normalised, whose place and uncertainty are wanted.
    """
    try:
        found = survey(spec)
    except PydanticCustomError as error:
        return CalibrationReport(usable=False, refusal=_finding(error))
    refusal: Finding | None = None
    try:
        solve(spec)
    except PydanticCustomError as error:
        refusal = _finding(error)
    pose = found.calibration.pose
    return CalibrationReport(
        usable=refusal is None,
        refusal=refusal,
        warnings=_warnings(found),
        pairs=_pairs(found),
        rms_m=found.rms_m,
        camera_m=None if pose is None else pose.location_m,
        view_deg=None
        if pose is None
        else math.degrees(2 * math.atan(spec.aspect / 2 / pose.focal)),
        horizon=found.calibration.horizon(),
        ellipses=_ellipses(found.calibration, points),
    )


def _finding(error: PydanticCustomError) -> Finding:
    return Finding(key=error.type, message=error.message(), params=dict(error.context or {}))


def _pairs(found: Survey) -> tuple[PairFit, ...]:
    return tuple(
        PairFit(number=number, residual_m=off if math.isfinite(off) else None, used=used)
        for number, (off, used) in enumerate(
            zip(found.residuals_m.tolist(), found.inliers.tolist(), strict=True), start=1
        )
    )


def _warnings(found: Survey) -> tuple[Finding, ...]:
    told = [
        PydanticCustomError(
            "calibration.outlier",
            "pair {number} contradicts the others by {off} m and is not used; correct or remove it",
            {
                "number": pair.number,
                "off": "∞" if pair.residual_m is None else f"{pair.residual_m:.2f}",
            },
        )
        for pair in _pairs(found)
        if not pair.used
    ]
    if len(found.inliers) == LEAST_PAIRS:
        told.append(
            PydanticCustomError(
                "calibration.unchecked",
                "four pairs always fit, right or wrong; add one more or two, so that mistakes show",
            )
        )
    if found.calibration.pose is None:
        told.append(
            PydanticCustomError(
                "calibration.no_pose",
                "from these points it cannot be told how high the camera hangs; people whose feet "
                "are hidden cannot be placed well",
            )
        )
    return tuple(_finding(each) for each in told)


def _ellipses(
    calibration: FloorCalibration, points: Sequence[tuple[float, float]]
) -> tuple[Ellipse, ...]:
    if not points:
        return ()
    floor = calibration.to_floor(np.array(points, np.float64))
    return tuple(
        _ellipse(point, place, covariance)
        for point, place, covariance in zip(
            points, floor.places_m.tolist(), floor.covariance_m2, strict=True
        )
    )


def _ellipse(point: tuple[float, float], place: list[float], covariance: Array) -> Ellipse:
    if not np.isfinite(covariance).all():
        return Ellipse(picture=point, plan_m=None)
    variances, axes = np.linalg.eigh(covariance)
    shorter, longer = np.sqrt(variances.clip(0)) * WITHIN_95
    return Ellipse(
        picture=point,
        plan_m=(place[0], place[1]),
        semi_axes_m=(float(longer), float(shorter)),
        angle_rad=float(math.atan2(axes[1, 1], axes[0, 1])),
    )
