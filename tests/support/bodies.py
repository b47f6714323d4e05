"""Bodies of joints and sticks in front of a camera: postures in every direction.

Lengths are those of somebody 1.7 m tall. A body's own frame: x forward, y left, z up, the origin
on the floor below the hips; ``yaw_deg`` turns it anticlockwise, 0 along the plan's x axis.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from safety.types import KEYPOINTS, TrackedPerson
from zones.calibration import CalibrationSpec, FloorCalibration, PointPair
from zones.floor import locate
from zones.survey import solve

Array = NDArray[np.float64]

Pose = Literal[
    "stands", "bends", "bows", "kneels", "sits_on_heels", "squats", "sits", "crawls",
    "lies", "lies_bent", "falls_half",
]  # fmt: skip

UPRIGHT: tuple[Pose, ...] = (
    "stands", "bends", "bows", "kneels", "sits_on_heels", "squats", "sits", "crawls",
)  # fmt: skip

ASPECT = 16 / 9
FOCAL = 1.37
"""Focal length in picture heights: 66° across."""

CAMERA_M = (0.0, 0.0, 4.0)
TILT = math.radians(25)
"""The camera looks along the plan's y axis, and down by so much."""


FLESH = [(dx, 0.0, dz) for dx in (-0.06, 0.06) for dz in (-0.06, 0.08)]
"""What surrounds every joint, metres."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """A pose: hips, trunk forward from upright in degrees, and x, z of knees, ankles, wrists."""

    hip: tuple[float, float]
    trunk_deg: float
    knees: tuple[tuple[float, float], tuple[float, float]]
    ankles: tuple[tuple[float, float], tuple[float, float]]
    wrists: tuple[float, float]


_POSES: Mapping[Pose, _Frame] = {
    "stands": _Frame((0, 0.92), 2, ((0.02, 0.5),) * 2, ((0, 0.1),) * 2, (0.1, 0.85)),
    "bends": _Frame((-0.15, 0.85), 65, ((0.0, 0.48),) * 2, ((0, 0.1),) * 2, (0.4, 0.5)),
    "bows": _Frame((-0.2, 0.85), 95, ((-0.05, 0.48),) * 2, ((0, 0.1),) * 2, (0.35, 0.25)),
    "kneels": _Frame((0, 0.5), 12, ((0.02, 0.08), (0.4, 0.5)), ((-0.4, 0.1), (0.4, 0.1)),
                     (0.4, 0.5)),
    "sits_on_heels": _Frame((-0.3, 0.3), 5, ((0.1, 0.08),) * 2, ((-0.3, 0.08),) * 2, (0.1, 0.3)),
    "squats": _Frame((-0.2, 0.3), 25, ((0.2, 0.5),) * 2, ((0, 0.1),) * 2, (0.35, 0.3)),
    "sits": _Frame((0, 0.5), 5, ((0.42, 0.5),) * 2, ((0.42, 0.1),) * 2, (0.35, 0.6)),
    "crawls": _Frame((0, 0.48), 80, ((0.0, 0.08),) * 2, ((-0.4, 0.08),) * 2, (0.5, 0.05)),
    "lies": _Frame((0, 0.14), 90, ((-0.42, 0.12),) * 2, ((-0.84, 0.1),) * 2, (0.1, 0.08)),
    "lies_bent": _Frame((0, 0.14), 90, ((-0.2, 0.4), (-0.4, 0.12)),
                        ((-0.4, 0.1), (-0.8, 0.1)), (0.3, 0.08)),
    "falls_half": _Frame((0.15, 0.75), 35, ((0.1, 0.45),) * 2, ((0, 0.1),) * 2, (0.6, 0.8)),
}  # fmt: skip


def joints(pose: Pose) -> Array:
    """(17, 3) metres in the body's own frame."""
    frame = _POSES[pose]
    lean = math.radians(frame.trunk_deg)
    up = np.array([math.sin(lean), 0.0, math.cos(lean)])
    front = np.array([math.cos(lean), 0.0, -math.sin(lean)])
    left = np.array([0.0, 1.0, 0.0])
    hip = np.array([frame.hip[0], 0.0, frame.hip[1]])
    neck, head = hip + 0.5 * up, hip + 0.68 * up
    wrist = np.array([frame.wrists[0], 0.0, frame.wrists[1]])
    elbow = (neck + wrist) / 2 - 0.08 * front
    found = {
        "nose": head + 0.1 * front,
        "eye": head + 0.08 * front + 0.03 * up,
        "ear": head + 0.02 * up,
        "shoulder": neck,
        "elbow": elbow,
        "wrist": wrist,
        "hip": hip,
    }
    aside = {"nose": 0, "eye": 0.03, "ear": 0.07, "shoulder": 0.18, "elbow": 0.24, "wrist": 0.24,
             "hip": 0.12}  # fmt: skip
    points = np.zeros((17, 3))
    for number, name in enumerate(KEYPOINTS):
        side, _, joint = name.rpartition("_")
        sign = {"left": 1.0, "right": -1.0}.get(side, 0.0)
        if joint in {"knee", "ankle"}:
            x, z = (frame.knees if joint == "knee" else frame.ankles)[0 if sign > 0 else 1]
            points[number] = np.array([x, sign * 0.1, z])
        else:
            points[number] = found[joint] + sign * aside[joint] * left
    return points


