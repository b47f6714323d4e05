"""How tall people look is learned from those who walk through the picture."""

import numpy as np
import pytest

from cameras.region_plan_heights import HeightsSeen, LearnedHeights
from safety.types import TrackedPerson
from tests.support.pinholes import Hung

ASPECT = 16 / 9
CAMERA = Hung()


def person(track_id: int, foot_y: float, height: float, *, joints: float = 0.9) -> TrackedPerson:
    width = height / 3 / ASPECT
    keypoints = np.full((17, 3), 0.5, np.float32)
    keypoints[:, 2] = joints
    return TrackedPerson(
        track_id=track_id,
        box=np.array([0.5 - width / 2, foot_y - height, 0.5 + width / 2, foot_y], np.float32),
        score=0.9,
        keypoints=keypoints,
        age_s=3.0,
    )


def seen_at(y_m: float) -> tuple[float, float]:
    """Row of the feet and height of a person in the picture."""
    place = np.array([[0.0, y_m]])
    foot, head = CAMERA.project(place)[0], CAMERA.project(place, height_m=1.7)[0]
    return float(foot[1]), float(foot[1] - head[1])


def walk(seen: HeightsSeen, distances_m: list[float], *, each: int = 10) -> None:
    numbers = iter(range(10_000))
    for y_m in distances_m:
        for _ in range(each):
            number = next(numbers)
            seen.add([person(number, *seen_at(y_m))], ASPECT, at=float(number))


def test_heights_between_and_beyond_those_seen_follow_the_floor() -> None:
    seen = HeightsSeen()
    walk(seen, [5.0, 6.0, 7.0, 9.0, 12.0])
    heights = seen.heights()
    assert heights is not None
    for y_m in (5.5, 8.0, 10.0, 14.0):
        foot, height = seen_at(y_m)
        assert heights.of(np.array([[0.5, foot]]))[0] == pytest.approx(height, rel=0.15)


def test_above_the_horizon_nobody_stands() -> None:
    heights = LearnedHeights(horizon=0.2, growth=0.5)
    assert heights.of(np.array([[0.5, 0.1], [0.5, 0.4]])).tolist() == pytest.approx([0.0, 0.1])


def nobody(seen: HeightsSeen) -> None:
    """Nobody came."""


def one_who_stands(seen: HeightsSeen) -> None:
    for second in range(100):
        seen.add([person(1, *seen_at(6.0))], ASPECT, at=float(second))


def too_few(seen: HeightsSeen) -> None:
    walk(seen, [5.0, 6.0, 7.0, 9.0, 12.0], each=3)


def a_moment(seen: HeightsSeen) -> None:
    for y_m in (5.0, 6.0, 7.0, 9.0, 12.0):
        for _ in range(50):
            seen.add([person(round(y_m), *seen_at(y_m))], ASPECT, at=0.0)


def half_hidden(seen: HeightsSeen) -> None:
    for second in range(300):
        foot, height = seen_at(5.0 + second % 8)
        seen.add([person(second, foot, height, joints=0.2)], ASPECT, at=float(second))


def on_stairs(seen: HeightsSeen) -> None:
    """The higher in the picture, the taller."""
    for number in range(300):
        row = 0.5 + number % 5 * 0.1
        seen.add([person(number, row, 0.6 - row / 2)], ASPECT, at=float(number))


@pytest.mark.parametrize(
    "watch", [nobody, one_who_stands, too_few, a_moment, half_hidden, on_stairs]
)
def test_what_is_not_known_is_not_said(watch: object) -> None:
    seen = HeightsSeen()
    assert callable(watch)
    watch(seen)
    assert seen.heights() is None
