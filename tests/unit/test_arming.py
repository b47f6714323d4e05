"""When rules are armed: what is unknown arms, what flickers does not disarm, muting is said."""

import itertools
from typing import Any

import pytest

from safety.types import CameraState, MachineState, Phase, PlantState, Violation
from tests.support.observations import (
    START,
    Episode,
    acting,
    engine_of,
    episodes,
    frame_times,
    observation,
    see,
)
from zones.arming import Always, Armament, ArmingSpec, ArmingWatch, OnMachine, OnRule, OnShift
from zones.engine import RuleEngine
from zones.rules.intrusion import IntrusionSpec

PRESS = OnMachine(machine_id="press", settle_s=0)


def rule(**fields: Any) -> IntrusionSpec:
    return IntrusionSpec(id="keep-out", name="Keep out", zone_id="press", **fields)


def machines(state: MachineState | None) -> PlantState:
    return PlantState(machines={} if state is None else {"press": state})


def play(engine: RuleEngine, plant_at: Any, until_s: float = 6.0) -> list[Violation]:
    """Somebody stands in the zone all the time, while the plant changes."""
    reports = []
    for at_s in frame_times(until_s):
        seen = observation(see([acting(1, (99, "in"))], at_s), at_s)
        reports += engine.update(seen, plant_at(at_s))
    return reports


@pytest.mark.parametrize(
    ("arming", "plant", "expected"),
    [
        (Always(), PlantState(), Armament.ARMED),
        (PRESS, machines(None), Armament.UNKNOWN_ARMED),
        (PRESS, machines(MachineState.UNKNOWN), Armament.UNKNOWN_ARMED),
        (PRESS, machines(MachineState.RUNNING), Armament.ARMED),
        (PRESS, machines(MachineState.SETUP), Armament.ARMED),
        (PRESS, machines(MachineState.IDLE), Armament.DISARMED),
        (PRESS, machines(MachineState.LOTO), Armament.DISARMED),
        (OnShift(shifts=("night",)), PlantState(), Armament.UNKNOWN_ARMED),
        (OnShift(shifts=("night",)), PlantState(active_shifts=frozenset()), Armament.DISARMED),
        (OnShift(shifts=("night",)), PlantState(active_shifts=frozenset({"night"})),
         Armament.ARMED),
        (OnShift(shifts=("day",), outside=True), PlantState(active_shifts=frozenset({"day"})),
         Armament.DISARMED),
        (OnShift(shifts=("day",), outside=True), PlantState(active_shifts=frozenset()),
         Armament.ARMED),
        (OnShift(shifts=("day",), outside=True), PlantState(), Armament.UNKNOWN_ARMED),
        (OnRule(rule_id="other"), PlantState(), Armament.UNKNOWN_ARMED),
        (OnRule(rule_id="other"), PlantState(open_rules=frozenset()), Armament.DISARMED),
        (OnRule(rule_id="other"), PlantState(open_rules=frozenset({"other"})), Armament.ARMED),
    ],
)  # fmt: skip
def test_what_the_plant_says(arming: ArmingSpec, plant: PlantState, expected: Armament) -> None:
    engine = engine_of(rule(arming=arming))
    reports = play(engine, lambda _: plant, until_s=0)
    assert engine.states() == {"keep-out": expected}
    assert len(reports) == (1 if expected.is_armed else 0)


def test_a_machine_that_stops_ends_the_violation_and_one_that_starts_opens_another() -> None:
    """Who is inside when a machine starts is in danger, cooldown or not."""
    engine = engine_of(rule(arming=PRESS))

    def plant(at_s: float) -> PlantState:
        return machines(MachineState.IDLE if 2 <= at_s < 4 else MachineState.RUNNING)

    assert episodes(play(engine, plant)) == [
        Episode("person-1", 0.0, 2.0, "disarmed"),
        Episode("person-1", 4.0, None, None),
    ]


def test_a_hold_that_was_pending_starts_again_after_disarming() -> None:
    engine = engine_of(rule(arming=PRESS, hold_to_open_s=1.5))

    def plant(at_s: float) -> PlantState:
        return machines(MachineState.IDLE if 1 <= at_s < 2 else MachineState.RUNNING)

    assert [e.opened_s for e in episodes(play(engine, plant))] == [3.5]


