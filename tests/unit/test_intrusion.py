"""Rule kind intrusion: who counts as inside, and the life of its violations."""

import itertools
from typing import Any

import pytest

from safety.types import Phase
from tests.support.observations import (
    INSIDE,
    OUTSIDE,
    ZONE,
    Actor,
    Episode,
    Where,
    acting,
    engine_of,
    episodes,
    frame_times,
    observation,
    person,
    replay,
    seconds,
)
from zones.areas import ZoneArea
from zones.body_points import Body
from zones.people import People
from zones.rules.intrusion import IntrusionSpec


def rule(**fields: Any) -> IntrusionSpec:
    return IntrusionSpec(id="keep-out", name="Keep out", zone_id="press", **fields)


@pytest.mark.parametrize(
    ("body", "figure", "points"),
    [
        pytest.param("feet", {"foot": INSIDE}, ("left_ankle", "right_ankle"), id="ankles"),
        pytest.param("feet", {"foot": OUTSIDE}, (), id="ankles outside"),
        pytest.param(
            "feet", {"foot": INSIDE, "confidence": 0.2}, ("box_bottom",), id="ankles not seen"
        ),
        pytest.param(
            "feet", {"foot": OUTSIDE, "confidence": 0.2}, (), id="ankles not seen, box outside"
        ),
        pytest.param("feet", {"foot": OUTSIDE, "hand": INSIDE}, (), id="a hand is no foot"),
        pytest.param(
            "hands", {"foot": OUTSIDE, "hand": INSIDE}, ("left_wrist", "right_wrist"), id="wrists"
        ),
        pytest.param(
            "hands", {"foot": INSIDE, "confidence": 0.2}, (), id="hands not seen are not inside"
        ),
        pytest.param(
            "any", {"foot": OUTSIDE, "hand": INSIDE, "height": 0.1}, ("left_wrist", "right_wrist"),
            id="any: a hand",
        ),
        pytest.param(
            "any", {"foot": INSIDE, "confidence": 0.2}, ("box_bottom",), id="any: box bottom"
        ),
    ],
)  # fmt: skip
def test_body_points_inside(body: Body, figure: dict[str, Any], points: tuple[str, ...]) -> None:
    people = People(observation([person(7, **figure)], 0.0))
    assert people.inside(ZoneArea(ZONE.polygon or ()), body) == (
        {7: list(points)} if points else {}
    )


def test_a_foot_just_below_the_picture_is_in_a_zone_that_reaches_its_edge() -> None:
    people = People(observation([person(7, (0.5, 1.02))], 0.0))
    floor = ZoneArea(((0.2, 0.7), (0.8, 0.7), (0.8, 1.0), (0.2, 1.0)))
    assert people.inside(floor, "feet") == {7: ["left_ankle", "right_ankle"]}


@pytest.mark.parametrize(
    ("parts", "fields", "expected"),
    [
        pytest.param([(5, "out")], {}, [], id="outside"),
        pytest.param(
            [(1, "out"), (3, "in"), (9, "out")], {}, [(1.0, 3.9, "cleared")], id="in and out again"
        ),
        pytest.param(
            [(1, "out"), (9, "in")], {}, [(1.0, None, None)], id="stays: still open"
        ),
        pytest.param(
            [(1, "out"), (3, "in"), (9, "gone")], {}, [(1.0, 3.9, "track_lost")], id="lost inside"
        ),
        pytest.param(
            [(1, "out"), (3, "in"), (3.4, "out"), (9, "gone")], {}, [(1.0, 3.9, "cleared")],
            id="left, then lost",
        ),
        pytest.param(
            [(1, "out"), (3, "in"), (3.5, "gone"), (5, "in"), (9, "out")], {},
            [(1.0, 5.9, "cleared")], id="hidden for less than hold-to-close",
        ),
        pytest.param(
            [(1, "out"), (3, "in"), (3.5, "out"), (5, "in"), (9, "out")], {},
            [(1.0, 5.9, "cleared")], id="outside for less than hold-to-close",
        ),
        pytest.param(
            [(1, "out"), (1.9, "in"), (2.2, "out"), (4, "in"), (9, "out")],
            {"hold_to_open_s": 1.0}, [(3.2, 4.9, "cleared")],
            id="hold-to-open starts again when seen outside",
        ),
        pytest.param(
            [(1, "out"), (1.6, "in"), (1.9, "gone"), (4, "in"), (9, "out")],
            {"hold_to_open_s": 1.0}, [(2.0, 4.9, "cleared")],
            id="hold-to-open goes on while hidden",
        ),
        pytest.param(
            [(1, "out"), (1.6, "in"), (3.0, "gone"), (5, "in"), (9, "out")],
            {"hold_to_open_s": 1.0}, [(4.0, 5.9, "cleared")],
            id="hold-to-open starts again when hidden for long",
        ),
        pytest.param(
            [(1, "out"), (1.9, "in"), (9, "gone")], {"hold_to_open_s": 1.0}, [],
            id="never opens while hidden",
        ),
        pytest.param(
            [(1, "out"), (2, "in"), (9, "out")], {"hold_to_close_s": 0.0}, [(1.0, 2.0, "cleared")],
            id="closes at once without hold-to-close",
        ),
        pytest.param(
            [(1, "in"), (3, "out"), (4, "in"), (9, "out")], {}, [(0.0, 1.9, "cleared")],
            id="cooldown: no second violation",
        ),
        pytest.param(
            [(1, "in"), (3, "out"), (16, "in"), (20, "out")], {},
            [(0.0, 1.9, "cleared"), (11.9, 16.9, "cleared")],
            id="still inside when the cooldown ends",
        ),
        pytest.param(
            [(1, "in"), (3, "out"), (4, "in"), (9, "out")], {"cooldown_s": 0.0},
            [(0.0, 1.9, "cleared"), (3.0, 4.9, "cleared")], id="no cooldown",
        ),
        pytest.param([(5, "in")], {"enabled": False}, [], id="disabled"),
    ],
)  # fmt: skip
def test_life_of_a_violation(
    parts: list[tuple[float, Where]],
    fields: dict[str, Any],
    expected: list[tuple[float, float | None, str | None]],
) -> None:
    reports = replay(
        engine_of(rule(**fields)), [acting(1, *parts)], frame_times(parts[-1][0] - 0.1)
    )
    assert episodes(reports) == [Episode("person-1", *times) for times in expected]


