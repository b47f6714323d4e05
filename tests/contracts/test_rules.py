"""What every rule kind must do, whatever it watches."""

import gc
import itertools
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args
from uuid import uuid4

import pytest
from pydantic import TypeAdapter

from safety.types import Phase, PlantState, Severity, Violation
from tests.support.observations import (
    INSIDE,
    OUTSIDE,
    START,
    ZONE,
    Actor,
    acting,
    frame_times,
    observation,
    person,
    replay,
    see,
)
from zones.engine import RuleEngine
from zones.rules.dwell import DwellSpec
from zones.rules.intrusion import IntrusionSpec
from zones.rules.missing_ppe import MissingPpeSpec
from zones.specs import RuleSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One rule kind and people who break it from ``breaks_s`` to ``ends_s``."""

    rule: RuleSpec
    actors: tuple[Actor, ...]
    breaks_s: float
    ends_s: float


CASES = [
    Case(
        rule=IntrusionSpec(id="r", name="R", zone_id="press"),
        actors=(acting(1, (2, "out"), (6, "in"), (30, "out")), acting(2, (30, "out"))),
        breaks_s=2.0,
        ends_s=6.0,
    ),
    Case(
        rule=DwellSpec(id="r", name="R", zone_id="press", limit_s=3),
        actors=(acting(1, (2, "out"), (8, "in"), (30, "out")), acting(2, (30, "out"))),
        breaks_s=5.0,
        ends_s=8.0,
    ),
    Case(
        rule=MissingPpeSpec(
            id="r", name="R", zone_id="press", severity=Severity.DANGER, hold_to_close_s=1
        ),
        actors=(acting(1, (2, "out"), (8, "in"), (30, "out")), acting(2, (30, "out"))),
        breaks_s=5.0,
        ends_s=8.0,
    ),
]

every_kind = pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule.kind)


def engine(rule: RuleSpec, new_id: Callable[[], str] = lambda: uuid4().hex) -> RuleEngine:
    return RuleEngine(
        camera_id="cam", zones=[ZONE], rules=[rule], rule_revisions={"r": 3}, new_id=new_id
    )


def test_every_kind_of_rule_is_under_contract() -> None:
    assert {type(case.rule) for case in CASES} == set(get_args(get_args(RuleSpec)[0]))


@every_kind
def test_specification_survives_json(case: Case) -> None:
    adapter: TypeAdapter[RuleSpec] = TypeAdapter(RuleSpec)
    assert adapter.validate_json(adapter.dump_json(case.rule)) == case.rule


@every_kind
def test_every_field_is_described(case: Case) -> None:
    fields = type(case.rule).model_fields
    assert [name for name, f in fields.items() if name != "kind" and not f.description] == []


@every_kind
def test_one_episode_is_one_violation(case: Case) -> None:
    reports = replay(engine(case.rule), case.actors, frame_times(15))
    assert len({r.id for r in reports}) == 1
    assert [r.revision for r in reports] == list(range(len(reports)))
    assert reports[0].phase is Phase.OPENED
    assert {r.phase for r in reports[1:-1]} == {Phase.UPDATED}
    assert (reports[-1].phase, reports[-1].end_reason) == (Phase.CLOSED, "cleared")
    assert all(r.closed_at is None and r.end_reason is None for r in reports[:-1])
    for one in reports:
        assert (one.rule_id, one.rule_revision, one.rule_kind) == ("r", 3, case.rule.kind)
        assert (one.camera_id, one.subject, one.severity) == ("cam", "person-1", "danger")
        assert one.opened_at == START.shifted(case.breaks_s)


@every_kind
def test_open_reports_come_at_most_once_a_second(case: Case) -> None:
    reports = replay(engine(case.rule), case.actors, frame_times(15, fps=25))
    moments = [r.captured_at.monotonic for r in reports[:-1]]
    assert all(later - sooner > 0.99 for sooner, later in itertools.pairwise(moments))


@every_kind
@pytest.mark.parametrize(("fps", "loss"), [(10, 0), (5, 0), (3, 0), (10, 0.3)])
def test_rate_and_lost_frames_do_not_matter(case: Case, fps: float, loss: float) -> None:
    times = list(frame_times(15, fps=fps, loss=loss, seed=1))
    reports = replay(engine(case.rule), case.actors, times)
    grain = max(later - sooner for sooner, later in itertools.pairwise(times))
    assert len({r.id for r in reports}) == 1
    opened, closed = reports[0].opened_at.monotonic, reports[-1].captured_at.monotonic
    assert 0 <= opened - START.monotonic - case.breaks_s <= 2 * grain
    assert abs(closed - START.monotonic - case.ends_s - 1.0) <= 2 * grain


@every_kind
@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_a_wall_clock_jump_does_not_matter(case: Case, jump_s: float) -> None:
    def reports(jump_at_s: float) -> list[tuple[Phase, float]]:
        return [
            (r.phase, r.captured_at.monotonic)
            for r in replay(
                engine(case.rule), case.actors, frame_times(15),
                wall_jump_s=lambda at_s: jump_s if at_s > jump_at_s else 0.0,
            )
        ]  # fmt: skip

    assert reports(jump_at_s=case.breaks_s - 0.5) == reports(jump_at_s=1e9)


@every_kind
def test_nobody_in_view_raises_nothing(case: Case) -> None:
    assert replay(engine(case.rule), [], frame_times(15)) == []


@every_kind
def test_ends_on_demand_and_starts_afresh(case: Case) -> None:
    running = engine(case.rule)
    replay(running, case.actors, frame_times(case.breaks_s + 0.5))
    [closed] = running.end("camera_blind", START.shifted(case.breaks_s + 1))
    assert (closed.phase, closed.end_reason) == (Phase.CLOSED, "camera_blind")
    assert closed.closed_at == closed.captured_at == START.shifted(case.breaks_s + 1)
    assert running.open_violations == ()


@every_kind
def test_reports_survive_json(case: Case) -> None:
    adapter = TypeAdapter(Violation)
    for report in replay(engine(case.rule), case.actors, frame_times(15)):
        again = adapter.validate_json(adapter.dump_json(report))
        assert again == report


@every_kind
def test_is_deterministic(case: Case) -> None:
    def run() -> list[Violation]:
        numbers = itertools.count()
        return replay(
            engine(case.rule, lambda: str(next(numbers))), case.actors, frame_times(15, loss=0.2)
        )

    assert run() == run()


@every_kind
def test_forgets_people_who_are_gone(case: Case) -> None:
    """A camera runs for months; what it keeps must not grow with those who passed by."""
    running = engine(case.rule.model_copy(update={"cooldown_s": 30.0}))

    def passers_by(first: int, last: int) -> None:
        for number in range(first, last):
            for part in range(3):
                seen = person(number, INSIDE if part else OUTSIDE, age_s=part * 0.5)
                running.update(observation([seen], number * 5 + part * 0.5), PlantState())

    tracemalloc.start()
    try:
        passers_by(0, 100)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        passers_by(100, 700)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 10_000
    finally:
        tracemalloc.stop()


@every_kind
def test_twenty_people_are_twenty_subjects(case: Case) -> None:
    crowd = tuple(acting(n, (30, "in")) for n in range(20))
    running = engine(case.rule)
    replay(running, crowd, frame_times(4))
    assert {v.subject for v in running.open_violations} == {f"person-{n}" for n in range(20)}
    assert len(see(crowd, 1.0)) == 20