def test_what_becomes_unknown_stays_armed_and_says_so() -> None:
    engine = engine_of(rule(arming=PRESS))

    def plant(at_s: float) -> PlantState:
        return machines(MachineState.RUNNING if at_s < 2 else None)

    assert episodes(play(engine, plant)) == [Episode("person-1", 0.0, None, None)]
    assert engine.states() == {"keep-out": Armament.UNKNOWN_ARMED}


class TestFlapping:
    """A state that flickers between running and idle."""

    def disarmed(self, settle_s: float, states: list[tuple[float, MachineState]]) -> list[float]:
        """Tenths of seconds at which the rule is disarmed."""
        watch = ArmingWatch(OnMachine(machine_id="press", settle_s=settle_s))
        found = []
        for tenth in range(60):
            state = [state for since, state in states if since <= tenth / 10][-1]
            if not watch.look(machines(state), tenth / 10).is_armed:
                found.append(tenth / 10)
        return found

    def test_does_not_disarm(self) -> None:
        flickering = [(n / 4, (MachineState.IDLE, MachineState.RUNNING)[n % 2]) for n in range(24)]
        assert self.disarmed(1.0, [(0, MachineState.RUNNING), *flickering[1:]]) == []

    def test_a_stop_disarms_once_it_has_settled(self) -> None:
        stops = [(0.0, MachineState.RUNNING), (2.0, MachineState.IDLE), (4.0, MachineState.RUNNING)]
        assert self.disarmed(1.0, stops) == [n / 10 for n in range(29, 40)]
        assert self.disarmed(0.0, stops) == [n / 10 for n in range(20, 40)]

    def test_one_that_stood_still_from_the_beginning_is_disarmed_at_once(self) -> None:
        assert self.disarmed(1.0, [(0, MachineState.IDLE)])[0] == 0.0


class TestMuting:
    """Lock-out and maintenance of a zone."""

    def test_ends_what_is_open_opens_nothing_and_says_so(self) -> None:
        engine = engine_of(rule())

        def plant(at_s: float) -> PlantState:
            return PlantState(muted_zones=frozenset({"press"} if 2 <= at_s < 4 else ()))

        first = play(engine, plant, until_s=3)
        assert episodes(first) == [Episode("person-1", 0.0, 2.0, "muted")]
        assert engine.states() == {"keep-out": Armament.MUTED}

    def test_of_another_zone_changes_nothing(self) -> None:
        muted = PlantState(muted_zones=frozenset({"lathe"}))
        [episode] = episodes(play(engine_of(rule()), lambda _: muted))
        assert episode.closed_s is None

    def test_when_it_ends_who_is_inside_is_seen(self) -> None:
        def plant(at_s: float) -> PlantState:
            return PlantState(muted_zones=frozenset({"press"} if at_s < 4 else ()))

        assert [e.opened_s for e in episodes(play(engine_of(rule()), plant))] == [4.0]

    def test_says_so_even_where_the_machine_stands_still(self) -> None:
        engine = engine_of(rule(arming=PRESS))
        plant = PlantState(
            muted_zones=frozenset({"press"}), machines={"press": MachineState.RUNNING}
        )
        play(engine, lambda _: plant)
        assert engine.states() == {"keep-out": Armament.MUTED}


def test_a_camera_without_frames_lets_rules_be_disarmed_too() -> None:
    engine = engine_of(rule(arming=PRESS))
    play(engine, lambda _: machines(MachineState.RUNNING), until_s=1)
    now = START.shifted(1.2)
    [closed] = engine.watch(CameraState.LIVE, now, machines(MachineState.IDLE))
    assert (closed.phase, closed.end_reason, closed.closed_at) == (Phase.CLOSED, "disarmed", now)


def test_violations_of_a_rule_in_shadow_say_so_in_every_report() -> None:
    engine = engine_of(rule(), rule(mode="shadow").model_copy(update={"id": "trial"}))
    actor = acting(1, (3, "in"), (9, "out"))
    reports = list(
        itertools.chain.from_iterable(
            engine.update(observation(see([actor], at_s), at_s), PlantState())
            for at_s in frame_times(6)
        )
    )
    assert {(r.rule_id, r.shadow) for r in reports} == {("keep-out", False), ("trial", True)}
    assert {r.phase for r in reports if r.shadow} == set(Phase)
