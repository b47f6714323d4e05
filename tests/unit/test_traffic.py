"""Seen and reported vehicles, and how far persons are from them."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from safety.types import (
    FloorPosition,
    ObjectClass,
    PlantState,
    SeenVehicle,
    TrackedPerson,
    VehiclePose,
)
from tests.support.moments import MIDDLE_M, SURE, forklift, middle, traffic
from tests.support.observations import START
from zones.gaps import FEET_M, Gaps, Piece, convex, pieces_of
from zones.people import People
from zones.vehicles import Traffic

SQUARE = shapely.box(0, 0, 2, 1)
CORNERS = convex(((0, 0), (2, 0), (2, 1), (0, 1)))


def standing_at(
    x_m: float,
    y_m: float,
    covariance: tuple[float, float, float] = SURE,
    velocity: tuple[float, float] | None = (0.0, 0.0),
) -> TrackedPerson:
    place = FloorPosition(x_m=x_m, y_m=y_m, covariance_m2=covariance, source="ankles")
    return replace(middle(1, 0.0), floor=place, velocity_mps=velocity)


def gaps(*persons: TrackedPerson, piece: Piece | None = None) -> Gaps:
    return Gaps(persons, [piece or Piece(outline=CORNERS)], 16 / 9)


def pose(
    *,
    x_m: float = 1.0,
    kind: ObjectClass = ObjectClass.FORKLIFT,
    age_s: float = 0.0,
    speed: float = 0.0,
) -> VehiclePose:
    """A forklift of 2 by 1 m whose middle is at (x_m, 9)."""
    return VehiclePose(
        vehicle_id="fork-7",
        kind=kind,
        at=START.shifted(-age_s),
        x_m=x_m,
        y_m=9.0,
        heading_rad=0.0,
        velocity_mps=(speed, 0.0),
        footprint_m=((1, 0.5), (-1, 0.5), (-1, -0.5), (1, -0.5)),
    )


def traffic_of(*seen: SeenVehicle, reported: VehiclePose | None = None) -> Traffic:
    vehicles = {} if reported is None else {reported.vehicle_id: reported}
    return Traffic(seen, PlantState(vehicles=vehicles), START)


@pytest.mark.parametrize(
    ("x_m", "y_m", "metres"),
    [(3, 0.5, 1 - FEET_M), (1, -2, 2 - FEET_M), (5, 5, 5 - FEET_M), (1, 0.5, 0), (2.05, 0.5, 0)],
)
def test_distance_to_an_outline(x_m: float, y_m: float, metres: float) -> None:
    assert gaps(standing_at(x_m, y_m)).metres[0, 0] == pytest.approx(metres)


@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(0.001, 4), st.floats(0.001, 4))
def test_uncertainty_is_that_along_the_way(x: float, y: float, xx: float, yy: float) -> None:
    piece = Piece(outline=CORNERS, covariance_m2=(0.5, 0.0, 0.5))
    sigma = gaps(standing_at(x, y, (xx, 0.0, yy)), piece=piece).sigma_m[0, 0]
    low, high = sorted((xx, yy))
    assert math.sqrt(low + 0.5) - 1e-9 <= sigma <= math.sqrt(high + 0.5) + 1e-9


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=5))
def test_distances_are_those_of_the_plane(places: list[tuple[float, float]]) -> None:
    shapes = [SQUARE, shapely.Polygon([(5, 5), (4, 7), (7, 6)]), shapely.box(-3, -3, -1, 2)]
    outlines = [Piece(outline=convex(shapely.get_coordinates(shape).tolist())) for shape in shapes]
    found = Gaps([standing_at(x, y) for x, y in places], outlines, 16 / 9)
    for row, place in enumerate(places):
        for column, shape in enumerate(shapes):
            true = max(0.0, shape.distance(shapely.Point(place)) - FEET_M)
            assert found.metres[row, column] == pytest.approx(true, abs=1e-9)


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=3, max_size=12))
def test_convex_is_the_hull(corners: list[tuple[float, float]]) -> None:
    hull = shapely.MultiPoint(corners).convex_hull
    assume(hull.area > 1e-6)
    found = shapely.Polygon(convex(corners))
    assert found.exterior.is_ccw
    assert found.symmetric_difference(hull).area < 1e-6


def test_a_machine_of_any_shape_is_measured_in_convex_pieces() -> None:
    angle = shapely.Polygon([(0, 0), (4, 0), (4, 1), (1, 1), (1, 4), (0, 4)])
    pieces = pieces_of(angle)
    metres = Gaps([standing_at(2.5, 2.5)], pieces, 16 / 9).metres.min()
    assert metres == pytest.approx(1.5 - FEET_M)
    assert len(pieces_of(SQUARE)) == 1


@pytest.mark.parametrize(
    ("person", "vehicle", "seconds"),
    [
        ((0.0, 0.0), (0.0, 0.0), None),
        ((-1.0, 0.0), (0.0, 0.0), 2.6),  # 3 m away, contact at 0.4 m
        ((0.0, 0.0), (2.0, 0.0), 1.3),
        ((-1.0, 0.0), (1.0, 0.0), 1.3),
        ((0.0, 0.0), (-2.0, 0.0), None),  # drives away
        ((0.0, 2.0), (2.0, 0.0), None),  # gets out of the way in time
        ((0.0, 0.0), None, None),
        (None, (2.0, 0.0), None),
    ],
)
def test_time_to_contact(
    person: tuple[float, float] | None,
    vehicle: tuple[float, float] | None,
    seconds: float | None,
) -> None:
    piece = Piece(outline=CORNERS, velocity_mps=vehicle)
    found = gaps(standing_at(5, 0.5, velocity=person), piece=piece).contact_s[0, 0]
    assert found == pytest.approx(math.inf if seconds is None else seconds, abs=0.05)


def test_a_vehicle_that_is_seen_and_reports_is_one() -> None:
    [one] = traffic_of(forklift(x_m=0.3, at_s=5), reported=pose()).vehicles
    assert (one.name, one.reported) == ("fork-7", True)
    assert one.box is not None
    assert one.outline is not None
    assert shapely.Polygon(one.outline).bounds == pytest.approx((0, 8.5, 2, 9.5))


@pytest.mark.parametrize("x_m", [4.0, -4.0])
def test_a_vehicle_seen_elsewhere_is_another_one(x_m: float) -> None:
    found = traffic_of(forklift(x_m=x_m, at_s=5), reported=pose()).vehicles
    assert [vehicle.name for vehicle in found] == ["fork-7", "forklift-1"]


def test_two_seen_at_a_reported_one_are_two() -> None:
    near, nearer = forklift(x_m=0.6, at_s=5), replace(forklift(x_m=0.1, at_s=5), track_id=2)
    found = traffic_of(near, nearer, reported=pose()).vehicles
    assert [vehicle.name for vehicle in found] == ["fork-7", "forklift-1"]


def test_the_network_may_mistake_the_kind_of_what_reports_itself() -> None:
    [one] = traffic_of(forklift(x_m=0.5, at_s=5), reported=pose(kind=ObjectClass.AMR)).vehicles
    assert (one.name, one.kind) == ("fork-7", ObjectClass.AMR)


def test_a_reported_vehicle_is_where_it_has_driven_since() -> None:
    [one] = traffic_of(reported=pose(age_s=0.5, speed=2.0)).vehicles
    assert one.outline is not None
    assert shapely.Polygon(one.outline).bounds == pytest.approx((1.0, 8.5, 3.0, 9.5))


def test_an_old_report_is_none() -> None:
    assert traffic_of(reported=pose(age_s=2.1, speed=2.0)).vehicles == ()


def test_an_unknown_speed_is_not_standing() -> None:
    known, unknown = (
        traffic_of(forklift(x_m=0, at_s=5, velocity_mps=v)).vehicles[0] for v in ((0.0, 0.1), None)
    )
    assert known.stands
    assert not unknown.stands


def test_without_a_floor_the_distance_is_estimated_and_said_to_be() -> None:
    nowhere = replace(middle(1, 0.0), floor=None)
    people = People(traffic([nowhere], [forklift(x_m=1, at_s=5, floor=False)], 0))
    assert people.vehicle_gaps(PlantState()).by_picture[0, 0]


def test_a_reported_vehicle_and_nobody_on_the_floor_tell_nothing() -> None:
    nowhere = replace(middle(1, 0.0), floor=None)
    people = People(traffic([nowhere], [], 0.0))
    plant = PlantState(vehicles={"fork-7": replace(pose(), at=people.at)})
    assert np.isnan(people.vehicle_gaps(plant).metres[0, 0])


@pytest.mark.parametrize(
    ("vehicle", "metres"),
    [
        ((0.55, 0.2, 0.65, 0.5), 0.0),  # beside, boxes touching
        ((0.65, 0.2, 0.75, 0.5), 1.7 / 0.3 * 0.1 * 16 / 9),
        ((0.45, 0.4, 0.55, 0.8), 1.7),  # one body height further down
    ],
)
def test_metres_by_picture(vehicle: tuple[float, ...], metres: float) -> None:
    box = np.array([0.45, 0.2, 0.55, 0.5], np.float32)
    who = replace(middle(1, 0.0), box=box, floor=None)
    truck = Piece(outline=None, box=np.array(vehicle, np.float32))
    found = gaps(who, piece=truck)
    assert found.metres[0, 0] == pytest.approx(metres, abs=1e-3)
    assert found.by_picture[0, 0]


def test_lost_vehicles_are_named() -> None:
    lost = Traffic((), PlantState(lost_vehicles=frozenset({"amr-2"})), START)
    assert lost.lost == {"amr-2"}
    assert lost.vehicles == ()


def test_the_gap_between_person_and_truck_on_the_floor() -> None:
    truck = forklift(x_m=MIDDLE_M[0] + 1.5, at_s=5)
    found = People(traffic([middle(1, 0.0)], [truck], 0.0)).vehicle_gaps(PlantState())
    assert found.metres[0, 0] == pytest.approx(1.5 - FEET_M)
    assert found.sigma_m[0, 0] == pytest.approx(math.sqrt(0.02))
    assert not found.by_picture[0, 0]
