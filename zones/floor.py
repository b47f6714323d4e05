"""Where persons and vehicles stand on the plan, each with its own uncertainty.

The figures below were measured on rendered scenes with known truth (docs/floor.md has how well
they predict errors); heights of joints are shares of body height, as in D. Winter, Biomechanics
and Motor Control of Human Movement, 4th ed., table 4.1, with the bias of pose networks added.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from safety.types import KEYPOINTS, FloorPosition, SeenVehicle, TrackedPerson
from zones.calibration import POINT_NOISE, Floor, FloorCalibration, inverse2
from zones.homography import Array

Source = Literal["ankles", "box_bottom", "extrapolated"]

MIN_CONFIDENCE = 0.5
"""A keypoint counts from this confidence on."""

ANKLE_M = 0.13
ANKLE_NOISE_M = 0.05
"""Height of the middle of both ankles above the floor, standing to walking."""

HALF_BODY_M = 0.8
"""The feet of somebody who lies are so far from the middle of the body."""

ONE_ANKLE_M = 0.2
"""One ankle is so far from the middle between both, per axis, standing to walking."""

FEET_M = 0.05
LOW_M = 0.3
"""How far the middle between two ankles may be off for other reasons, per axis; networks place
the joints of people who kneel, lie or fall less well."""

LOW = 0.85
"""A box that is shorter than this share of a standing person's is somebody low, or half hidden."""

SHOULDERS, SHOULDERS_NOISE = 0.85, 0.03
HIPS, HIPS_NOISE = 0.54, 0.04
"""Height of joints as networks see them, and its spread, shares of body height."""

DOUBT_NOISE = 0.25
"""What doubt adds to the noise of a joint: at a confidence of 0.9 a tenth of this."""

JOINT_NOISE = 0.02
BOX_NOISE = 0.04
"""How far joints and box edges are off, shares of the box's diagonal."""

SOLES = 0.03
"""The middle of the feet is so far above the box's bottom, share of the box's height."""

WHOLE = 0.8
"""A box that is shorter than this share of a standing person shows no feet, or nobody standing."""

CROUCH_M = 0.25
"""Whose feet are hidden may also sit or kneel: that lowers hips and shoulders by twice this."""

AGREEING = 4.0
"""Squared standard deviations up to which the box's bottom and the trunk tell the same."""

UPRIGHT = 0.5
"""How far shoulders may be from where upright ones would be, shares of the trunk's length."""

EDGE = 0.99
"""A box that reaches down to here is cut by the picture's edge."""

LOWEST = 0.985
"""An ankle below this is at the picture's edge, or beyond."""

VAGUEST_M = 5.0
"""Positions with a larger standard deviation are no positions."""

VEHICLE_M = 0.25
"""How far the middle of a vehicle's box is from the middle of its near edge, per axis."""

CLEARANCE_M = 0.06
"""The lower edge of what is seen of a vehicle is so far above the floor, give or take as much."""

_ANKLES = [KEYPOINTS.index("left_ankle"), KEYPOINTS.index("right_ankle")]
_HIPS = [KEYPOINTS.index("left_hip"), KEYPOINTS.index("right_hip")]
_SHOULDERS = [KEYPOINTS.index("left_shoulder"), KEYPOINTS.index("right_shoulder")]


def locate(
    persons: Sequence[TrackedPerson], calibration: FloorCalibration
) -> tuple[TrackedPerson, ...]:
    """The same persons with their place on the floor, None where there is none to be told."""
    if not persons:
        return ()
    keypoints = np.array([person.keypoints for person in persons], np.float64)
    boxes = np.array([person.box for person in persons], np.float64)
    feet = _middle(keypoints, _ANKLES)
    # Below the picture's edge a network guesses.
    seen = feet.known & (feet.points[:, 1] < LOWEST)
    floor = _by_ankles(feet, boxes, calibration)
    sources: list[Source] = ["ankles"] * len(persons)
    rest = np.flatnonzero(~seen)
    if len(rest):
        told, by = _without_ankles(keypoints[rest], boxes[rest], calibration)
        floor.places_m[rest], floor.covariance_m2[rest] = told.places_m, told.covariance_m2
        for row, source in zip(rest.tolist(), by, strict=True):
            sources[row] = source
    # Named one by one: ``replace`` takes twice as long, twenty times a frame.
    return tuple(
        TrackedPerson(
            track_id=person.track_id,
            box=person.box,
            score=person.score,
            keypoints=person.keypoints,
            age_s=person.age_s,
            ppe=person.ppe,
            missing_since=person.missing_since,
            floor=place,
        )
        for person, place in zip(persons, _positions(floor, sources), strict=True)
    )