@pytest.mark.parametrize(("fps", "loss"), [(25, 0), (10, 0), (5, 0), (3, 0), (10, 0.3), (5, 0.3)])
@pytest.mark.parametrize("seed", range(5))
def test_rate_and_lost_frames_change_nothing_but_the_grain(
    fps: float, loss: float, seed: int
) -> None:
    engine = engine_of(rule(hold_to_open_s=2.0, hold_to_close_s=1.5))
    times = list(frame_times(14, fps=fps, loss=loss, seed=seed))
    reports = replay(engine, [acting(1, (2, "out"), (7, "in"), (20, "out"))], times)
    grain = max(later - sooner for sooner, later in itertools.pairwise(times))
    [episode] = episodes(reports)
    assert 4.0 <= episode.opened_s <= 4.0 + 2 * grain
    assert episode.closed_s is not None
    assert 8.5 - grain <= episode.closed_s <= 8.5 + grain


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_a_jump_of_the_wall_clock_changes_no_duration(jump_s: float) -> None:
    actor = acting(1, (1, "out"), (6, "in"), (20, "out"))
    reports = replay(
        engine_of(rule(hold_to_open_s=2.0)), [actor], frame_times(10),
        wall_jump_s=lambda at_s: jump_s if at_s > 2 else 0.0,
    )  # fmt: skip
    assert episodes(reports) == [Episode("person-1", 3.0, 6.9, "cleared")]


def test_reports_of_an_open_violation_come_once_a_second() -> None:
    reports = replay(engine_of(rule()), [acting(1, (3.55, "in"), (9, "out"))], frame_times(8))
    assert [(r.phase, r.revision, round(seconds(r.captured_at), 3)) for r in reports] == [
        (Phase.OPENED, 0, 0.0),
        (Phase.UPDATED, 1, 1.0),
        (Phase.UPDATED, 2, 2.0),
        (Phase.UPDATED, 3, 3.0),
        (Phase.UPDATED, 4, 4.0),
        (Phase.CLOSED, 5, 4.5),
    ]
    assert {r.id for r in reports} == {"v1"}
    assert [r.details["inside_s"] for r in reports] == pytest.approx([0, 1, 2, 3, 3.5, 3.5])


def test_what_an_opened_violation_says() -> None:
    [opened] = replay(engine_of(rule()), [acting(4, (9, "in"))], [0.0])
    assert (opened.rule_id, opened.rule_kind, opened.zone_id) == ("keep-out", "intrusion", "press")
    assert (opened.camera_id, opened.subject, opened.severity) == ("cam", "person-4", "danger")
    assert opened.box == pytest.approx((0.45, 0.2, 0.55, 0.5))
    assert opened.details == {
        "inside_s": 0.0, "seen_as": "person-4", "points": ["left_ankle", "right_ankle"],
    }  # fmt: skip


def test_the_box_is_none_while_the_subject_is_not_seen() -> None:
    times = frame_times(5)
    actor = acting(1, (0.95, "in"), (9, "gone"))
    reports = replay(engine_of(rule(hold_to_close_s=3.0)), [actor], times)
    assert [(r.phase, r.box is None) for r in reports] == [
        (Phase.OPENED, False),
        (Phase.UPDATED, True),
        (Phase.UPDATED, True),
        (Phase.UPDATED, True),
        (Phase.CLOSED, True),
    ]


