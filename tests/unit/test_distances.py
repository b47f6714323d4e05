"""Distances of ISO 13855 and ISO/TS 15066 against worked examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from zones.distances import (
    HAND_MPS,
    UNMEASURED_LATENCY_S,
    WALKING_MPS,
    Approach,
    FixedDistance,
    Iso13855Distance,
    SeparationDistance,
    StopDistance,
    minimum_distance,
    minimum_distance_2024,
    parallel_reach,
    separation,
)


@pytest.mark.parametrize(
    ("speed", "stopping", "reach", "metres"),
    [
        (WALKING_MPS, 0.8, 0.85, 2.130),
        (WALKING_MPS, 0.8, parallel_reach(0.0), 2.480),
        (HAND_MPS, 0.32, 0.0, 0.640),  # over 0.5 m: a hand counts as a walking person then
        (WALKING_MPS, 0.32, 0.0, 0.512),
    ],
)
def test_iso_13855_by_worked_examples(
    speed: float, stopping: float, reach: float, metres: float
) -> None:
    assert minimum_distance(speed, stopping, reach) == pytest.approx(metres)


def test_the_edition_of_2024_adds_what_is_not_known() -> None:
    assert minimum_distance_2024(1.6, 0.8, 0.85, 0.2) == pytest.approx(2.33)


@pytest.mark.parametrize(("height", "reach"), [(0, 1.2), (0.5, 1.0), (0.875, 0.85), (1.0, 0.85)])
def test_reach_over_a_field_parallel_to_the_floor(height: float, reach: float) -> None:
    assert parallel_reach(height) == pytest.approx(reach)


def test_speed_and_separation_by_a_worked_example() -> None:
    assert separation(
        human_mps=1.6, vehicle_mps=1.0, reaction_s=0.5, stopping_s=0.4, stopping_m=0.2,
        reach_m=0.85, human_uncertainty_m=0.1, vehicle_uncertainty_m=0.05,
    ) == pytest.approx(3.14)  # fmt: skip


def test_the_time_is_what_was_measured() -> None:
    rule = Iso13855Distance(reaction_s=0.3, stopping_s=0.3, height_m=1.0)
    assert rule.metres(Approach(latency_s=0.2)) == pytest.approx(2.13)
    assert rule.metres(Approach(latency_s=0.3)) == pytest.approx(2.13 + 0.16)


def test_an_unmeasured_time_is_taken_long() -> None:
    rule = Iso13855Distance()
    assert rule.metres(Approach()) == rule.metres(Approach(latency_s=UNMEASURED_LATENCY_S))


def test_an_uncertain_position_needs_more_distance() -> None:
    rule = Iso13855Distance()
    sure, unsure = Approach(latency_s=0.2), Approach(latency_s=0.2, sigma_m=0.25)
    assert rule.metres(unsure) - rule.metres(sure) == pytest.approx(0.5)


def test_separation_follows_the_vehicle() -> None:
    rule = SeparationDistance(human_mps=0, reaction_s=0.8, braking_mps2=2, reach_m=0.5)
    at = {mps: rule.metres(Approach(latency_s=0.2, vehicle_mps=mps)) for mps in (0, 1, 2)}
    assert at == pytest.approx({0: 0.5, 1: 0.5 + 1 + 0.25, 2: 0.5 + 2 + 1})


def test_an_unknown_speed_is_taken_high() -> None:
    rule = SeparationDistance(unknown_speed_mps=3)
    assert rule.metres(Approach(vehicle_mps=None)) == rule.metres(Approach(vehicle_mps=3))


@given(st.floats(0, 5), st.floats(0, 5), st.floats(0, 2))
def test_more_speed_delay_or_doubt_never_needs_less_distance(
    latency: float, speed: float, sigma: float
) -> None:
    for rule in (FixedDistance(distance_m=2), Iso13855Distance(), SeparationDistance()):
        here = Approach(latency_s=latency, vehicle_mps=speed, sigma_m=sigma)
        worse = Approach(latency_s=latency + 0.1, vehicle_mps=speed + 0.1, sigma_m=sigma + 0.1)
        assert rule.metres(worse) >= rule.metres(here) > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "fixed", "distance_m": 0},
        {"kind": "fixed", "distance_m": float("nan")},
        {"kind": "iso_13855", "speed_mps": -1},
        {"kind": "iso_13849"},
        {"kind": "separation", "braking_mps2": 0},
        {"distance_m": 2},
    ],
)
def test_refuses_what_is_no_distance(wrong: dict[str, object]) -> None:
    adapter: TypeAdapter[StopDistance] = TypeAdapter(StopDistance)
    with pytest.raises(ValidationError):
        adapter.validate_python(wrong)