def locate_vehicles(
    vehicles: Sequence[SeenVehicle], calibration: FloorCalibration
) -> tuple[SeenVehicle, ...]:
    """The same vehicles with the middle of their near edge on the floor."""
    if not vehicles:
        return ()
    boxes = np.array([vehicle.box for vehicle in vehicles], np.float64)
    noise = _noise(boxes, calibration, BOX_NOISE)
    # Cut by the picture's edge it ends anywhere below.
    noise = np.where(boxes[:, 3] >= EDGE, noise + (boxes[:, 3] - boxes[:, 1]) / 2, noise)
    floor = calibration.to_floor(
        _bottoms(boxes), noise=noise, height_m=CLEARANCE_M, height_noise_m=CLEARANCE_M
    )
    floor.covariance_m2[:] += VEHICLE_M**2 * np.eye(2)
    positions = _positions(floor, ["box_bottom"] * len(vehicles))
    return tuple(
        replace(vehicle, floor=place) for vehicle, place in zip(vehicles, positions, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Joints:
    """The middle of a pair of joints of everybody.

    Attributes:
        points: (N, 2), normalised.
        count: (N,) how many of the two are seen.
        known: (N,) whether any is.
        doubt: (N,) how much the network doubts those that are seen, 0 to 0.5.
    """

    points: Array
    count: NDArray[np.int64]
    known: NDArray[np.bool_]
    doubt: Array


def _middle(keypoints: Array, pair: list[int]) -> _Joints:
    chosen = keypoints[:, pair]
    seen = chosen[:, :, 2] >= MIN_CONFIDENCE
    count = seen.sum(axis=1)
    sums = (chosen * seen[:, :, None]).sum(axis=1) / np.maximum(count, 1)[:, None]
    return _Joints(sums[:, :2], count, count > 0, 1 - sums[:, 2])


def _by_ankles(feet: _Joints, boxes: Array, calibration: FloorCalibration) -> Floor:
    share = (JOINT_NOISE + DOUBT_NOISE * feet.doubt) / np.sqrt(np.maximum(feet.count, 1))
    noise = _noise(boxes, calibration, share)
    floor = calibration.to_floor(
        feet.points, noise=noise, height_m=ANKLE_M, height_noise_m=ANKLE_NOISE_M
    )
    aside = np.where(feet.count == 1, ONE_ANKLE_M**2, FEET_M**2)
    upright = calibration.heights(floor.places_m, calibration.stature.mean_m)
    low = (boxes[:, 3] - boxes[:, 1] < LOW * upright) | _lying(boxes, calibration)
    aside += np.where(low, LOW_M**2, 0.0)
    floor.covariance_m2[:, 0, 0] += aside
    floor.covariance_m2[:, 1, 1] += aside
    return floor


def _without_ankles(
    keypoints: Array, boxes: Array, calibration: FloorCalibration
) -> tuple[Floor, list[Source]]:
    """Between box's bottom and trunk where they agree, else by the trunk, else vaguely."""
    bottom = _by_bottom(boxes, calibration)
    expected = calibration.heights(bottom.places_m, calibration.stature.mean_m)
    if np.isnan(expected).all():
        return bottom, ["box_bottom"] * len(boxes)
    with np.errstate(invalid="ignore"):
        whole = ((boxes[:, 3] - boxes[:, 1]) >= WHOLE * expected) & (boxes[:, 3] < EDGE)
    trunk, upright = _by_trunk(keypoints, boxes, calibration)
    # A tall person with hidden feet fills a short person's box: the trunk tells them apart.
    whole &= ~upright | (_distance2(bottom, trunk) <= AGREEING)
    lying = _lying(boxes, calibration) & ~upright
    bottom.covariance_m2[lying] += HALF_BODY_M**2 * np.eye(2)
    # Hidden legs, or somebody who does not stand? Without a trunk both are possible.
    vague = _between(bottom, _by_top(boxes, calibration))
    # Ankles that are not seen may be hidden, and the soles with them: the bottom is half the truth.
    standing = _chosen(whole, _between(bottom, trunk), trunk)
    floor = _chosen(lying, bottom, _chosen(upright, standing, vague))
    named = (whole | lying).tolist()
    return floor, ["box_bottom" if each else "extrapolated" for each in named]


def _by_bottom(boxes: Array, calibration: FloorCalibration) -> Floor:
    points = _bottoms(boxes)
    points[:, 1] -= SOLES * (boxes[:, 3] - boxes[:, 1])
    floor = calibration.to_floor(points, noise=_noise(boxes, calibration, BOX_NOISE))
    floor.covariance_m2[:] += ONE_ANKLE_M**2 * np.eye(2)
    return floor


def _by_top(boxes: Array, calibration: FloorCalibration) -> Floor:
    points = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 1]], axis=1)
    floor = calibration.to_floor(
        points,
        noise=_noise(boxes, calibration, BOX_NOISE),
        height_m=calibration.stature.mean_m,
        height_noise_m=calibration.stature.spread_m,
    )
    floor.covariance_m2[:] += ONE_ANKLE_M**2 * np.eye(2)
    return floor


