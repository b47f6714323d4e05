"""Velocities on the floor, from places that are known up to a covariance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety.perception.floor_velocity import FORGET_AFTER_S, FloorVelocities, Velocity


def drive(
    velocity: tuple[float, float],
    *,
    fps: float = 10.0,
    seconds: float = 4.0,
    noise_m: float = 0.0,
    loss: float = 0.0,
    seed: int = 0,
) -> Velocity | None:
    """What is known at the end of a straight drive."""
    draw = np.random.default_rng(seed)
    filtered = FloorVelocities(acceleration=0.5)
    known = None
    for number in range(round(seconds * fps) + 1):
        at_s = number / fps
        if draw.random() < loss:
            continue
        place = np.array([velocity]) * at_s + draw.normal(0, noise_m, (1, 2))
        variance = np.array([max(noise_m, 0.03) ** 2])
        known = filtered.update([7], place, variance, 1000 + at_s).get(7)
    return known


@pytest.mark.parametrize(("fps", "loss"), [(10.0, 0.0), (5.0, 0.0), (3.0, 0.0), (10.0, 0.3)])
@pytest.mark.parametrize("velocity", [(0.0, 0.0), (1.5, 0.0), (-2.0, 3.0)])
def test_any_rate_gives_the_same_velocity(
    velocity: tuple[float, float], fps: float, loss: float
) -> None:
    assert drive(velocity, fps=fps, loss=loss) == pytest.approx(velocity, abs=0.1)


@settings(max_examples=30)
@given(st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 1000))
def test_noise_is_smoothed(x: float, y: float, seed: int) -> None:
    """0.15 m of noise from frame to frame would be 2 m/s between two frames at 10 fps."""
    assert drive((x, y), noise_m=0.15, seed=seed) == pytest.approx((x, y), abs=1.0)


def test_one_place_is_no_velocity() -> None:
    filtered = FloorVelocities(acceleration=0.5)
    assert filtered.update([1], np.zeros((1, 2)), np.array([0.01]), 1000.0) == {}


def test_vague_places_are_no_velocity() -> None:
    assert drive((1.0, 0.0), noise_m=3.0, seconds=1.0) is None


def test_braking_is_noticed_within_a_second() -> None:
    filtered = FloorVelocities(acceleration=0.5)
    x = 0.0
    for number in range(60):
        speed = 2.0 if number < 40 else 0.0
        x += speed / 10
        known = filtered.update([1], np.array([[x, 0.0]]), np.array([0.01]), 1000 + number / 10)
        if number == 50:
            assert known[1][0] < 0.6
    assert known[1][0] == pytest.approx(0.0, abs=0.1)


def test_tracks_do_not_mix() -> None:
    filtered = FloorVelocities(acceleration=0.5)
    for number in range(30):
        at_s = number / 10
        ids = [1, 2] if number % 2 else [2, 1]
        places = {1: (at_s, 0.0), 2: (0.0, -2 * at_s)}
        known = filtered.update(
            ids, np.array([places[i] for i in ids]), np.full(2, 0.01), 1000 + at_s
        )
    assert known[1] == pytest.approx((1, 0), abs=0.1)
    assert known[2] == pytest.approx((0, -2), abs=0.1)


def test_who_was_gone_begins_anew() -> None:
    filtered = FloorVelocities(acceleration=0.5)
    for number in range(20):
        filtered.update([1], np.array([[number / 10, 0.0]]), np.array([0.01]), 1000 + number / 10)
    later = 1002 + FORGET_AFTER_S + 0.1
    assert filtered.update([1], np.array([[40.0, 0.0]]), np.array([0.01]), later) == {}
