"""Who lies, and who only bends, kneels, crouches or crawls: bodies in every direction."""

import itertools

import numpy as np
import pytest

from safety.types import TrackedPerson
from tests.support.bodies import ASPECT, UPRIGHT, Pose, body, camera
from tests.support.observations import person
from zones.posture import bodies
from zones.stack import Stack

PLACES = list(itertools.product((-2.0, 1.0), (5.0, 8.0, 13.0)))
YAWS = range(0, 360, 30)
UNKNOWN = np.array([np.nan])


def seen(pose: Pose, place: tuple[float, float], yaw_deg: float, *, noise: float) -> TrackedPerson:
    return body(1, pose, place, yaw_deg=yaw_deg, noise=noise)


def lies(who: TrackedPerson, *, calibrated: bool) -> bool:
    standing = UNKNOWN
    if calibrated and who.floor is not None:
        standing = camera().heights(np.array([[who.floor.x_m, who.floor.y_m]]), 1.7)
    return bool(bodies(Stack.of([who]), ASPECT, standing).lying()[0])


@pytest.mark.parametrize("calibrated", [True, False], ids=["calibrated", "floor unknown"])
@pytest.mark.parametrize("pose", UPRIGHT)
def test_nobody_else_is_taken_for_lying(pose: Pose, calibrated: bool) -> None:
    taken = [
        (place, yaw)
        for place, yaw in itertools.product(PLACES, YAWS)
        if lies(seen(pose, place, yaw, noise=0.02), calibrated=calibrated)
    ]
    assert taken == []


@pytest.mark.parametrize(
    ("pose", "calibrated", "least"),
    [("lies", True, 0.9), ("lies", False, 0.85), ("lies_bent", True, 0.85),
     ("lies_bent", False, 0.75)],
)  # fmt: skip
def test_who_lies_is_found_in_most_directions(pose: Pose, calibrated: bool, least: float) -> None:
    """What is missed lies along the view, near by or with the legs drawn up."""
    found = [
        lies(seen(pose, place, yaw, noise=0.02), calibrated=calibrated)
        for place, yaw in itertools.product(PLACES, YAWS)
    ]
    assert np.mean(found) >= least


@pytest.mark.parametrize("yaw_deg", [0, 180])
def test_across_the_view_the_box_alone_is_enough(yaw_deg: float) -> None:
    who = body(1, "lies", (0.0, 9.0), yaw_deg=yaw_deg, confidence=0.1)
    assert lies(who, calibrated=False)


def test_without_keypoints_a_standing_person_stands() -> None:
    assert not lies(person(1, (0.5, 0.8), confidence=0.0), calibrated=False)


@pytest.mark.parametrize(("pose", "bent"), [("stands", False), ("bends", True), ("kneels", False)])
def test_bent_from_the_side(pose: Pose, bent: bool) -> None:
    shape = bodies(Stack.of([body(1, pose, (0.0, 12.0), yaw_deg=0)]), ASPECT, UNKNOWN)
    assert shape.side_on()[0]
    assert shape.bent()[0] == bent


@pytest.mark.parametrize("yaw_deg", [90, 270])
def test_from_the_front_a_trunk_says_nothing(yaw_deg: float) -> None:
    shape = bodies(Stack.of([body(1, "stands", (0.0, 9.0), yaw_deg=yaw_deg)]), ASPECT, UNKNOWN)
    assert not shape.side_on()[0]


def test_one_side_is_enough_for_a_joint() -> None:
    whole = body(1, "lies", (0.0, 9.0), yaw_deg=0)
    half = whole.keypoints.copy()
    half[6::2, 2] = 0.0  # the right side of the body
    other = TrackedPerson(track_id=2, box=whole.box, score=0.9, keypoints=half, age_s=1.0)
    shape = bodies(
        Stack.of([whole, other]),
        ASPECT,
        np.array([np.nan, np.nan]),
    )
    assert shape.lying().tolist() == [True, True]
    assert shape.trunk_deg[0] == pytest.approx(shape.trunk_deg[1], abs=10)
