"""What holds for every crowd, however people come, go, hide and change their track ids."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from safety.types import Phase, PlantState, Violation
from tests.support.observations import INSIDE, OUTSIDE, engine_of, observation, person
from zones.rules.intrusion import IntrusionSpec

Crowd = list[dict[int, str]]
"""For every frame: track id → where that person is."""

crowds = st.lists(
    st.dictionaries(st.integers(1, 5), st.sampled_from(["in", "out"]), max_size=4),
    min_size=1,
    max_size=40,
)


def run(crowd: Crowd, fps: float = 4.0) -> list[tuple[dict[int, str], list[Violation]]]:
    """The people of every frame, and the violations open after it."""
    rule = IntrusionSpec(id="r", name="R", zone_id="press", hold_to_close_s=1.0, cooldown_s=0)
    engine = engine_of(rule)
    born: dict[int, float] = {}
    log: list[tuple[dict[int, str], list[Violation]]] = []
    reports: list[Violation] = []
    for number, people in enumerate(crowd):
        at_s = number / fps
        seen = [
            person(
                track_id,
                INSIDE if where == "in" else OUTSIDE,
                age_s=at_s - born.setdefault(track_id, at_s),
            )
            for track_id, where in people.items()
        ]
        reports += engine.update(observation(seen, at_s), PlantState())
        log.append((people, list(engine.open_violations)))
    check_reports(reports)
    return log


def check_reports(reports: list[Violation]) -> None:
    """Every violation opens first and once, counts its reports, and closes at most once."""
    for violation_id in {r.id for r in reports}:
        own = [r for r in reports if r.id == violation_id]
        assert [r.revision for r in own] == list(range(len(own)))
        assert own[0].phase is Phase.OPENED
        assert all(r.phase is Phase.UPDATED for r in own[1:-1])
        assert all(r.opened_at == own[0].opened_at for r in own)
        assert [r.captured_at.monotonic for r in own] == sorted(
            r.captured_at.monotonic for r in own
        )


@given(crowds)
@settings(max_examples=200)
def test_everybody_inside_has_exactly_one_open_violation(crowd: Crowd) -> None:
    for people, violations in run(crowd):
        holders = Counter(v.details["seen_as"] for v in violations)
        for track_id, where in people.items():
            if where == "in":
                assert holders[f"person-{track_id}"] == 1


@given(crowds)
@settings(max_examples=100)
def test_nobody_keeps_a_violation_for_long_after_the_zone_is_empty(crowd: Crowd) -> None:
    log = run([*crowd, *([{}] * 5)])
    assert log[-1][1] == []
