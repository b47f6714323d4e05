"""Cameras are analysed as often as wanted, and not all at the same moment."""

from itertools import pairwise

import pytest

from cameras.thinning import Thinning, first_free, phase_of
from safety.clock import Instant

SECONDS = 20


def chosen(
    number: int = 0, *, sent_fps: float, max_fps: float, begins: float = 1000.0
) -> list[float]:
    """Moments of the pictures that are wanted, of those that a camera sends."""
    thinning = Thinning(max_fps, phase=phase_of(number))
    moments = [begins + each / sent_fps for each in range(round(SECONDS * sent_fps))]
    return [m for m in moments if thinning.wants(Instant(wall=0.0, monotonic=m))]


@pytest.mark.parametrize("number", [0, 1, 2, 13])
@pytest.mark.parametrize(
    ("sent_fps", "max_fps", "expected"),
    [
        (15, 15, 15),
        (15, 60, 15),
        (9.5, 10, 9.5),
        (15, 10, 10),
        (15, 5.13, 5.13),
        (25, 10, 10),
        (30, 1, 1),
    ],
)
def test_the_rate_holds_on_average(
    number: int, sent_fps: float, max_fps: float, expected: float
) -> None:
    moments = chosen(number, sent_fps=sent_fps, max_fps=max_fps)
    assert len(moments) / SECONDS == pytest.approx(expected, abs=2.5 / SECONDS)


def test_the_first_picture_is_wanted_at_once() -> None:
    assert chosen(sent_fps=15, max_fps=1)[0] == 1000


def test_pictures_that_are_wanted_are_spread_evenly() -> None:
    moments = chosen(sent_fps=15, max_fps=5)[2:]
    gaps = [after - before for before, after in pairwise(moments)]
    assert min(gaps) == pytest.approx(0.2)
    assert max(gaps) == pytest.approx(0.2)


@pytest.mark.parametrize("cameras", [2, 4, 8])
def test_cameras_of_one_rate_take_turns_whenever_they_began(cameras: int) -> None:
    """At 60 sent and 5 wanted per second, no two are due within what a picture takes."""
    moments = [
        chosen(number, sent_fps=60, max_fps=5, begins=1000 + 0.0137 * number)[50]
        for number in range(cameras)
    ]
    turns = sorted(moment % 0.2 for moment in moments)
    gaps = [(after - before) % 0.2 for before, after in pairwise([*turns, turns[0]])]
    assert min(gaps) > 0.2 / cameras - 1 / 60


def test_a_camera_that_leaves_leaves_its_turn_to_the_next() -> None:
    assert [first_free(taken) for taken in ([], [0, 1], [0, 2], [1, 2])] == [0, 2, 1, 0]
    assert [phase_of(number) for number in range(5)] == [0, 0.5, 0.25, 0.75, 0.125]


def test_pictures_that_come_a_little_early_or_late_are_wanted_too() -> None:
    thinning = Thinning(15)
    jitter = [0.0, 0.012, -0.012, 0.005, -0.008]
    moments = [1000 + number / 15 + jitter[number % 5] for number in range(150)]
    wanted = [m for m in moments if thinning.wants(Instant(wall=0.0, monotonic=m))]
    assert len(wanted) >= 149


def test_a_camera_that_was_away_does_not_catch_up() -> None:
    thinning = Thinning(10)
    moments = [1000 + 0.02 * number for number in range(100)]
    moments += [1060 + 0.02 * number for number in range(50)]
    wanted = [m for m in moments if thinning.wants(Instant(wall=0.0, monotonic=m))]
    assert sum(m >= 1060 for m in wanted) == pytest.approx(10, abs=1)
