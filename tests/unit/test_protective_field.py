"""The floor that a moving vehicle needs."""

import math

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from safety.clock import Instant
from safety.types import ObjectClass, VehiclePose
from tests.support.moments import forklift
from zones.protective_field import (
    LONGEST_S,
    FieldSettings,
    field,
    field_of_seen,
    footprint_at,
    place,
    stopping_distance,
)

BARE = FieldSettings(reaction_s=0.5, braking_mps2=1.0, margin_m=0.0)


def pose(*, speed: float = 0.0, heading: float = 0.0, yaw_rate: float = 0.0) -> VehiclePose:
    """A robot of 1.0 by 0.6 m at (2, 3), reported 1000 s after boot."""
    return VehiclePose(
        vehicle_id="amr-1",
        kind=ObjectClass.AMR,
        at=Instant(wall=0.0, monotonic=1000.0),
        x_m=2.0,
        y_m=3.0,
        heading_rad=heading,
        velocity_mps=(speed * math.cos(heading), speed * math.sin(heading)),
        yaw_rate_radps=yaw_rate,
        footprint_m=((0.5, 0.3), (-0.5, 0.3), (-0.5, -0.3), (0.5, -0.3)),
    )


def now(seconds: float = 0.0) -> Instant:
    return Instant(wall=seconds, monotonic=1000 + seconds)


def area_of(corners: tuple[tuple[float, float], ...] | None) -> shapely.Polygon:
    assert corners is not None
    return shapely.Polygon(corners)


@pytest.mark.parametrize(("speed", "metres"), [(0, 0), (1, 1.0), (2, 3.0)])
def test_stopping_distance(speed: float, metres: float) -> None:
    assert stopping_distance(speed, BARE) == pytest.approx(metres)


def test_one_that_stands_needs_its_footprint_and_the_margin() -> None:
    assert area_of(field(pose(), now(), BARE)).bounds == pytest.approx((1.5, 2.7, 2.5, 3.3))
    wide = FieldSettings(margin_m=0.4)
    assert area_of(field(pose(), now(), wide)).bounds == pytest.approx((1.1, 2.3, 2.9, 3.7))


def test_one_that_drives_needs_the_way_ahead_and_none_behind() -> None:
    bounds = area_of(field(pose(speed=2.0), now(), BARE)).bounds
    assert bounds == pytest.approx((1.5, 2.7, 2.5 + 3.0, 3.3))


def test_one_that_turns_needs_the_way_round() -> None:
    straight = area_of(field(pose(speed=1.0), now(), BARE))
    turning = area_of(field(pose(speed=1.0, yaw_rate=1.0), now(), BARE))
    left = shapely.Point(2.9, 3.6)
    assert turning.contains(left)
    assert not straight.contains(left)


def test_it_moves_on_with_its_velocity() -> None:
    bounds = area_of(field(pose(speed=1.0), now(1.0), BARE)).bounds
    assert bounds == pytest.approx((2.5, 2.7, 2.5 + 1.0 + 1.0, 3.3))


@pytest.mark.parametrize("age_s", [LONGEST_S + 0.01, 60.0])
def test_an_old_pose_is_no_place(age_s: float) -> None:
    assert field(pose(speed=1.0), now(age_s), BARE) is None


def test_a_quarter_circle() -> None:
    """1 m/s and a quarter turn in a second: a circle of radius 2/pi."""
    moved = place(pose(speed=1.0, yaw_rate=math.pi / 2), 1001.0)
    radius = 2 / math.pi
    assert (moved.x_m, moved.y_m) == pytest.approx((2 + radius, 3 + radius))
    assert moved.heading_rad == pytest.approx(math.pi / 2)
    assert moved.velocity_mps == pytest.approx((0, 1), abs=1e-9)


@settings(max_examples=60)
@given(st.floats(-4, 4), st.floats(-math.pi, math.pi), st.floats(-2, 2), st.floats(0, LONGEST_S))
def test_the_field_holds_the_vehicle_now_and_where_it_will_stand(
    speed: float, heading: float, yaw_rate: float, age_s: float
) -> None:
    vehicle = pose(speed=speed, heading=heading, yaw_rate=yaw_rate)
    covered = area_of(field(vehicle, now(age_s), FieldSettings())).buffer(1e-6)
    assert covered.contains(shapely.Polygon(footprint_at(vehicle, 1000 + age_s)))
    assert covered.is_valid


def test_of_one_that_is_only_seen() -> None:
    truck = forklift(x_m=0.0, at_s=1.0, velocity_mps=(-2.0, 0.0))
    assert area_of(field_of_seen(truck, BARE)).bounds == pytest.approx((-3.0, 8.5, 2.0, 9.5))


def test_of_one_whose_velocity_is_not_known_yet() -> None:
    truck = forklift(x_m=0.0, at_s=0.1, velocity_mps=None)
    assert area_of(field_of_seen(truck, BARE)).bounds == pytest.approx((0.0, 8.5, 2.0, 9.5))


def test_without_a_floor_there_is_none() -> None:
    assert field_of_seen(forklift(x_m=0.0, at_s=1.0, floor=False), BARE) is None
