"""Rule kind occupancy: too many, too few, alone; heads are counted, not tracks or frames."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.observations import (
    START,
    Actor,
    Episode,
    acting,
    engine_of,
    episodes,
    frame_times,
    observation,
    replay,
    see,
)
from zones.people import People
from zones.rules.occupancy import OccupancySpec

ALONE = {"at_least": 2, "empty_is_fine": True}


def rule(**fields: Any) -> OccupancySpec:
    return OccupancySpec(**{"id": "heads", "name": "Heads", "zone_id": "press", **fields})


def played(
    spec: OccupancySpec, *actors: Actor, until_s: float = 20, **frames: Any
) -> list[Episode]:
    return episodes(replay(engine_of(spec), actors, frame_times(until_s, **frames)))


def inside(track_id: int, since_s: float = 0, until_s: float = 99) -> Actor:
    return acting(track_id, (since_s, "gone"), (until_s, "in"), (99, "out"), born_s=since_s)


@pytest.mark.parametrize(
    ("fields", "actors", "expected"),
    [
        pytest.param({"at_most": 1}, [inside(1), inside(2, 5, 10)], [(7.0, 10.9)],
                     id="one too many"),
        pytest.param({"at_most": 2}, [inside(1), inside(2)], [], id="as many as may be"),
        pytest.param({"at_most": 0}, [inside(1, 5, 5.3)], [], id="a flicker is nobody"),
        pytest.param({"at_least": 1}, [inside(1, 0, 5)], [(7.0, None)], id="nobody left"),
        pytest.param({"at_least": 1}, [], [(2.4, None)], id="nobody from the beginning"),
        pytest.param({"at_least": 1}, [inside(1)], [], id="somebody there"),
        pytest.param({"at_least": 2, "at_most": 3}, [inside(1)], [(2.0, None)], id="too few"),
        pytest.param({**ALONE, "hold_to_open_s": 8}, [inside(1, 2, 12)], [(10.0, 12.9)],
                     id="alone for long"),
        pytest.param({**ALONE, "hold_to_open_s": 8}, [inside(1, 2, 9)], [],
                     id="alone, but not for long"),
        pytest.param({**ALONE, "hold_to_open_s": 8}, [inside(1, 2, 15), inside(2, 8, 15)], [],
                     id="somebody comes to help in time"),
        pytest.param({**ALONE}, [], [], id="empty is fine"),
        pytest.param({**ALONE}, [inside(1), inside(2, 0, 6)], [(8.0, None)],
                     id="two-person rule: the other one leaves"),
    ],
)  # fmt: skip
def test_how_many_there_are(
    fields: dict[str, Any], actors: list[Actor], expected: list[tuple[float, float | None]]
) -> None:
    assert [(e.opened_s, e.closed_s) for e in played(rule(**fields), *actors)] == expected


@pytest.mark.parametrize(("fps", "loss"), [(10, 0), (5, 0), (3, 0), (10, 0.3)])
def test_rate_and_lost_frames_change_nothing(fps: float, loss: float) -> None:
    [alone] = played(
        rule(**ALONE, hold_to_open_s=8), inside(1, 2, 14), fps=fps, loss=loss, until_s=18
    )
    assert alone.opened_s == pytest.approx(10.0, abs=3 / fps)
    assert alone.closed_s == pytest.approx(15.0, abs=3 / fps)


def test_a_broken_track_is_one_head() -> None:
    """The same worker under four track ids, never seen twice at once."""
    parts = [inside(n, 4 * n + 0.4 * (n > 0), 4 * n + 4) for n in range(4)]
    gone = [acting(p.track_id, (p.born_s, "gone"), (4 * n + 4, "in"), born_s=p.born_s)
            for n, p in enumerate(parts)]  # fmt: skip
    assert played(rule(at_most=1), *gone) == []
    [alone] = played(rule(**ALONE, hold_to_open_s=10), *gone, until_s=15)
    assert alone.opened_s == pytest.approx(10.0, abs=0.2)


def test_somebody_hidden_for_a_moment_is_still_there() -> None:
    """Two workers who hide each other by turns: neither is ever alone."""

    def by_turns(track_id: int, hidden: int) -> Actor:
        def place(at_s: float) -> tuple[float, float] | None:
            return None if int(at_s) % 4 == hidden else (0.45 + 0.1 * track_id / 2, 0.5)

        return Actor(track_id=track_id, place=place)

    assert played(rule(**ALONE), by_turns(1, 1), by_turns(2, 3)) == []


def test_a_blind_camera_counts_nobody_as_gone() -> None:
    engine = engine_of(rule(at_least=1))
    replay(engine, [inside(1)], frame_times(5))
    assert engine.end("camera_blind", START.shifted(5.5)) == []
    reports = replay(engine, [inside(1)], (60 + t for t in frame_times(5)))
    assert reports == []


def test_a_driver_is_a_head_too() -> None:
    seen = observation(see([inside(1), inside(2)], 1.0), 1.0)
    people = People(seen, driving={2})
    assert [p.track_id for p in people.pedestrians] == [1]
    assert sorted(people.with_drivers.subjects) == [1, 2]


def test_without_a_zone_the_whole_picture_counts() -> None:
    spec = rule(**ALONE, zone_id=None)
    anywhere = acting(1, (99, "out"))
    [alone] = played(spec, anywhere, until_s=5)
    assert (alone.subject, alone.opened_s) == ("cam", 2.0)


def test_says_how_many_and_the_limits() -> None:
    [opened] = replay(engine_of(rule(at_most=1)), [inside(1), inside(2)], frame_times(2.4))
    assert opened.details == {"people": 2, "at_most": 1, "lasting_s": 2.0, "seen_as": "press"}
    assert opened.box is None


@pytest.mark.parametrize(
    "fields", [{}, {"at_least": 3, "at_most": 2}, {"at_least": 0}, {"at_most": -1}]
)
def test_what_is_no_limit(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule(**fields)
