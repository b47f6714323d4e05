"""Falls, bent backs, runners and vehicles: what a camera sees of them, moment by moment."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from safety.types import FloorPosition, ObjectClass, Observation, SeenVehicle, TrackedPerson
from tests.support.bodies import Pose, body
from tests.support.observations import OUTSIDE, observation, person

Moment = Callable[[float], Observation]
"""What the camera sees so many seconds after the start."""

MIDDLE_M = (0.0, 9.0)
"""A place on the plan that the camera of ``bodies`` shows in the middle of the picture."""

SURE = (0.01, 0.0, 0.01)


def posing(pose: Pose, *, since_s: float, until_s: float) -> Moment:
    """Somebody stands in the middle, but in this pose for a while; somebody else stands outside."""

    def seen(at_s: float) -> Observation:
        now: Pose = pose if since_s - 1e-6 <= at_s < until_s - 1e-6 else "stands"
        first = body(1, now, MIDDLE_M, yaw_deg=0, age_s=at_s)
        return observation([first, person(2, OUTSIDE, age_s=at_s)], at_s)

    return seen


def running(at_s: float) -> Observation:
    """Somebody in the middle moves at 3 m/s from 2 to 6 s, and walks before and after."""
    speed = 3.0 if 2 - 1e-6 <= at_s < 6 - 1e-6 else 1.4
    return observation([replace(middle(1, at_s), velocity_mps=(speed, 0.0))], at_s)


def approached(at_s: float) -> Observation:
    """A forklift is 1 m from somebody in the middle from 2 to 6 s, and far before and after."""
    x_m = 1.0 if 2 - 1e-6 <= at_s < 6 - 1e-6 else 8.0
    return traffic([middle(1, at_s)], [forklift(x_m=x_m, at_s=at_s)], at_s)


def speeding(at_s: float) -> Observation:
    """A forklift in the middle drives 3 m/s from 2 to 6 s, and 1 m/s before and after."""
    speed = 3.0 if 2 - 1e-6 <= at_s < 6 - 1e-6 else 1.0
    return traffic([], [forklift(x_m=0, at_s=at_s, velocity_mps=(0.0, speed))], at_s)


def driving_in(at_s: float) -> Observation:
    """A forklift is in the middle of the picture from 2 to 6 s, and at its edge else."""
    x = 0.5 if 2 - 1e-6 <= at_s < 6 - 1e-6 else 0.9
    return traffic([], [forklift(x_m=0, at_s=at_s, x=x)], at_s)


def middle(track_id: int, at_s: float) -> TrackedPerson:
    """Somebody who stands in the middle, on the floor exactly there."""
    x_m, y_m = MIDDLE_M
    return replace(
        body(track_id, "stands", MIDDLE_M, age_s=at_s),
        floor=FloorPosition(x_m=x_m, y_m=y_m, covariance_m2=SURE, source="ankles"),
    )


def forklift(
    *,
    x_m: float,
    at_s: float,
    velocity_mps: tuple[float, float] | None = (0.0, 0.0),
    x: float = 0.5,
    y_m: float = 9.0,
    floor: bool = True,
) -> SeenVehicle:
    """A forklift, 2 m long along x and 1 m wide.

    Args:
        x_m, y_m: Middle of its left end on the plan.
        at_s: Its age.
        velocity_mps: Its velocity.
        x: Where it is in the picture.
        floor: Whether the camera knows the floor.
    """
    place = FloorPosition(x_m=x_m, y_m=y_m, covariance_m2=SURE, source="box_bottom")
    outline = ((x_m, y_m - 0.5), (x_m + 2, y_m - 0.5), (x_m + 2, y_m + 0.5), (x_m, y_m + 0.5))
    return SeenVehicle(
        track_id=1,
        kind=ObjectClass.FORKLIFT,
        box=np.array([x - 0.05, 0.3, x + 0.05, 0.5], np.float32),
        score=0.9,
        age_s=at_s,
        floor=place if floor else None,
        velocity_mps=velocity_mps if floor else None,
        footprint_m=outline if floor else None,
    )


def traffic(persons: list[TrackedPerson], vehicles: list[SeenVehicle], at_s: float) -> Observation:
    """Persons and vehicles in one picture."""
    return replace(observation(persons, at_s), vehicles=tuple(vehicles))