def project(points_m: Array) -> Array:
    """(N, 3) plan metres and height → (N, 2) of the picture, normalised."""
    relative = np.asarray(points_m) - CAMERA_M
    depth = relative[:, 1] * math.cos(TILT) - relative[:, 2] * math.sin(TILT)
    down = -relative[:, 1] * math.sin(TILT) - relative[:, 2] * math.cos(TILT)
    x = FOCAL * relative[:, 0] / depth / ASPECT + 0.5
    return np.stack([x, FOCAL * down / depth + 0.5], axis=1)


@cache
def camera() -> FloorCalibration:
    """The camera, calibrated with exact points."""
    places = np.array([(x, y) for y in (5.0, 9.0, 14.0) for x in (-2.0, 0.5, 2.5)])
    picture = project(np.column_stack([places, np.zeros(len(places))]))
    return solve(
        CalibrationSpec(
            pairs=tuple(
                PointPair(picture=(float(px), float(py)), plan_m=(float(x), float(y)))
                for (px, py), (x, y) in zip(picture, places, strict=True)
            ),
            aspect=ASPECT,
        )
    )


def body(
    track_id: int,
    pose: Pose,
    place_m: tuple[float, float],
    *,
    yaw_deg: float = 0.0,
    age_s: float = 0.0,
    confidence: float = 0.9,
    noise: float = 0.0,
    calibrated: bool = True,
) -> TrackedPerson:
    """Somebody in this pose.

    Args:
        track_id: The track's id.
        pose: How.
        place_m: Where on the plan.
        yaw_deg: Which way.
        age_s: Age of the track.
        confidence: Of every keypoint.
        noise: Standard deviation of keypoints, shares of the box's height.
        calibrated: Whether the person gets a place on the floor.
    """
    points = joints(pose)
    turn = math.radians(yaw_deg)
    around = np.array(
        [[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]]
    )
    world = points @ around.T + [*place_m, 0.0]
    picture = project(world)
    flesh = project(np.concatenate([world + np.array(d) for d in FLESH]))
    low, high = flesh.min(axis=0).clip(0, 1), flesh.max(axis=0).clip(0, 1)
    draw = np.random.default_rng(track_id * 1000 + round(age_s * 100))
    picture = picture + draw.normal(0, noise * (high[1] - low[1]), picture.shape) / [ASPECT, 1]
    keypoints = np.column_stack([picture, np.full(17, confidence)]).astype(np.float32)
    person = TrackedPerson(
        track_id=track_id,
        box=np.array([*low, *high], np.float32),
        score=0.9,
        keypoints=keypoints,
        age_s=age_s,
    )
    return locate((person,), camera())[0] if calibrated else person
