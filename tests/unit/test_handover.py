"""Somebody leaves one camera's picture and enters another's: one situation, not two."""

from dataclasses import replace

import pytest

from cameras.messages import FloorSighting
from safety.clock import ManualClock
from safety.engine.doubles import Doubles
from safety.engine.handover import Handover
from safety.engine.plan import PlanDesk
from safety.types import Violation
from tests.support.violations import START, cleared, opened, updated

COOLDOWN_S = 10.0


class Hall:
    """Two cameras, a plan, and the desk that knows which violations are one situation."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.plan = PlanDesk(clock=self.clock, tell=lambda _: None)
        self.desk = Doubles(
            self.plan.person_of,
            Handover(
                clock=self.clock,
                spot_of=self.plan.spot_of,
                is_seen=self.plan.is_seen,
                cooldown_s=lambda _: COOLDOWN_S,
            ),
        )

    def see(self, camera_id: str, *people: tuple[int, float]) -> None:
        """The camera sees these tracks at these metres along the hall."""
        places = tuple((track_id, x_m, 5.0, 0.02, 0.0, 0.02) for track_id, x_m in people)
        self.plan.sight(FloorSighting(camera_id=camera_id, age_s=0.0, people=places, vehicles=()))

    def report(self, violation: Violation) -> str | None:
        return self.desk.first_of(violation, on_floor=True)

    def walk_out(self, end_reason: str = "track_lost", *, rule_id: str = "rule-1") -> None:
        """Person 1 walks to 2.5 m before camera 1 and is lost; the violation is over 1 s later."""
        first = replace(opened("first"), rule_id=rule_id)
        for step in range(11):
            self.see("cam-1", (1, 0.25 * step))
            assert self.report(first if step < 5 else updated(first)) is None
            self.clock.sleep(0.2)
        self.see("cam-1")
        self.clock.sleep(0.8)
        assert self.report(replace(cleared(first), end_reason=end_reason)) is None

    def walk_in(self, x_m: float, track_id: int = 9, name: str = "other") -> Violation:
        """Somebody turns up before camera 2."""
        self.see("cam-2", (track_id, x_m))
        violation = opened(name, camera_id="cam-2", at=START)
        return replace(violation, subject=f"person-{track_id}")


def test_who_turns_up_where_he_can_have_walked_to_is_the_same() -> None:
    hall = Hall()
    hall.walk_out()
    hall.clock.sleep(1.5)
    other = hall.walk_in(5.5)
    assert hall.report(other) == "first"
    hall.clock.sleep(60)
    assert hall.report(updated(other)) == "first"  # it is decided once


def test_there_and_back_again_is_still_one_situation() -> None:
    hall = Hall()
    hall.walk_out()
    hall.clock.sleep(1)
    other = hall.walk_in(5.0)
    assert hall.report(other) == "first"
    hall.see("cam-2")
    hall.clock.sleep(1)
    assert hall.report(replace(cleared(other), end_reason="track_lost")) == "first"
    hall.clock.sleep(0.5)
    hall.see("cam-1", (2, 4.0))
    third = replace(opened("third"), subject="person-2")
    assert hall.report(third) == "first"


@pytest.mark.parametrize(
    ("seconds", "x_m"),
    [
        pytest.param(1.0, 12.0, id="too far to have walked"),
        pytest.param(6.0, 4.0, id="nobody saw anybody for too long"),
        pytest.param(COOLDOWN_S + 1, 2.5, id="after the cooldown"),
    ],
)
def test_who_cannot_be_the_same_is_somebody_else(seconds: float, x_m: float) -> None:
    hall = Hall()
    hall.walk_out()
    hall.clock.sleep(seconds)
    assert hall.report(hall.walk_in(x_m)) is None


@pytest.mark.parametrize("end_reason", ["disarmed", "muted", "rule_changed"])
def test_an_end_that_nobody_saw_protects_nobody(end_reason: str) -> None:
    hall = Hall()
    hall.walk_out(end_reason)
    hall.clock.sleep(1)
    assert hall.report(hall.walk_in(4.0)) is None


def test_another_rule_has_its_own_alert() -> None:
    hall = Hall()
    hall.walk_out(rule_id="rule-2")
    hall.clock.sleep(1)
    assert hall.report(hall.walk_in(4.0)) is None


def test_of_two_who_turn_up_one_goes_on_and_one_is_new() -> None:
    hall = Hall()
    hall.walk_out()
    hall.clock.sleep(1)
    hall.see("cam-2", (9, 4.0), (10, 6.5))
    one = replace(opened("one", camera_id="cam-2"), subject="person-9")
    two = replace(opened("two", camera_id="cam-2"), subject="person-10")
    assert [hall.report(one), hall.report(two)] == ["first", None]


def test_who_was_there_before_the_other_was_lost_is_somebody_else() -> None:
    hall = Hall()
    for _ in range(3):
        hall.see("cam-2", (9, 8.0))
        hall.clock.sleep(0.2)
    hall.walk_out()
    other = hall.walk_in(5.0)  # walks towards where the first one was lost
    assert hall.report(other) is None


def test_who_is_still_seen_elsewhere_has_not_turned_up_here() -> None:
    """The first one left the zone in view: the plan still shows where."""
    hall = Hall()
    first = opened("first")
    for step in range(10):
        hall.see("cam-1", (1, 0.25 * step))
        hall.report(first)
        hall.clock.sleep(0.2)
    hall.report(cleared(first))
    hall.see("cam-1", (1, 2.5))
    assert hall.report(hall.walk_in(6.0)) is None


def test_the_same_person_on_the_plan_is_the_same_within_the_cooldown() -> None:
    """Seen leaving by one camera, and back in the zone before both."""
    hall = Hall()
    first = opened("first")
    hall.see("cam-1", (1, 0.0))
    assert hall.report(first) is None
    assert hall.report(cleared(first)) is None
    for _ in range(5):
        hall.see("cam-1", (1, 0.0))
        hall.see("cam-2", (9, 0.05))
        hall.clock.sleep(0.2)
    again = replace(opened("again", camera_id="cam-2"), subject="person-9")
    assert hall.report(again) == "first"


def test_too_few_people_in_a_zone_are_one_situation_whichever_camera_counts_them() -> None:
    hall = Hall()
    first = replace(opened("first"), subject="zone-1", rule_kind="occupancy")
    other = replace(first, id="other", camera_id="cam-2")
    assert hall.report(first) is None
    assert hall.report(other) == "first"
    assert hall.report(cleared(other)) == "first"
    assert hall.report(replace(cleared(first), end_reason="camera_blind")) is None
    hall.clock.sleep(2)
    third = replace(first, id="third", camera_id="cam-2")
    assert hall.report(third) == "first"