class TestContinuity:
    """One person, several track ids: one violation. Two persons: two."""

    def test_a_new_track_at_the_same_place_goes_on_with_the_violation(self) -> None:
        first = acting(1, (3, "in"))
        second = acting(2, (3.5, "gone"), (6, "in"), (9, "out"), born_s=3.5)
        reports = replay(engine_of(rule()), [first, second], frame_times(8.9))
        assert episodes(reports) == [Episode("person-1", 0.0, 6.9, "cleared")]
        assert reports[0].details["seen_as"] == "person-1"
        assert reports[-1].details["seen_as"] == "person-2"
        assert reports[-1].details["inside_s"] == pytest.approx(5.9)

    def test_and_so_does_a_new_track_that_comes_out(self) -> None:
        first = acting(1, (3, "in"))
        beside = Actor(track_id=2, born_s=3.5, place=lambda t: (0.5, 0.62) if t >= 3.5 else None)
        reports = replay(engine_of(rule()), [first, beside], frame_times(6))
        assert episodes(reports) == [Episode("person-1", 0.0, 3.9, "cleared")]

    def test_hold_to_open_goes_on_across_track_ids(self) -> None:
        first = acting(1, (2, "in"))
        second = acting(2, (2.5, "gone"), (9, "in"), born_s=2.5)
        reports = replay(engine_of(rule(hold_to_open_s=4.0)), [first, second], frame_times(5))
        assert episodes(reports) == [Episode("person-1", 4.0, None, None)]

    def test_three_track_ids_in_a_row(self) -> None:
        parts = [
            acting(1, (2, "in")),
            acting(2, (2.5, "gone"), (4, "in"), born_s=2.5),
            acting(3, (4.5, "gone"), (7, "in"), (9, "out"), born_s=4.5),
        ]
        reports = replay(engine_of(rule()), parts, frame_times(8.9))
        assert episodes(reports) == [Episode("person-1", 0.0, 7.9, "cleared")]

    def test_after_hold_to_close_it_is_a_new_violation(self) -> None:
        first = acting(1, (3, "in"))
        second = acting(2, (5, "gone"), (7, "in"), born_s=5)
        reports = replay(engine_of(rule()), [first, second], frame_times(6))
        assert [e.opened_s for e in episodes(reports)] == [0.0, 5.0]

    def test_two_who_were_visible_together_stay_two(self) -> None:
        """The second stood beside the first before that one was lost, then steps in."""
        first = acting(1, (3, "in"))
        beside = acting(2, (3.3, "out"), (9, "in"))
        reports = replay(engine_of(rule()), [first, beside], frame_times(6))
        assert episodes(reports) == [
            Episode("person-1", 0.0, 3.9, "track_lost"),
            Episode("person-2", 3.3, None, None),
        ]

    def test_a_track_born_before_the_other_was_lost_is_another_person(self) -> None:
        first = acting(1, (3, "in"))
        second = acting(2, (3.3, "gone"), (9, "in"), born_s=2.5)
        reports = replay(engine_of(rule()), [first, second], frame_times(6))
        assert len(episodes(reports)) == 2

    def test_far_away_it_is_another_person(self) -> None:
        wide = ZONE.model_copy(update={"polygon": ((0, 0.4), (1, 0.4), (1, 0.6), (0, 0.6))})
        far = Actor(track_id=2, born_s=3.2, place=lambda t: (0.1, 0.5) if t >= 3.2 else None)
        engine = engine_of(rule(), zones=[wide])
        reports = replay(engine, [acting(1, (3, "in")), far], frame_times(6))
        assert [e.subject for e in episodes(reports)] == ["person-1", "person-2"]

    def test_two_lost_two_found_pair_up_with_the_nearest(self) -> None:
        def at(x: float, start: float, end: float, track_id: int) -> Actor:
            return Actor(
                track_id=track_id,
                born_s=start,
                place=lambda t: (x, 0.5) if start <= t < end else None,
            )

        actors = [at(0.45, 0, 3, 1), at(0.55, 0, 3, 2), at(0.54, 3.4, 9, 3), at(0.46, 3.4, 9, 4)]
        engine = engine_of(rule())
        replay(engine, actors, frame_times(6))
        assert {v.subject: v.details["seen_as"] for v in engine.open_violations} == {
            "person-1": "person-4",
            "person-2": "person-3",
        }

    def test_the_old_track_id_coming_back_is_another_person(self) -> None:
        """Both are visible now, so they cannot be one."""
        first = acting(1, (2, "in"), (4, "gone"), (9, "in"))
        second = acting(2, (2.5, "gone"), (9, "in"), born_s=2.5)
        engine = engine_of(rule())
        replay(engine, [first, second], frame_times(6))
        assert len(engine.open_violations) == 2