def _by_trunk(
    keypoints: Array, boxes: Array, calibration: FloorCalibration
) -> tuple[Floor, NDArray[np.bool_]]:
    """From hips and shoulders of those who are upright; and who they are."""
    hips, shoulders = _middle(keypoints, _HIPS), _middle(keypoints, _SHOULDERS)
    lower = _lowered(hips, boxes, calibration, HIPS, HIPS_NOISE)
    upper = _lowered(shoulders, boxes, calibration, SHOULDERS, SHOULDERS_NOISE)
    wanted = calibration.to_picture(lower.places_m, height_m=SHOULDERS * calibration.stature.mean_m)
    trunk = calibration.heights(lower.places_m, (SHOULDERS - HIPS) * calibration.stature.mean_m)
    with np.errstate(invalid="ignore"):
        off = np.abs(wanted - shoulders.points).max(axis=1)
        upright = hips.known & shoulders.known & (off <= UPRIGHT * trunk)
    # Both hang on the same stature, so agreeing makes them no surer (covariance intersection).
    weights = [np.linalg.pinv(np.nan_to_num(each.covariance_m2)) / 2 for each in (lower, upper)]
    covariance: Array = np.asarray(np.linalg.pinv(weights[0] + weights[1]), np.float64)
    joint = sum(
        np.einsum("nij,nj->ni", weight, each.places_m)
        for weight, each in zip(weights, (lower, upper), strict=True)
    )
    return Floor(np.einsum("nij,nj->ni", covariance, joint), covariance), upright


def _lowered(
    joints: _Joints,
    boxes: Array,
    calibration: FloorCalibration,
    share: float,
    noise: float,
) -> Floor:
    floor = calibration.to_floor(
        joints.points,
        noise=_noise(boxes, calibration, JOINT_NOISE),
        height_m=share * calibration.stature.mean_m,
        height_noise_m=math.hypot(
            share * calibration.stature.spread_m, noise * calibration.stature.mean_m, CROUCH_M
        ),
    )
    floor.covariance_m2[:] += ONE_ANKLE_M**2 * np.eye(2)
    return floor


def _distance2(one: Floor, other: Floor) -> Array:
    """(N,) squared distance in standard deviations of both; NaN where one has no place."""
    off = one.places_m - other.places_m
    return np.asarray(
        np.einsum("ni,nij,nj->n", off, inverse2(one.covariance_m2 + other.covariance_m2), off)
    )


def _chosen(first: NDArray[np.bool_], one: Floor, other: Floor) -> Floor:
    """Row by row from one or from the other."""
    return Floor(
        np.where(first[:, None], one.places_m, other.places_m),
        np.where(first[:, None, None], one.covariance_m2, other.covariance_m2),
    )


def _between(one: Floor, other: Floor) -> Floor:
    """Somewhere from one to the other."""
    apart = (one.places_m - other.places_m) / 2
    covariance = (one.covariance_m2 + other.covariance_m2) / 2 + apart[:, :, None] * apart[
        :, None, :
    ]
    return Floor((one.places_m + other.places_m) / 2, covariance)


def _lying(boxes: Array, calibration: FloorCalibration) -> NDArray[np.bool_]:
    """Whose box is wider than tall."""
    wide: NDArray[np.bool_] = (boxes[:, 2] - boxes[:, 0]) * calibration.aspect > (
        boxes[:, 3] - boxes[:, 1]
    )
    return wide


def _bottoms(boxes: Array) -> Array:
    return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)


def _noise(boxes: Array, calibration: FloorCalibration, share: float | Array) -> Array:
    """Of points on bodies of this size, lying ones too, in picture heights."""
    across = (boxes[:, 2] - boxes[:, 0]) * calibration.aspect
    size = np.hypot(across, boxes[:, 3] - boxes[:, 1])
    return np.asarray(np.hypot(share * size, POINT_NOISE))


def _positions(floor: Floor, sources: Sequence[Source]) -> list[FloorPosition | None]:
    places, covariance = floor.places_m, floor.covariance_m2
    with np.errstate(invalid="ignore"):
        # The trace bounds the larger variance; NaN compares as unknown.
        known = (covariance[:, 0, 0] + covariance[:, 1, 1]) <= VAGUEST_M**2
    return [
        FloorPosition(x_m=x, y_m=y, covariance_m2=(xx, xy, yy), source=source) if sure else None
        for (x, y), (xx, xy, _, yy), source, sure in zip(
            places.tolist(), covariance.reshape(-1, 4).tolist(), sources, known.tolist(),
            strict=True,
        )
    ]  # fmt: skip
