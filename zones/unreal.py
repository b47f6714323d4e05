"""Detections that are no persons: mirror images on the floor, and pictures of persons.

Only what cannot be a person is passed over. Somebody too tall for his place may stand on a ladder,
and somebody who never moves may be the one in danger: both are persons.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from safety.types import KEYPOINTS, FloatArray, Observation, TrackedPerson
from zones.calibration import FloorCalibration
from zones.stack import Stack

MIN_CONFIDENCE = 0.5
"""A keypoint counts from this confidence on."""

MIRRORED = 0.3
"""Shoulders below ankles by this share of the box's height: upside down."""

SAME_FEET = 0.15
"""Heights of the box by which a mirror image's feet may be off the feet that it mirrors."""

SMALLEST_M = 0.6
"""No upright person is smaller, seen from head to foot,"""

SURE_SIGMAS = 3.0
"""however much nearer, by so many standard deviations, the place may be."""

LOOK_EVERY_S = 0.5

_JOINTS = [
    KEYPOINTS.index(name)
    for name in ("left_shoulder", "right_shoulder", "left_ankle", "right_ankle")
]
_DOWN = np.array([-0.5, -0.5, 0.5, 0.5], np.float32)


class Unreal:
    """Keeps who is no person.

    Nothing of the kind changes quickly: everybody is looked at when somebody new appears, and
    every ``LOOK_EVERY_S`` in between.
    """

    def __init__(self) -> None:
        self._looked_at = -math.inf
        self._ids: list[int] = []
        self._found: frozenset[int] = frozenset()

    def update(
        self,
        observation: Observation,
        stack: Stack,
        calibration: FloorCalibration | None,
    ) -> frozenset[int]:
        """Take an observation; return the track ids of those who are no persons.

        Args:
            observation: What the frame shows.
            stack: Its persons.
            calibration: How the camera sees the floor, if that is known.
        """
        now = observation.at.monotonic
        if now - self._looked_at >= LOOK_EVERY_S or not set(stack.ids) <= set(self._ids):
            self._looked_at, self._ids = now, stack.ids
            self._found = _unreal(observation.persons, stack, observation.aspect, calibration)
        return self._found


def _unreal(
    persons: Sequence[TrackedPerson],
    stack: Stack,
    aspect: float,
    calibration: FloorCalibration | None,
) -> frozenset[int]:
    if not persons:
        return frozenset()
    joints = stack.keypoints[:, _JOINTS]
    whole = joints[:, :, 2].min(axis=1) >= MIN_CONFIDENCE
    trunk_to_feet = joints[:, :, 1] @ _DOWN
    heights = stack.boxes[:, 3] - stack.boxes[:, 1]
    inverted = whole & (trunk_to_feet < -MIRRORED * heights)
    found = _mirrored(joints, heights, inverted, aspect) if inverted.any() else set()
    if calibration is not None:
        upright = whole & (trunk_to_feet > 0.5 * heights)
        found |= _too_small(persons, heights, upright, calibration)
    return frozenset(stack.ids[row] for row in found)


def _mirrored(
    joints: FloatArray, heights: FloatArray, inverted: NDArray[np.bool_], aspect: float
) -> set[int]:
    """Rows of those who hang head down from somebody's feet."""
    feet = joints[:, 2:, :2].mean(axis=1) * [aspect, 1.0]
    apart = np.hypot(*(feet[:, None] - feet[None]).transpose(2, 0, 1))
    near = (apart <= SAME_FEET * heights) & ~inverted
    return set(np.flatnonzero(inverted & near.any(axis=1)).tolist())


def _too_small(
    persons: Sequence[TrackedPerson],
    heights: FloatArray,
    upright: NDArray[np.bool_],
    calibration: FloorCalibration,
) -> set[int]:
    """Rows of those whose height at their place is no person's."""
    if calibration.pose is None:
        return set()
    placed = [(row, p.floor) for row, p in enumerate(persons) if p.floor is not None]
    rows = np.array([row for row, _ in placed if upright[row]], np.int64)
    if not len(rows):
        return set()
    floors = [floor for row, floor in placed if upright[row]]
    places = np.array([(floor.x_m, floor.y_m) for floor in floors])
    spread = np.array(
        [(floor.covariance_m2[0] + floor.covariance_m2[2]) ** 0.5 for floor in floors]
    )
    # Heights in the picture shrink with the distance: the least a real person could measure
    # there is what one so much farther away would.
    smallest = calibration.heights(places, SMALLEST_M)
    away = places - calibration.pose.location_m[:2]
    distance = np.hypot(*away.T)
    least = smallest * distance / (distance + SURE_SIGMAS * spread)
    with np.errstate(invalid="ignore"):
        return set(rows[heights[rows] < least].tolist())
