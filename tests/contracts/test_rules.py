"""What every rule kind must do, whatever it watches."""

import gc
import itertools
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import get_args
from uuid import uuid4

import pytest
from pydantic import TypeAdapter

from safety.clock import Instant
from safety.i18n import LANGUAGES, catalogue
from safety.types import (
    CameraState,
    MachineState,
    Observation,
    Phase,
    PlantState,
    Severity,
    Violation,
)
from tests.support import moments
from tests.support.bodies import camera
from tests.support.observations import (
    INSIDE,
    OUTSIDE,
    START,
    ZONE,
    acting,
    frame_times,
    observation,
    person,
    see,
)
from zones.arming import Armament, OnMachine
from zones.engine import RuleEngine
from zones.rules.blind_spot import BlindSpotSpec
from zones.rules.dwell import DwellSpec
from zones.rules.fall import FallSpec
from zones.rules.intrusion import IntrusionSpec
from zones.rules.line_crossing import LineCrossingSpec
from zones.rules.man_down import ManDownSpec
from zones.rules.missing_ppe import MissingPpeSpec
from zones.rules.occupancy import OccupancySpec
from zones.rules.posture import PostureSpec
from zones.rules.proximity import ProximitySpec
from zones.rules.reach_in import ReachInSpec
from zones.rules.running import RunningSpec
from zones.rules.vehicle_in_zone import VehicleInZoneSpec
from zones.rules.vehicle_speed import VehicleSpeedSpec
from zones.specs import RuleSpec

Moment = Callable[[float], Observation]
"""What the camera sees so many seconds after the start."""


def visit(*, until_s: float) -> Moment:
    """Somebody in the zone from 2 s on, until then; somebody else outside all the time."""
    actors = (acting(1, (2, "out"), (until_s, "in"), (30, "out")), acting(2, (30, "out")))
    return lambda at_s: observation(see(actors, at_s), at_s)


def reaching(at_s: float) -> Observation:
    """Somebody outside with a hand in the zone from 2 to 6 s; somebody else with none."""
    hand = INSIDE if 2 <= at_s < 6 else None
    first = person(1, (0.75, 0.7), hand=hand, age_s=at_s)
    return observation([first, person(2, OUTSIDE, age_s=at_s)], at_s)


def live(_: float) -> CameraState:
    """The camera sees."""
    return CameraState.LIVE


