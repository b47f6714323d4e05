"""The tracker: who is who, whatever happens to frames, scores and boxes."""

import gc
import itertools
import tracemalloc
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety.clock import Instant
from safety.perception.tracking import (
    FORGET_AFTER_S,
    LEAST_SCORE,
    NEW_TRACK_SCORE,
    SHOWN_SCORE,
    SURE_SCORE,
    Tracker,
    create_tracker,
)
from safety.types import Detections, TrackedPerson
from tests.support.observations import frame_times

Figure = tuple[float, float, float]
"""x and y of the box's centre, detection score."""

Walk = Callable[[float], Figure | None]
"""Seconds → how the network finds this person, None if it does not."""

HEIGHT = 0.3


def detections(figures: Iterable[Figure], *, class_index: int = 0) -> Detections:
    """What a network finds of upright people."""
    found = sorted(figures, key=lambda figure: -figure[2])
    count = len(found)
    boxes = np.array(
        [(x - HEIGHT / 6, y - HEIGHT / 2, x + HEIGHT / 6, y + HEIGHT / 2) for x, y, _ in found],
        np.float32,
    ).reshape(count, 4)
    keypoints = np.zeros((count, 17, 3), np.float32)
    if count:
        keypoints[:, :, 0] = boxes[:, None, [0, 2]].mean(axis=2)
        keypoints[:, :, 1] = np.linspace(boxes[:, 1], boxes[:, 3], 17).T
        keypoints[:, :, 2] = 0.9
    return Detections(
        boxes=boxes,
        scores=np.array([score for *_, score in found], np.float32),
        classes=np.full(count, class_index, np.int64),
        keypoints=keypoints,
    )


def at(seconds: float, *, wall_jump_s: float = 0.0) -> Instant:
    return Instant(wall=1_767_600_000.0 + seconds + wall_jump_s, monotonic=1_000.0 + seconds)


def follow(
    walks: list[Walk], times: Iterable[float], tracker: Tracker | None = None
) -> list[tuple[TrackedPerson, ...]]:
    """What the tracker says, frame by frame."""
    tracker = tracker or create_tracker()
    return [
        tracker.update(
            detections(figure for walk in walks if (figure := walk(t)) is not None), at(t)
        )
        for t in times
    ]


def identities(seen: list[tuple[TrackedPerson, ...]]) -> set[int]:
    return {person.track_id for frame in seen for person in frame}


def across(t: float) -> Figure:
    """A body height per second from left to right: a brisk walk."""
    return (0.1 + 0.16 * t, 0.5, 0.8)


def back(t: float) -> Figure:
    """The same from right to left, a little farther away."""
    return (0.9 - 0.16 * t, 0.42, 0.8)


@pytest.mark.parametrize(("fps", "loss"), [(25, 0), (10, 0), (5, 0), (3, 0), (10, 0.3), (5, 0.3)])
def test_a_walker_keeps_one_identity_at_any_rate(fps: float, loss: float) -> None:
    assert identities(follow([across], frame_times(5, fps=fps, loss=loss))) == {1}


@pytest.mark.parametrize(("fps", "loss"), [(25, 0), (10, 0), (5, 0), (3, 0), (10, 0.3)])
def test_two_who_cross_keep_theirs(fps: float, loss: float) -> None:
    seen = follow([across, back], frame_times(5, fps=fps, loss=loss, seed=3))
    assert identities(seen) == {1, 2}
    first = {p.track_id: float(p.box[0]) for p in seen[0]}
    last = {p.track_id: float(p.box[0]) for p in seen[-1]}
    assert (first[1] < first[2]) != (last[1] < last[2])


def test_what_is_reported_is_what_was_detected() -> None:
    found = detections([(0.3, 0.5, 0.9), (0.7, 0.5, 0.6)])
    seen = create_tracker().update(found, at(0))
    for row, person in enumerate(seen):
        assert (person.box == found.boxes[row]).all()
        assert (person.keypoints == found.keypoints[row]).all()
        assert person.score == pytest.approx(found.scores[row])
        assert person.age_s == 0.0
    assert [p.track_id for p in seen] == [1, 2]


def test_age_is_the_time_since_first_seen() -> None:
    seen = follow([across], [0.0, 0.4, 1.1])
    assert [round(p.age_s, 3) for frame in seen for p in frame] == [0.0, 0.4, 1.1]


@pytest.mark.parametrize(
    ("hidden_s", "same"),
    [(0.5, True), (FORGET_AFTER_S - 0.2, True), (FORGET_AFTER_S + 0.2, False), (60.0, False)],
)
def test_hidden_and_back_where_he_stood(hidden_s: float, same: bool) -> None:
    def hides(t: float) -> Figure | None:
        return None if 2.0 < t < 2.0 + hidden_s else (0.5, 0.5, 0.8)

    times = [*frame_times(2), 2.0 + hidden_s, 2.1 + hidden_s]
    assert identities(follow([hides], times)) == ({1} if same else {1, 2})


def test_a_stalled_stream_is_not_a_burst_of_speed() -> None:
    """After 1.5 s without any frame the walker is 1.5 body heights further."""
    times = [*frame_times(2), *(3.5 + t for t in frame_times(1))]
    assert identities(follow([across], times)) == {1}


def test_a_jump_of_the_wall_clock_changes_nothing() -> None:
    def run(jump_s: float) -> list[tuple[TrackedPerson, ...]]:
        tracker = create_tracker()
        return [
            tracker.update(detections([across(t)]), at(t, wall_jump_s=jump_s if t > 1 else 0.0))
            for t in frame_times(3)
        ]

    for jump_s in (3600.0, -3600.0):
        assert [[(p.track_id, p.age_s) for p in frame] for frame in run(jump_s)] == [
            [(p.track_id, p.age_s) for p in frame] for frame in run(0.0)
        ]


