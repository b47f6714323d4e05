"""Rule kind dwell: how long is too long."""

from typing import Any

import pytest

from tests.support.observations import (
    Episode,
    Where,
    acting,
    engine_of,
    episodes,
    frame_times,
    replay,
)
from zones.rules.dwell import DwellSpec


def rule(**fields: Any) -> DwellSpec:
    return DwellSpec(
        id="no-waiting", name="No waiting", zone_id="press", **{"limit_s": 5.0, **fields}
    )


@pytest.mark.parametrize(
    ("parts", "fields", "expected"),
    [
        pytest.param([(5, "in"), (9, "out")], {}, [], id="passes through in time"),
        pytest.param([(8, "in"), (12, "out")], {}, [(5.0, 8.9, "cleared")], id="stays too long"),
        pytest.param(
            [(3, "in"), (3.8, "out"), (8, "in"), (12, "out")], {}, [(5.0, 8.9, "cleared")],
            id="a short step outside is bridged",
        ),
        pytest.param(
            [(3, "in"), (3.8, "gone"), (8, "in"), (12, "out")], {}, [(5.0, 8.9, "cleared")],
            id="a short time hidden is bridged",
        ),
        pytest.param(
            [(3, "in"), (5, "out"), (9, "in"), (12, "out")], {}, [], id="counts anew after leaving"
        ),
        pytest.param(
            [(8, "in"), (12, "out")], {"hold_to_open_s": 2.0}, [(7.0, 8.9, "cleared")],
            id="hold-to-open comes on top of the limit",
        ),
        pytest.param(
            [(8, "in"), (12, "gone")], {}, [(5.0, 8.9, "track_lost")], id="lost inside"
        ),
    ],
)  # fmt: skip
def test_life_of_a_violation(
    parts: list[tuple[float, Where]],
    fields: dict[str, Any],
    expected: list[tuple[float, float | None, str | None]],
) -> None:
    reports = replay(engine_of(rule(**fields)), [acting(1, *parts)], frame_times(parts[-1][0]))
    assert episodes(reports) == [Episode("person-1", *times) for times in expected]


@pytest.mark.parametrize(("fps", "loss"), [(25, 0), (10, 0), (5, 0), (3, 0), (10, 0.3), (3, 0.3)])
@pytest.mark.parametrize("seed", range(5))
def test_dropped_frames_do_not_stretch_the_limit(fps: float, loss: float, seed: int) -> None:
    """Counting frames at a nominal rate would open at 5 / (1 - loss) seconds."""
    times = list(frame_times(15, fps=fps, loss=loss, seed=seed))
    reports = replay(engine_of(rule()), [acting(1, (15.1, "in"))], times)
    grain = max(later - sooner for sooner, later in zip([0.0, *times], times, strict=False))
    [episode] = episodes(reports)
    assert 5.0 <= episode.opened_s <= 5.0 + 2 * grain


def test_a_broken_track_does_not_start_the_count_again() -> None:
    first = acting(1, (3, "in"))
    second = acting(2, (3.5, "gone"), (9, "in"), born_s=3.5)
    reports = replay(engine_of(rule()), [first, second], frame_times(8))
    assert episodes(reports) == [Episode("person-1", 5.0, None, None)]
    assert reports[0].details == {"inside_s": 5.0, "limit_s": 5.0, "seen_as": "person-2"}


def test_everybody_has_a_count_of_their_own() -> None:
    early, late = acting(1, (20, "in")), acting(2, (2, "out"), (20, "in"))
    reports = replay(engine_of(rule()), [early, late], frame_times(9))
    assert [(e.subject, e.opened_s) for e in episodes(reports)] == [
        ("person-1", 5.0),
        ("person-2", 7.0),
    ]