VISIT = visit(until_s=6)
SILENT = PlantState()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One rule kind that is broken from ``breaks_s`` to ``ends_s``.

    Attributes:
        seen: What the camera sees.
        camera: Whether the camera sees anything.
        plant: What the plant says.
        subject: Who breaks it; None: everybody has violations of their own, here person-1.
    """

    rule: RuleSpec
    seen: Moment = VISIT
    camera: Callable[[float], CameraState] = live
    plant: PlantState = SILENT
    breaks_s: float = 2.0
    ends_s: float = 6.0
    subject: str | None = None


CASES = [
    Case(rule=IntrusionSpec(id="r", name="R", zone_id="press")),
    Case(
        rule=DwellSpec(id="r", name="R", zone_id="press", limit_s=3),
        seen=visit(until_s=8),
        breaks_s=5.0,
        ends_s=8.0,
    ),
    Case(
        rule=MissingPpeSpec(
            id="r", name="R", zone_id="press", severity=Severity.DANGER, hold_to_close_s=1
        ),
        seen=visit(until_s=8),
        breaks_s=5.0,
        ends_s=8.0,
    ),
    Case(
        rule=ReachInSpec(id="r", name="R", zone_id="press", hold_to_open_s=0),
        seen=reaching,
    ),
    Case(
        rule=LineCrossingSpec(
            id="r", name="R", zone_id="press", camera_ids=("cam",), hold_to_close_s=3,
            line=((0.9, 0.65), (0.1, 0.65)), direction="a_to_b",
        ),
        ends_s=2.0,
    ),
    Case(
        rule=OccupancySpec(id="r", name="R", zone_id="press", at_most=0, hold_to_open_s=1.0),
        breaks_s=3.0,
        subject="press",
    ),
    Case(
        rule=BlindSpotSpec(
            id="r", name="R", zone_id="press", severity=Severity.DANGER, hold_to_open_s=0
        ),
        camera=lambda at_s: CameraState.BLIND if 2 <= at_s < 6 else CameraState.LIVE,
        subject="cam",
    ),
    Case(
        rule=FallSpec(id="r", name="R", zone_id="press"),
        seen=moments.posing("lies", since_s=2, until_s=6),
        breaks_s=3.0,
    ),
    Case(
        rule=ManDownSpec(id="r", name="R", zone_id="press", still_s=3),
        seen=moments.posing("lies", since_s=2, until_s=8),
        breaks_s=5.0,
        ends_s=8.0,
    ),
    Case(
        rule=PostureSpec(
            id="r", name="R", zone_id="press", severity=Severity.DANGER, window_s=4, share=0.39
        ),
        seen=moments.posing("bends", since_s=5, until_s=9),
        breaks_s=6.6,
        ends_s=11.5,
    ),
    Case(
        rule=RunningSpec(id="r", name="R", zone_id="press", hold_to_open_s=0),
        seen=moments.running,
    ),
    Case(
        rule=ProximitySpec(id="r", name="R", zone_id="press"),
        seen=moments.approached,
        subject="person-1+forklift-1",
    ),
    Case(
        rule=VehicleSpeedSpec(id="r", name="R", zone_id="press", hold_to_open_s=0),
        seen=moments.speeding,
        subject="forklift-1",
    ),
    Case(
        rule=VehicleInZoneSpec(id="r", name="R", zone_id="press"),
        seen=moments.driving_in,
        subject="forklift-1",
    ),
]  # fmt: skip

every_kind = pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule.kind)


def engine(rule: RuleSpec, new_id: Callable[[], str] = lambda: uuid4().hex) -> RuleEngine:
    return RuleEngine(
        camera_id="cam",
        zones=[ZONE],
        rules=[rule],
        rule_revisions={"r": 3},
        new_id=new_id,
        calibration=camera(),
    )


def play(
    case: Case,
    times: Iterable[float],
    running: RuleEngine | None = None,
    *,
    wall_jump_s: Callable[[float], float] = lambda _: 0.0,
) -> list[Violation]:
    """Everything that is reported while the case happens."""
    running = running or engine(case.rule)
    reports: list[Violation] = []
    for at_s in times:
        seen = case.seen(at_s)
        now = Instant(wall=seen.at.wall + wall_jump_s(at_s), monotonic=seen.at.monotonic)
        reports += running.update(replace(seen, at=now), case.plant)
        reports += running.watch(case.camera(at_s), now, case.plant)
    return reports


def test_every_kind_of_rule_is_under_contract() -> None:
    assert {type(case.rule) for case in CASES} == set(get_args(get_args(RuleSpec)[0]))


@every_kind
@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_words_for_it(case: Case, language: str) -> None:
    known = catalogue("ko" if language == "ko" else "en")
    wanted = ("alert", "alert.title", "rules.kind", "rules.about", "rules.default_name")
    assert [key for key in wanted if f"{key}.{case.rule.kind}" not in known] == []


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
    reports = play(case, frame_times(15))
    assert len({r.id for r in reports}) == 1
    assert [r.revision for r in reports] == list(range(len(reports)))
    assert reports[0].phase is Phase.OPENED
    assert {r.phase for r in reports[1:-1]} == {Phase.UPDATED}
    assert (reports[-1].phase, reports[-1].end_reason) == (Phase.CLOSED, "cleared")
    assert all(r.closed_at is None and r.end_reason is None for r in reports[:-1])
    subject = case.subject or "person-1"
    for one in reports:
        assert (one.rule_id, one.rule_revision, one.rule_kind) == ("r", 3, case.rule.kind)
        assert (one.camera_id, one.subject, one.severity) == ("cam", subject, "danger")
        assert one.opened_at == START.shifted(case.breaks_s)


@every_kind
def test_open_reports_come_at_most_once_a_second(case: Case) -> None:
    reports = play(case, frame_times(15, fps=25))
    moments = [r.captured_at.monotonic for r in reports[:-1]]
    assert all(later - sooner > 0.99 for sooner, later in itertools.pairwise(moments))


@every_kind
@pytest.mark.parametrize(
    ("fps", "loss", "seed"), [(10, 0, 0), (5, 0, 0), (3, 0, 0), *((10, 0.3, n) for n in range(4))]
)
def test_rate_and_lost_frames_do_not_matter(case: Case, fps: float, loss: float, seed: int) -> None:
    times = list(frame_times(15, fps=fps, loss=loss, seed=seed))
    reports = play(case, times)
    grain = max(later - sooner for sooner, later in itertools.pairwise(times))
    assert len({r.id for r in reports}) == 1
    opened, closed = reports[0].opened_at.monotonic, reports[-1].captured_at.monotonic
    assert -1e-6 <= opened - START.monotonic - case.breaks_s <= 2 * grain
    assert abs(closed - START.monotonic - case.ends_s - case.rule.hold_to_close_s) <= 2 * grain


@every_kind
@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_a_wall_clock_jump_does_not_matter(case: Case, jump_s: float) -> None:
    def reports(jump_at_s: float) -> list[tuple[Phase, float]]:
        return [
            (r.phase, r.captured_at.monotonic)
            for r in play(
                case, frame_times(15),
                wall_jump_s=lambda at_s: jump_s if at_s > jump_at_s else 0.0,
            )
        ]  # fmt: skip

    assert reports(jump_at_s=case.breaks_s - 0.5) == reports(jump_at_s=1e9)


@every_kind
def test_nobody_in_view_raises_nothing(case: Case) -> None:
    empty = replace(case, seen=lambda at_s: observation([], at_s), camera=live)
    assert play(empty, frame_times(15)) == []


@every_kind
def test_ends_on_demand_and_starts_afresh(case: Case) -> None:
    running = engine(case.rule)
    play(case, frame_times(case.breaks_s + 0.5), running)
    [closed] = running.end("rule_changed", START.shifted(case.breaks_s + 1))
    assert (closed.phase, closed.end_reason) == (Phase.CLOSED, "rule_changed")
    assert closed.closed_at == closed.captured_at == START.shifted(case.breaks_s + 1)
    assert running.open_violations == ()


@every_kind
def test_reports_survive_json(case: Case) -> None:
    adapter = TypeAdapter(Violation)
    for report in play(case, frame_times(15)):
        again = adapter.validate_json(adapter.dump_json(report))
        assert again == report


@every_kind
def test_is_deterministic(case: Case) -> None:
    def run() -> list[Violation]:
        numbers = itertools.count()
        return play(case, frame_times(15, loss=0.2), engine(case.rule, lambda: str(next(numbers))))

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
def test_disarmed_it_reports_nothing_and_unknown_arms_it(case: Case) -> None:
    arming = OnMachine(machine_id="press")
    rule = case.rule.model_copy(update={"arming": arming})
    stopped = replace(case.plant, machines={"press": MachineState.IDLE})
    assert play(replace(case, rule=rule, plant=stopped), frame_times(15)) == []
    running = engine(rule)
    assert len({r.id for r in play(case, frame_times(15), running)}) == 1
    assert running.states() == {"r": Armament.UNKNOWN_ARMED}


@every_kind
def test_a_machine_that_stops_in_the_middle_ends_it(case: Case) -> None:
    running = engine(case.rule.model_copy(update={"arming": OnMachine(machine_id="press")}))
    play(case, frame_times(case.breaks_s + 0.5), running)
    assert len(running.open_violations) == 1
    stopped = replace(case, plant=replace(case.plant, machines={"press": MachineState.IDLE}))
    later = [case.breaks_s + 0.6 + n / 10 for n in range(20)]
    assert [(r.phase, r.end_reason) for r in play(stopped, later, running)][-1] == (
        Phase.CLOSED, "disarmed",
    )  # fmt: skip


@every_kind
def test_in_a_muted_zone_it_reports_nothing_and_says_so(case: Case) -> None:
    muted = replace(case, plant=replace(case.plant, muted_zones=frozenset({"press"})))
    running = engine(case.rule)
    assert play(muted, frame_times(15), running) == []
    assert running.states() == {"r": Armament.MUTED}


@every_kind
def test_in_shadow_every_report_says_so(case: Case) -> None:
    rule = case.rule.model_copy(update={"mode": "shadow"})
    reports = play(replace(case, rule=rule), frame_times(15))
    assert {r.shadow for r in reports} == {True}


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.subject is None], ids=lambda case: case.rule.kind
)
def test_twenty_people_are_twenty_subjects(case: Case) -> None:
    """Everybody does what the first one does."""

    def crowd(at_s: float) -> Observation:
        seen = case.seen(at_s)
        [first] = [p for p in seen.persons if p.track_id == 1]
        return replace(seen, persons=tuple(replace(first, track_id=n) for n in range(20)))

    running = engine(case.rule)
    play(replace(case, seen=crowd), frame_times(case.breaks_s + 0.3), running)
    assert {v.subject for v in running.open_violations} == {f"person-{n}" for n in range(20)}