class TestScores:
    """Sure, doubtful and hopeless detections."""

    def test_a_sure_detection_counts_at_once(self) -> None:
        assert len(create_tracker().update(detections([(0.5, 0.5, SURE_SCORE)]), at(0))) == 1

    def test_a_doubtful_one_must_be_seen_again(self) -> None:
        seen = follow([lambda _: (0.5, 0.5, SHOWN_SCORE + 0.01)], [0.0, 0.1, 0.2])
        assert [len(frame) for frame in seen] == [0, 1, 1]
        assert seen[1][0].age_s == pytest.approx(0.1)

    @pytest.mark.parametrize(("strongest", "shown"), [(0.45, False), (SURE_SCORE, True)])
    def test_a_thing_that_hardly_looks_like_a_person_is_nobody(
        self, strongest: float, shown: bool
    ) -> None:
        """The network sees somebody in a coat on a peg: again and again, hardly ever surely."""
        scores = itertools.cycle([strongest, 0.15, 0.2, 0.15])
        seen = follow([lambda _: (0.5, 0.5, next(scores))], frame_times(6))
        assert bool(seen[-1]) is shown

    def test_a_flicker_is_nobody(self) -> None:
        seen = follow([lambda t: (0.5, 0.5, 0.4) if t % 3 == 0 else None], frame_times(9, fps=1))
        assert identities(seen) == set()

    def test_a_weak_detection_continues_a_track_but_begins_none(self) -> None:
        weak = (LEAST_SCORE + NEW_TRACK_SCORE) / 2
        assert identities(follow([lambda _: (0.5, 0.5, weak)], frame_times(3))) == set()
        seen = follow([lambda t: (0.5, 0.5, 0.8 if t < 1 else weak)], frame_times(3))
        assert identities(seen) == {1}
        assert all(len(frame) == 1 for frame in seen)

    def test_a_hopeless_detection_is_ignored(self) -> None:
        hopeless = LEAST_SCORE / 2
        seen = follow([lambda t: (0.5, 0.5, 0.8 if t < 1 else hopeless)], frame_times(3))
        assert [len(frame) for frame in seen[-5:]] == [0] * 5

    @pytest.mark.parametrize("from_s", [0.0, 1.0])
    def test_a_double_of_somebody_is_nobody(self, from_s: float) -> None:
        def double(t: float) -> Figure | None:
            return (0.51, 0.5, 0.6) if t >= from_s else None

        seen = follow([lambda _: (0.5, 0.5, 0.9), double], frame_times(3))
        assert identities(seen) == {1}

    def test_other_classes_are_not_persons(self) -> None:
        tracker = create_tracker()
        forklift = detections([(0.5, 0.5, 0.9)], class_index=1)
        assert tracker.update(forklift, at(0)) == ()
        assert tracker.update(forklift, at(0.1)) == ()


def test_the_pose_tells_two_overlapping_people_apart() -> None:
    """Both boxes become one size and place; one stands, the other bends over."""

    def frame(first: float, second: float) -> Detections:
        found = detections([(first, 0.5, 0.8), (second, 0.5, 0.8)])
        found.keypoints[1, :11, 1] += 0.12
        return found

    tracker = create_tracker()
    for step in range(10):
        tracker.update(frame(0.40 + 0.005 * step, 0.60 - 0.005 * step), at(step * 0.1))
    overlapping = frame(0.46, 0.47)
    swapped = Detections(
        boxes=overlapping.boxes[::-1].copy(),
        scores=overlapping.scores,
        classes=overlapping.classes,
        keypoints=overlapping.keypoints[::-1].copy(),
    )
    for step, found in enumerate([overlapping, swapped]):
        seen = tracker.update(found, at(1.0 + step * 0.1))
        bent = {p.track_id: bool(p.keypoints[5, 1] > p.box[1] + 0.15) for p in seen}
        assert bent == {1: False, 2: True}


@given(
    st.lists(
        st.lists(
            st.tuples(st.floats(0.1, 0.9), st.floats(0.2, 0.8), st.floats(0.0, 1.0)), max_size=6
        ),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([0.04, 0.1, 0.33, 1.5]),
)
@settings(max_examples=100)
def test_identities_are_unique_and_never_used_again(
    frames: list[list[Figure]], interval: float
) -> None:
    tracker = create_tracker()
    last_seen: dict[int, float] = {}
    for number, figures in enumerate(frames):
        now = number * interval
        found = detections(figures)
        seen = tracker.update(found, at(now))
        ids = [p.track_id for p in seen]
        assert len(set(ids)) == len(ids) <= len(found)
        for person in seen:
            gap = now - last_seen.get(person.track_id, now)
            assert gap <= FORGET_AFTER_S + 1e-6
            assert 0 <= person.age_s <= now + 1e-6
            last_seen[person.track_id] = now


def test_forgets_people_who_are_gone() -> None:
    """A camera runs for months; what the tracker keeps must not grow with who passed by."""
    tracker = create_tracker()

    def passers_by(first: int, last: int) -> None:
        for number in range(first, last):
            for part in range(3):
                tracker.update(detections([(0.5, 0.5, 0.9)]), at(number * 5 + part * 0.1))

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
    assert tracker.update(detections([(0.5, 0.5, 0.9)]), at(10_000))[0].track_id == 701


@pytest.mark.parametrize("aspect", [16 / 9, 4 / 3, 9 / 16])
def test_any_shape_of_picture(aspect: float) -> None:
    tracker = create_tracker(aspect)
    assert identities(follow([across, back], frame_times(5), tracker)) == {1, 2}
