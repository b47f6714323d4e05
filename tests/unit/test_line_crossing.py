"""Rule kind line_crossing: which way, once, whatever tracks and frames do."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from safety.types import PlantState, Violation
from tests.support.bodies import body, camera
from tests.support.observations import (
    START,
    Actor,
    Place,
    engine_of,
    episodes,
    frame_times,
    observation,
    replay,
)
from zones.arming import Armament
from zones.engine import RuleEngine
from zones.lines import Barrier
from zones.rules.line_crossing import LineCrossingSpec

UP = ((0.5, 0.9), (0.5, 0.3))
"""Drawn from below to above: side a is the left half of the picture, side b the right one."""


def rule(**fields: Any) -> LineCrossingSpec:
    place = {} if "line_m" in fields else {"line": UP, "camera_ids": ("cam",)}
    return LineCrossingSpec(**{"id": "line", "name": "Line", **place, **fields})


def walker(*stops: tuple[float, float], track_id: int = 1, y: float = 0.6) -> Actor:
    """Somebody whose feet are at these x at these seconds, and between them between."""
    times, places = zip(*stops, strict=True)

    def place(at_s: float) -> Place | None:
        if not times[0] - 1e-6 <= at_s <= times[-1] + 1e-6:
            return None
        return (float(np.interp(at_s, times, places)), y)

    return Actor(track_id=track_id, place=place, born_s=times[0])


def crossings(
    spec: LineCrossingSpec, *actors: Actor, fps: float = 10, loss: float = 0, until_s: float = 12
) -> list[tuple[str, float, str]]:
    """Who crossed, when and which way."""
    reports = replay(engine_of(spec), actors, frame_times(until_s, fps=fps, loss=loss))
    first = {r.id: r for r in reversed(reports)}
    return sorted(
        (r.subject, round(r.opened_at.monotonic - START.monotonic, 3), str(r.details["direction"]))
        for r in first.values()
    )


@pytest.mark.parametrize(
    ("direction", "stops", "expected"),
    [
        pytest.param("both", [(0, 0.3), (4, 0.7)], ["a_to_b"], id="to the right"),
        pytest.param("both", [(0, 0.7), (4, 0.3)], ["b_to_a"], id="to the left"),
        pytest.param("a_to_b", [(0, 0.3), (4, 0.7)], ["a_to_b"], id="the way that counts"),
        pytest.param("b_to_a", [(0, 0.3), (4, 0.7)], [], id="the way that does not"),
        pytest.param("b_to_a", [(0, 0.3), (4, 0.7), (8, 0.3)], ["b_to_a"], id="there and back"),
        pytest.param("both", [(0, 0.3), (4, 0.49), (8, 0.3)], [], id="up to the line and back"),
        pytest.param("both", [(0, 0.51), (4, 0.7)], [], id="first seen on the line"),
        pytest.param("both", [(0, 0.3), (0.1, 0.7), (4, 0.7)], ["a_to_b"], id="between two frames"),
    ],
)
def test_which_way(direction: str, stops: list[tuple[float, float]], expected: list[str]) -> None:
    found = crossings(rule(direction=direction), walker(*stops))
    assert [way for _, _, way in found] == expected


def test_dithering_on_the_line_is_one_crossing() -> None:
    """Feet whose place jumps to and fro by a twentieth of the body's height."""
    stops = [(0, 0.3), (2, 0.5), *((2 + n / 10, 0.495 + 0.01 * (n % 2)) for n in range(1, 40)),
             (8, 0.7)]  # fmt: skip
    assert [way for _, _, way in crossings(rule(cooldown_s=0), walker(*stops))] == ["a_to_b"]


def test_past_the_end_of_the_line_is_no_crossing() -> None:
    assert crossings(rule(), walker((0, 0.3), (4, 0.7), y=0.97)) == []


def test_a_broken_track_is_one_crossing() -> None:
    """Lost on one side, found as another track on the other; and the other way round."""
    before = walker((0, 0.3), (2, 0.47))
    after = walker((2.5, 0.53), (5, 0.8), track_id=2)
    [(_, opened_s, way)] = crossings(rule(), before, after)
    assert (opened_s, way) == (2.5, "a_to_b")
    late = walker((0, 0.3), (2.5, 0.55))
    again = walker((2.8, 0.56), (5, 0.8), track_id=2)
    assert len(crossings(rule(cooldown_s=0), late, again)) == 1


