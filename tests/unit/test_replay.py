"""Rules on recorded observations: the same as live, and what another rule would change."""

from collections.abc import Sequence

import pytest

from cameras.observations import Recorded, decode, encode
from cameras.specs import CameraSpec, SyntheticSpec
from safety.replay.compare import compare
from safety.replay.run import Firing, Scenery, replay_observations, with_proposals
from safety.types import PlantState
from tests.support.observations import START, ZONE, Actor, acting, frame_times, observation, see
from zones.rules.dwell import DwellSpec
from zones.rules.intrusion import IntrusionSpec
from zones.specs import RuleSpec

CAMERA = CameraSpec(id="cam", name="Cam", source=SyntheticSpec())
KEEP_OUT = IntrusionSpec(id="keep-out", name="Keep out", zone_id="press", hold_to_open_s=0.5)
VISITOR = acting(1, (2.0, "out"), (6.0, "in"), (9.0, "out"))
PASSER = acting(2, (2.0, "out"), (2.4, "in"), (9.0, "out"))


def recorded(*actors: Actor, seconds: float = 9.0) -> list[Recorded]:
    """As they come out of the log."""
    return [
        decode(encode(observation(see(actors, at_s), at_s), PlantState()))
        for at_s in frame_times(seconds)
    ]


def run(frames: Sequence[Recorded], *rules: RuleSpec) -> list[Firing]:
    return replay_observations(frames, Scenery(camera=CAMERA, zones=(ZONE,), rules=rules))


def test_a_rule_fires_on_what_was_recorded_as_it_did_live() -> None:
    [firing] = run(recorded(VISITOR, PASSER), KEEP_OUT)
    assert (firing.rule_id, firing.subject) == ("keep-out", "person-1")
    assert firing.opened_at.wall - START.wall == pytest.approx(2.5, abs=0.11)
    assert firing.closed_at is not None
    assert firing.closed_at.wall - START.wall == pytest.approx(7.0, abs=0.21)


def test_a_disabled_rule_fires_not() -> None:
    assert run(recorded(VISITOR), KEEP_OUT.model_copy(update={"enabled": False})) == []


def test_a_gap_ends_what_was_open_and_nobody_is_carried_over_it() -> None:
    frames = recorded(acting(1, (9.0, "in")))
    before = [f for f in frames if f.observation.at.wall < START.wall + 2]
    late = [f for f in frames if f.observation.at.wall >= START.wall + 8]
    first, second = run([*before, *late], KEEP_OUT)
    assert first.closed_at is not None
    assert first.closed_at.wall - START.wall < 2
    assert second.opened_at.wall - START.wall == pytest.approx(8.5, abs=0.11)


def test_what_a_proposal_changes() -> None:
    frames = recorded(VISITOR, PASSER)
    eager = KEEP_OUT.model_copy(update={"hold_to_open_s": 0.1})
    lazy = KEEP_OUT.model_copy(update={"hold_to_open_s": 5.0})
    added = DwellSpec(id="no-waiting", name="No waiting", zone_id="press", limit_s=3)
    present = run(frames, KEEP_OUT)

    def changes(*proposals: RuleSpec) -> list[tuple[str, str, str]]:
        proposed = run(frames, *with_proposals([KEEP_OUT], proposals))
        return sorted(
            (each.change, each.firing.rule_id, each.firing.subject)
            for each in compare(present, proposed)
        )

    assert changes(KEEP_OUT) == [("same", "keep-out", "person-1")]
    assert changes(eager) == [("new", "keep-out", "person-2"), ("same", "keep-out", "person-1")]
    assert changes(lazy) == [("gone", "keep-out", "person-1")]
    assert changes(added) == [
        ("new", "no-waiting", "person-1"),
        ("same", "keep-out", "person-1"),
    ]
