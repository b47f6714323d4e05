"""The rule missing_ppe: seconds of "missing" open it, "cannot tell" neither opens nor ends it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from pydantic import ValidationError

from safety.types import Phase, PlantState, PpeItem, PpeState, Violation
from tests.support.observations import (
    INSIDE,
    OUTSIDE,
    START,
    Place,
    engine_of,
    frame_times,
    observation,
    person,
    seconds,
)
from zones.engine import RuleEngine
from zones.rules.missing_ppe import MissingPpeSpec

HAT, VEST = PpeItem.HARDHAT, PpeItem.VEST
STATES = {"w": PpeState.WORN, "m": PpeState.MISSING, "?": PpeState.UNKNOWN}

Script = Sequence[tuple[float, str]]
"""Until when, and the states of hat and vest: ``"m?"``."""


def worn(states: str) -> Mapping[PpeItem, PpeState]:
    return {item: STATES[state] for item, state in zip((HAT, VEST), states, strict=False)}


def rule(**fields: object) -> MissingPpeSpec:
    return MissingPpeSpec.model_validate({"id": "r", "name": "R", "zone_id": "press", **fields})


def watch(
    script: Script, spec: MissingPpeSpec | None = None, *, place: Place = INSIDE, fps: float = 10.0
) -> list[Violation]:
    """The reports on one person whose equipment is known as the script says."""
    engine = engine_of(spec or rule())
    reports: list[Violation] = []
    for at_s in frame_times(script[-1][0], fps=fps):
        states = next((states for until_s, states in script if at_s < until_s - 1e-6), "")
        seen = [person(1, place, age_s=at_s, ppe=worn(states))] if states != "gone" else []
        reports += engine.update(observation(seen, at_s), PlantState())
    return reports


def opened(reports: Sequence[Violation]) -> list[float]:
    return [round(seconds(r.opened_at), 2) for r in reports if r.phase is Phase.OPENED]


@pytest.mark.parametrize("fps", [3.0, 10.0, 25.0])
@pytest.mark.parametrize(
    ("script", "when"),
    [
        ([(10, "ww")], []),
        ([(10, "??")], []),
        ([(10, "")], []),
        ([(10, "mw")], [3.0]),
        ([(10, "wm")], [3.0]),
        ([(10, "m?")], [3.0]),
        ([(2.6, "mw"), (10, "ww")], []),
        ([(2.6, "mw"), (10, "??")], []),
        ([(2, "mw"), (3, "??"), (5, "mw"), (10, "??")], []),
        ([(2, "mw"), (3, "??"), (9, "mw")], [6.0]),
        ([(2, "??"), (9, "mw")], [5.0]),
    ],
)
def test_only_seconds_of_missing_open(script: Script, when: list[float], fps: float) -> None:
    assert opened(watch(script, fps=fps)) == pytest.approx(when, abs=1.01 / fps)


@pytest.mark.parametrize(
    ("looked_s", "came_s", "opens_s"),
    [
        (1.0, 0.0, 4.0),  # missing since the first look that saw it
        (1.0, 1.4, 4.4),  # but not before the person came in
        (None, 1.0, 5.0),  # nobody knows: since it is said
    ],
)
def test_the_hold_runs_from_the_first_look(
    looked_s: float | None, came_s: float, opens_s: float
) -> None:
    engine, reports = engine_of(rule()), list[Violation]()
    since = {} if looked_s is None else {HAT: START.shifted(looked_s).monotonic}
    for at_s in frame_times(8):
        known = worn("mw") if at_s >= 2 else worn("??")
        place = INSIDE if at_s >= came_s else OUTSIDE
        somebody = person(1, place, age_s=at_s, ppe=known)
        seen = replace(somebody, missing_since=since if at_s >= 2 else {})
        reports += engine.update(observation([seen], at_s), PlantState())
    assert opened(reports) == pytest.approx([opens_s], abs=0.11)


@pytest.mark.parametrize(("hidden_s", "opens_s"), [(1.0, 3.0), (3.0, 6.9)])
def test_who_is_hidden_for_moments_goes_on_being_inside(hidden_s: float, opens_s: float) -> None:
    """Looks before and after somebody was hidden are about the same stay in the zone."""
    engine, reports = engine_of(rule()), list[Violation]()
    for at_s in frame_times(9):
        hidden = 0.9 <= at_s < 0.9 + hidden_s
        told = at_s >= 2
        somebody = person(1, INSIDE, age_s=at_s, ppe=worn("mw" if told else "??"))
        seen = replace(somebody, missing_since={HAT: START.shifted(0).monotonic} if told else {})
        reports += engine.update(observation([] if hidden else [seen], at_s), PlantState())
    assert opened(reports) == pytest.approx([opens_s], abs=0.11)


def test_nobody_outside_the_zone_is_reported() -> None:
    assert watch([(10, "mm")], place=OUTSIDE) == []


@pytest.mark.parametrize(
    ("after", "closed_s", "reason"),
    [
        ("ww", 6.9, "cleared"),
        ("??", 6.9, "cannot_tell"),
        ("gone", 6.9, "track_lost"),
    ],
)
def test_how_it_ends(after: str, closed_s: float, reason: str) -> None:
    reports = watch([(5, "mw"), (12, after)])
    last = reports[-1]
    assert (last.phase, last.end_reason) == (Phase.CLOSED, reason)
    assert seconds(last.closed_at) == pytest.approx(closed_s, abs=0.15)


def test_a_moment_of_doubt_leaves_it_open() -> None:
    reports = watch([(5, "mw"), (6.5, "??"), (8, "mw"), (12, "ww")])
    assert len({r.id for r in reports}) == 1
    assert seconds(reports[-1].closed_at) == pytest.approx(9.9, abs=0.15)


def test_one_violation_names_everything_that_is_missing() -> None:
    reports = watch([(4, "m?"), (6, "mm")])
    assert {r.subject for r in reports} == {"person-1"}
    told = [(r.details["missing"], r.details["cannot_tell"]) for r in reports]
    assert told[0] == (["hardhat"], ["vest"])
    assert told[-1] == (["hardhat", "vest"], [])


@pytest.mark.parametrize(("items", "opens"), [(["vest"], 0), (["hardhat"], 1), (["boots"], 0)])
def test_only_what_is_required_counts(items: list[str], opens: int) -> None:
    assert len(opened(watch([(10, "mw")], rule(items=items)))) == opens


@pytest.mark.parametrize("items", [[], ["helmet"], None])
def test_items_that_cannot_be_required_are_refused(items: object) -> None:
    with pytest.raises(ValidationError):
        rule(items=items)


def test_items_are_kept_once_each_in_one_order() -> None:
    assert rule(items=["vest", "hardhat", "vest"]).items == (HAT, VEST)


def of_two_rules() -> RuleEngine:
    return engine_of(rule(id="hats", items=["hardhat"]), rule(id="all", items=["hardhat", "vest"]))


def test_it_says_whom_to_look_at_and_for_what() -> None:
    engine = of_two_rules()
    assert engine.ppe_items == {HAT, VEST}
    seen = [person(1, INSIDE), person(2, OUTSIDE)]
    engine.update(observation(seen, 0), PlantState())
    assert engine.ppe_wanted == {1: {HAT, VEST}}


def test_nobody_is_looked_at_in_a_zone_under_lock_out() -> None:
    engine = of_two_rules()
    engine.update(observation([person(1, INSIDE)], 0), PlantState(muted_zones=frozenset({"press"})))
    assert engine.ppe_wanted == {}
