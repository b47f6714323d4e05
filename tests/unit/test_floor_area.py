"""Who is in a zone on the floor, when places are known up to a covariance."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from safety.types import PlantState, Violation
from tests.support.bodies import body, camera
from tests.support.observations import episodes, frame_times, observation
from zones.engine import RuleEngine
from zones.floor_area import MOST_DEPTH_M, FloorArea, FloorAreas
from zones.rules.intrusion import IntrusionSpec
from zones.specs import ZoneSpec

SQUARE = FloorArea(((0, 0), (4, 0), (4, 3), (0, 3)))


def inside(x: float, y: float, sigma: float, area: FloorArea = SQUARE) -> bool:
    return area.holds(area.depth(x, y, (sigma**2, 0.0, sigma**2)))


@pytest.mark.parametrize(
    ("x", "sigma", "expected"),
    [
        pytest.param(2.0, 0.1, True, id="well inside"),
        pytest.param(0.15, 0.1, True, id="inside by more than the uncertainty"),
        pytest.param(0.05, 0.1, False, id="inside by less"),
        pytest.param(-0.05, 0.1, False, id="outside by a little"),
        pytest.param(0.3, 2.0, True, id="vague, but deeper than is ever asked for"),
        pytest.param(0.2, 2.0, False, id="vague, and not so deep"),
        pytest.param(0.0, 0.0, True, id="the outline belongs to it"),
    ],
)
def test_how_sure_one_must_be(x: float, sigma: float, expected: bool) -> None:
    assert inside(x, 1.5, sigma) is expected


def test_a_narrow_zone_does_not_ask_for_more_depth_than_it_has() -> None:
    narrow = FloorArea(((0, 0), (4, 0), (4, 0.3), (0, 0.3)))
    assert inside(2.0, 0.15, 1.0, narrow)


def test_what_counts_is_the_uncertainty_across_the_nearest_edge() -> None:
    assert SQUARE.holds(SQUARE.depth(2.0, 0.1, (1.0, 0.0, 0.0001)))
    assert not SQUARE.holds(SQUARE.depth(2.0, 0.1, (0.0001, 0.0, 1.0)))


@given(
    st.floats(-1, 5), st.floats(-1, 4), st.floats(0.01, 3), st.floats(0, math.pi),
    st.floats(-100, 100), st.floats(-100, 100),
)  # fmt: skip
def test_turning_and_moving_the_plan_changes_nothing(
    x: float, y: float, sigma: float, turn: float, east: float, north: float
) -> None:
    matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    corners = np.array([(0, 0), (4, 0), (4, 3), (0, 3)]) @ matrix.T + [east, north]
    other = FloorArea(tuple((float(a), float(b)) for a, b in corners))
    covariance = np.diag([sigma**2, 4 * sigma**2])
    turned = matrix @ covariance @ matrix.T
    place = np.array([x, y]) @ matrix.T + [east, north]
    one = SQUARE.depth(x, y, (sigma**2, 0.0, 4 * sigma**2))
    spread = (turned[0, 0], turned[0, 1], turned[1, 1])
    two = other.depth(float(place[0]), float(place[1]), spread)
    assert abs(two.inside_m) == pytest.approx(abs(one.inside_m), abs=1e-6)
    if abs(one.inside_m) > 1e-6:
        assert math.copysign(1, two.inside_m) == math.copysign(1, one.inside_m)


@given(st.lists(st.tuples(st.floats(-2, 6), st.floats(-2, 5)), min_size=1, max_size=20))
def test_agrees_with_shapely_on_any_outline(places: list[tuple[float, float]]) -> None:
    """Concave, clockwise, with a horizontal and a vertical edge."""
    corners = ((0.0, 0.0), (0.0, 3.0), (2.0, 1.0), (4.0, 3.0), (5.0, 1.0), (3.0, 0.0))
    polygon, area = shapely.Polygon(corners), FloorArea(corners)
    for x, y in places:
        depth = area.depth(x, y, (0.01, 0.0, 0.01)).inside_m
        place = shapely.Point(x, y)
        assert abs(depth) == pytest.approx(polygon.exterior.distance(place), abs=1e-9)
        if abs(depth) > 1e-9:
            assert (depth > 0) == polygon.contains(place)


@given(
    st.lists(st.tuples(st.floats(-2, 6), st.floats(-2, 5)), min_size=1, max_size=20),
    st.floats(0.001, 1),
)
def test_the_quick_answer_for_all_zones_is_the_exact_one(
    places: list[tuple[float, float]], sigma: float
) -> None:
    """Convex and not, and of different numbers of corners, asked together."""
    zones = [
        SQUARE,
        FloorArea(((0, 0), (0, 3), (2, 1), (4, 3), (5, 1), (3, 0))),
        FloorArea(((1, 1), (3, 0.5), (2, 4))),
    ]
    areas = FloorAreas()
    rows = [areas.row_of(zone) for zone in zones]
    hull_m = areas.hull_m(np.array([*places, (math.nan, math.nan)]))
    spread = (sigma**2, 0.0, sigma**2)
    assert np.isnan(hull_m[:, -1]).all()
    for zone, row in zip(zones, rows, strict=True):
        for (x, y), quick in zip(places, hull_m[row].tolist(), strict=False):
            exact = zone.depth(x, y, spread)
            assert exact.inside_m <= quick + 1e-9
            if zone.is_convex and exact.inside_m > 0:
                assert quick == pytest.approx(exact.inside_m, abs=1e-9)
            assert zone.has(x, y, spread, quick) == zone.holds(exact)


@given(st.floats(-2, 6), st.floats(-2, 5), st.floats(0.01, 3))
def test_nobody_outside_is_ever_inside_and_everybody_deep_inside_is(
    x: float, y: float, sigma: float
) -> None:
    depth = min(x, 4 - x, y, 3 - y)
    if depth < 0:
        assert not inside(x, y, sigma)
    if depth >= MOST_DEPTH_M:
        assert inside(x, y, sigma)


ZONE = ZoneSpec(id="press", name="Press", floor_m=((0, 8), (3, 8), (3, 12), (0, 12)))


def walk(
    x_at: Callable[[float], float], until_s: float, **fields: Any
) -> list[tuple[float, float | None]]:
    """Opening and closing of intrusions by somebody at y = 10 m and this x."""
    rule = IntrusionSpec(id="keep-out", name="Keep out", zone_id="press")
    engine = RuleEngine(
        camera_id="cam", zones=[ZONE], rules=[rule], rule_revisions={"keep-out": 1},
        new_id=lambda: "v", calibration=camera(),
    )  # fmt: skip
    reports: list[Violation] = []
    for at_s in frame_times(until_s):
        seen = body(1, "stands", (x_at(at_s), 10.0), yaw_deg=0, age_s=at_s, **fields)
        reports += engine.update(observation([seen], at_s), PlantState())
    return [(e.opened_s, e.closed_s) for e in episodes(reports)]


class TestIntrusion:
    """Feet are judged in metres."""

    def test_begins_when_a_foot_is_surely_inside_and_ends_when_both_are_out(self) -> None:
        [(opened_s, closed_s)] = walk(lambda at_s: -2 + at_s, until_s=8)
        assert opened_s == pytest.approx(2.1, abs=0.15)
        assert closed_s == pytest.approx(6.0, abs=0.15)

    def test_half_a_metre_outside_is_outside(self) -> None:
        assert walk(lambda _: -0.5, until_s=3, noise=0.01) == []

    def test_somebody_whose_place_is_not_known_is_judged_in_the_picture(self) -> None:
        [(opened_s, _)] = walk(lambda at_s: -2 + at_s, until_s=4, calibrated=False)
        assert opened_s == pytest.approx(2.0, abs=0.35)

    def test_says_how_deep_and_how_sure(self) -> None:
        rule = IntrusionSpec(id="keep-out", name="Keep out", zone_id="press")
        engine = RuleEngine(
            camera_id="cam", zones=[ZONE], rules=[rule], rule_revisions={"keep-out": 1},
            new_id=lambda: "v", calibration=camera(),
        )  # fmt: skip
        seen = observation([body(1, "stands", (1.5, 10.0))], 0.0)
        [opened] = engine.update(seen, PlantState())
        assert opened.details["points"] == ["left_ankle", "right_ankle"]
        assert opened.details["depth_m"] == pytest.approx(1.5, abs=0.2)
        assert isinstance(opened.details["uncertainty_m"], float)