def test_two_persons_are_two_crossings() -> None:
    found = crossings(rule(), walker((0, 0.3), (4, 0.7)), walker((0, 0.8), (4, 0.2), track_id=2))
    assert [(who, way) for who, _, way in found] == [
        ("person-1", "a_to_b"),
        ("person-2", "b_to_a"),
    ]


@pytest.mark.parametrize(("fps", "loss"), [(25, 0), (10, 0), (5, 0), (3, 0), (10, 0.3)])
def test_rate_and_lost_frames_change_nothing(fps: float, loss: float) -> None:
    # The line is crossed at 3.0 s, and surely so one twentieth of the body's height later.
    actors = [walker((0, 0.3), (6, 0.7)), walker((1, 0.7), (7, 0.3), track_id=2)]
    found = crossings(rule(direction="a_to_b"), *actors, fps=fps, loss=loss)
    [(who, opened_s, _)] = found
    assert who == "person-1"
    assert 3.0 <= opened_s <= 3.2 + 3 / fps


def test_who_must_stay_beyond_and_comes_back_breaks_nothing() -> None:
    spec = rule(direction="a_to_b", hold_to_open_s=1.0)
    assert crossings(spec, walker((0, 0.3), (1, 0.6), (1.2, 0.6), (1.9, 0.3))) == []
    [(_, opened_s, _)] = crossings(spec, walker((0, 0.3), (2, 0.7), (8, 0.7)))
    assert opened_s == pytest.approx(2.2, abs=0.15)


class TestOnTheFloor:
    """A line in metres."""

    SPEC = rule(line_m=((0.0, 8.0), (0.0, 12.0)))

    def cross(self, spec: LineCrossingSpec, *, calibrated: bool = True) -> list[Violation]:
        engine = self.engine(spec, calibrated)
        reports: list[Violation] = []
        for at_s in frame_times(4):
            seen = body(1, "stands", (-2 + at_s, 10.0), age_s=at_s, noise=0.005)
            reports += engine.update(observation([seen], at_s), PlantState())
        return reports

    def engine(self, spec: LineCrossingSpec, calibrated: bool) -> RuleEngine:
        return RuleEngine(
            camera_id="cam", zones=[], rules=[spec], rule_revisions={"line": 1},
            new_id=lambda: "v", calibration=camera() if calibrated else None,
        )  # fmt: skip

    def test_is_crossed_in_metres(self) -> None:
        """Along the plan's y axis, and y points up there: the right hand is at larger x."""
        [episode] = episodes(self.cross(self.SPEC))
        assert episode.opened_s == pytest.approx(2.1, abs=0.2)
        assert self.cross(self.SPEC)[0].details["direction"] == "a_to_b"

    def test_a_camera_that_is_not_calibrated_cannot_judge_it_and_says_so(self) -> None:
        assert self.cross(self.SPEC, calibrated=False) == []
        assert self.engine(self.SPEC, calibrated=False).states() == {"line": Armament.UNABLE}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({}, "needs either line", id="no line"),
        pytest.param({"line": UP}, "the one camera", id="in no camera's picture"),
        pytest.param({"line": UP, "camera_ids": ("a", "b")}, "the one camera", id="in two"),
        pytest.param({"line": UP, "camera_ids": ("a",), "line_m": ((0, 0), (1, 1))},
                     "one of the two", id="in the picture and on the floor"),
        pytest.param({"line": ((0.5, 0.5), (0.5, 0.5)), "camera_ids": ("a",)}, "2 to 50",
                     id="a point"),
        pytest.param({"line": ((0.5, 0.5), (0.5, 1.5)), "camera_ids": ("a",)}, "point 2",
                     id="outside the picture"),
        pytest.param({"line_m": ((0, 0), (float("nan"), 1))}, "point 2", id="nowhere"),
        pytest.param({"line_m": ((0, 0), (0.1, 0.1))}, "draw it longer", id="hardly a line"),
    ],
)  # fmt: skip
def test_what_is_no_line(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        LineCrossingSpec(id="line", name="Line", **fields)


points = st.tuples(st.floats(-10, 10), st.floats(-10, 10))


@given(st.lists(points, min_size=2, max_size=8, unique=True), points, points, points)
def test_a_detour_changes_nothing_net_if_the_line_is_closed(
    line: list[Place], one: Place, other: Place, between: Place
) -> None:
    """Net crossings of a ring depend on where one is and where one goes, not on the way."""
    ring = Barrier((*line, line[0]))
    assume(all(ring.distance(*place) > 1e-3 for place in (one, other, between)))
    direct = ring.crossings(one, other)
    assert direct == ring.crossings(one, between) + ring.crossings(between, other)
    assert direct == -ring.crossings(other, one)
