"""Rule kind reach_in: arms inside, feet outside."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from safety.types import KEYPOINTS, PlantState, TrackedPerson, Violation
from tests.support.bodies import body, camera, project
from tests.support.observations import (
    INSIDE,
    Place,
    engine_of,
    episodes,
    frame_times,
    observation,
    person,
)
from zones.engine import RuleEngine
from zones.rules.reach_in import ReachInSpec
from zones.specs import ZoneSpec

BESIDE = (0.75, 0.7)
"""Feet outside the zone; arms that hang are outside too."""


def rule(**fields: Any) -> ReachInSpec:
    return ReachInSpec(id="reach", name="Reach", zone_id="press", **fields)


def somebody(
    *, foot: Place = BESIDE, left: tuple[Place, Place] | None = None, hidden: tuple[str, ...] = ()
) -> TrackedPerson:
    """Somebody whose left elbow and wrist are there and whose hidden points are not seen."""
    seen = person(1, foot, age_s=1)
    keypoints = seen.keypoints.copy()
    if left is not None:
        keypoints[KEYPOINTS.index("left_elbow"), :2] = left[0]
        keypoints[KEYPOINTS.index("left_wrist"), :2] = left[1]
    for name in hidden:
        keypoints[KEYPOINTS.index(name), 2] = 0.1
    return replace(seen, keypoints=keypoints)


@pytest.mark.parametrize(
    ("figure", "points"),
    [
        pytest.param(somebody(), None, id="arms hang"),
        pytest.param(somebody(left=((0.65, 0.5), INSIDE)), ["left_wrist"], id="a hand"),
        pytest.param(somebody(left=(INSIDE, (0.65, 0.5))), None, id="an elbow, the hand outside"),
        pytest.param(
            somebody(left=((0.68, 0.5), (0.61, 0.5))), ["left_wrist"], id="a hand up to the wrist",
        ),
        pytest.param(
            somebody(left=((0.61, 0.6), (0.61, 0.5))), None, id="a hand along the outline",
        ),
        pytest.param(
            somebody(left=(INSIDE, INSIDE), hidden=("left_wrist",)), ["left_elbow"],
            id="an elbow, the hand hidden in the machine",
        ),
        pytest.param(
            somebody(left=((0.65, 0.5), INSIDE), hidden=("left_wrist", "left_elbow")), None,
            id="an arm that is not seen",
        ),
        pytest.param(
            somebody(foot=INSIDE, left=(INSIDE, INSIDE)), None, id="feet inside: an intrusion",
        ),
        pytest.param(
            somebody(left=((0.65, 0.5), INSIDE), hidden=("left_ankle", "right_ankle")),
            ["left_wrist"], id="feet hidden, the box ends outside",
        ),
    ],
)  # fmt: skip
def test_what_is_reaching_in(figure: TrackedPerson, points: list[str] | None) -> None:
    engine = engine_of(rule(hold_to_open_s=0))
    reports = engine.update(observation([figure], 0.0), PlantState())
    assert [r.details["points"] for r in reports] == ([] if points is None else [points])


def test_a_flicker_of_a_hand_is_none_and_two_reaches_are_two() -> None:
    engine = engine_of(rule())
    reports: list[Violation] = []
    for at_s in frame_times(8):
        reaches = abs(at_s - 1) < 0.05 or 2 <= at_s < 3.5 or 5 <= at_s < 6
        seen = somebody(left=((0.65, 0.5), INSIDE)) if reaches else somebody()
        reports += engine.update(observation([replace(seen, age_s=at_s)], at_s), PlantState())
    assert [(e.opened_s, e.closed_s) for e in episodes(reports)] == [(2.3, 3.9), (5.3, 6.4)]


class TestOnTheFloor:
    """A floor zone is raised to where arms are; who is too far to reach in does not."""

    ZONE = ZoneSpec(id="press", name="Press", floor_m=((0, 9), (3, 9), (3, 12), (0, 12)))

    def reports(self, *persons: TrackedPerson) -> list[Violation]:
        engine = RuleEngine(
            camera_id="cam", zones=[self.ZONE], rules=[rule(hold_to_open_s=0)],
            rule_revisions={"reach": 1}, new_id=lambda: "v", calibration=camera(),
        )  # fmt: skip
        return engine.update(observation(persons, 0.0), PlantState())

    def with_hand(self, seen: TrackedPerson, at_m: tuple[float, float, float]) -> TrackedPerson:
        """The left hand is there: metres on the plan, and above the floor."""
        keypoints = seen.keypoints.copy()
        keypoints[KEYPOINTS.index("left_wrist"), :2] = project(np.array([at_m]))[0]
        return replace(seen, keypoints=keypoints)

    def test_a_hand_over_the_line_at_the_height_of_arms(self) -> None:
        beside = body(1, "stands", (-0.45, 10.0))
        assert self.reports(beside) == []
        [opened] = self.reports(self.with_hand(beside, (0.3, 10.0, 1.15)))
        assert opened.details["points"] == ["left_wrist"]

    def test_somebody_who_walks_far_in_front_of_it_does_not(self) -> None:
        """His hands are in the picture where the raised zone is."""
        passing = body(1, "stands", (0.9, 6.0))
        behind_m = self.with_hand(passing, (1.0, 10.0, 1.15))
        assert self.reports(behind_m) == []
        somewhere = replace(behind_m, floor=None)
        assert len(self.reports(somewhere)) == 1  # nobody knows that he is too far: armed
