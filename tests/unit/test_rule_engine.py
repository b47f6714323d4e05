"""The engine of one camera: which rules run, and what happens when they change."""

from typing import Any

import pytest

from safety.errors import ConfigError
from safety.types import Phase, PlantState
from tests.support.observations import (
    START,
    ZONE,
    acting,
    engine_of,
    frame_times,
    observation,
    replay,
)
from zones.engine import RuleEngine
from zones.rules.dwell import DwellSpec
from zones.rules.intrusion import IntrusionSpec
from zones.specs import RuleSpec, ZoneSpec


def intrusion(rule_id: str = "keep-out", **fields: Any) -> IntrusionSpec:
    return IntrusionSpec(**{"id": rule_id, "name": rule_id, "zone_id": "press", **fields})


def dwell(rule_id: str = "no-waiting", **fields: Any) -> DwellSpec:
    return DwellSpec(**{"id": rule_id, "name": rule_id, "zone_id": "press", "limit_s": 2, **fields})


def zone(zone_id: str, **fields: Any) -> ZoneSpec:
    return ZONE.model_copy(update={"id": zone_id, **fields})


def test_every_rule_has_violations_of_its_own() -> None:
    engine = engine_of(intrusion(), dwell())
    reports = replay(engine, [acting(1, (9, "in")), acting(2, (9, "in"))], frame_times(3))
    opened = [(r.rule_id, r.subject) for r in reports if r.phase is Phase.OPENED]
    assert opened == [
        ("keep-out", "person-1"),
        ("keep-out", "person-2"),
        ("no-waiting", "person-1"),
        ("no-waiting", "person-2"),
    ]
    assert len({r.id for r in reports}) == 4


def test_nobody_there_nothing_reported() -> None:
    assert engine_of(intrusion(), dwell()).update(observation([], 0.0), PlantState()) == []


def test_open_violations_are_the_newest_reports() -> None:
    engine = engine_of(intrusion())
    reports = replay(engine, [acting(1, (3, "in"), (9, "out"))], frame_times(2))
    assert list(engine.open_violations) == reports[-1:]
    assert reports[-1].phase is Phase.UPDATED
    replay(engine, [], (2 + t for t in frame_times(3)))
    assert engine.open_violations == ()


@pytest.mark.parametrize("reason", ["camera_blind", "shard_lost"])
def test_end_closes_everything_and_the_camera_starts_afresh(reason: Any) -> None:
    engine = engine_of(intrusion(), dwell())
    replay(engine, [acting(1, (9, "in"))], frame_times(3))
    closed = engine.end(reason, START.shifted(3.5))
    assert [(v.phase, v.end_reason, v.closed_at) for v in closed] == [
        (Phase.CLOSED, reason, START.shifted(3.5))
    ] * 2
    assert engine.open_violations == ()
    assert engine.end(reason, START.shifted(4)) == []
    again = replay(engine, [acting(1, (20, "in"))], [3.6])
    assert [(v.phase, v.rule_id) for v in again] == [(Phase.OPENED, "keep-out")]


class TestConfigure:
    """New rules reach a running engine."""

    def configure(
        self, engine: RuleEngine, *rules: RuleSpec, zones: tuple[ZoneSpec, ...] = (ZONE,),
        revision: int = 1,
    ) -> list[tuple[str, str | None]]:  # fmt: skip
        closed = engine.configure(
            zones, rules, {rule.id: revision for rule in rules}, START.shifted(3)
        )
        return [(v.rule_id, v.end_reason) for v in closed]

    def running(self) -> RuleEngine:
        engine = engine_of(intrusion(), dwell())
        replay(engine, [acting(1, (9, "in"))], frame_times(2.9))
        assert [v.id for v in engine.open_violations] == ["v1", "v2"]
        return engine

    @pytest.mark.parametrize(
        ("rules", "closed"),
        [
            pytest.param([intrusion(), dwell()], [], id="the same"),
            pytest.param([dwell(), intrusion()], [], id="the same in another order"),
            pytest.param([intrusion(), dwell(), dwell("new")], [], id="one more"),
            pytest.param([intrusion()], ["no-waiting"], id="one removed"),
            pytest.param([intrusion(), dwell(limit_s=9)], ["no-waiting"], id="one changed"),
            pytest.param([intrusion(enabled=False), dwell()], ["keep-out"], id="one disabled"),
            pytest.param([], ["keep-out", "no-waiting"], id="all removed"),
        ],
    )
    def test_only_what_changed_is_closed(self, rules: list[RuleSpec], closed: list[str]) -> None:
        engine = self.running()
        assert self.configure(engine, *rules) == [(rule_id, "rule_changed") for rule_id in closed]
        assert {v.rule_id for v in engine.open_violations} == {"keep-out", "no-waiting"} - {*closed}

    def test_an_unchanged_rule_goes_on_with_its_violation(self) -> None:
        engine = self.running()
        self.configure(engine, intrusion(), dwell("new"))
        reports = replay(engine, [acting(1, (9, "in"))], [3.0, 3.5, 4.0])
        assert {(r.id, r.phase) for r in reports if r.rule_id == "keep-out"} == {
            ("v1", Phase.UPDATED)
        }

    def test_a_new_revision_or_outline_is_a_change(self) -> None:
        rules = (intrusion(), dwell())
        both = [("keep-out", "rule_changed"), ("no-waiting", "rule_changed")]
        assert self.configure(self.running(), *rules, revision=2) == both
        moved = zone("press", polygon=((0, 0), (1, 0), (1, 1)))
        assert self.configure(self.running(), *rules, zones=(moved,)) == both

    def test_renaming_a_zone_is_none(self) -> None:
        renamed = zone("press", name="Big press")
        assert self.configure(self.running(), intrusion(), dwell(), zones=(renamed,)) == []

    def test_a_changed_rule_reports_its_new_revision(self) -> None:
        engine = self.running()
        self.configure(engine, intrusion(severity="warning"), revision=7)
        [opened] = replay(engine, [acting(1, (9, "in"))], [3.1])
        assert (opened.rule_revision, opened.severity) == (7, "warning")

    def test_a_bad_configuration_changes_nothing(self) -> None:
        engine = self.running()
        with pytest.raises(ConfigError):
            self.configure(engine, intrusion(zone_id="nowhere"))
        assert [v.id for v in engine.open_violations] == ["v1", "v2"]


@pytest.mark.parametrize(
    ("zones", "rules", "revisions", "key", "words"),
    [
        ([ZONE, ZONE], [], {}, "config.duplicate_id", "two zones are called 'press'"),
        (
            [ZONE], [intrusion(), intrusion()], {"keep-out": 1},
            "config.duplicate_id", "two rules are called 'keep-out'",
        ),
        (
            [ZONE, zone("lathe")], [intrusion(zone_id="pres")], {"keep-out": 1},
            "config.unknown_zone", "'pres', which does not exist; did you mean 'press'?",
        ),
        ([], [intrusion()], {"keep-out": 1}, "config.unknown_zone", "draw a zone first"),
        (
            [zone("yard", camera_id="gate")], [], {},
            "config.zone_of_other_camera", "belongs to camera 'gate'",
        ),
        ([ZONE], [intrusion()], {}, "config.rule_without_revision", "'keep-out' has no revision"),
    ],
)  # fmt: skip
def test_refuses_and_says_why(
    zones: list[ZoneSpec], rules: list[RuleSpec], revisions: dict[str, int], key: str, words: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        RuleEngine(
            camera_id="cam", zones=zones, rules=rules, rule_revisions=revisions, new_id=lambda: "v"
        )
    assert refused.value.key == key
    assert words in str(refused.value)
