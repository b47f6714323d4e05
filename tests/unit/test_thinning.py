"""Cameras are analysed as often as wanted, and not all at the same moment."""

from itertools import pairwise

import pytest

from cameras.thinning import Thinning
from safety.clock import Instant

SECONDS = 20


def chosen(camera_id: str, *, sent_fps: float, max_fps: float) -> list[float]:
    """Moments of the pictures that are wanted, of those that a camera sends from 1000 s on."""
    thinning = Thinning(camera_id, max_fps)
    moments = [1000 + number / sent_fps for number in range(round(SECONDS * sent_fps))]
    return [m for m in moments if thinning.wants(Instant(wall=0.0, monotonic=m))]


@pytest.mark.parametrize("camera_id", ["camera-0", "gate", "로봇", "z"])
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
    camera_id: str, sent_fps: float, max_fps: float, expected: float
) -> None:
    moments = chosen(camera_id, sent_fps=sent_fps, max_fps=max_fps)
    assert len(moments) / SECONDS == pytest.approx(expected, abs=2.5 / SECONDS)


def test_the_first_picture_is_wanted_at_once() -> None:
    assert chosen("camera-0", sent_fps=15, max_fps=1)[0] == 1000


def test_pictures_that_are_wanted_are_spread_evenly() -> None:
    moments = chosen("camera-0", sent_fps=15, max_fps=5)[2:]
    gaps = [after - before for before, after in pairwise(moments)]
    assert min(gaps) == pytest.approx(0.2)
    assert max(gaps) == pytest.approx(0.2)


def test_cameras_that_began_together_are_out_of_step() -> None:
    last = {chosen(f"camera-{n}", sent_fps=15, max_fps=5)[-1] for n in range(8)}
    assert len(last) == 3, "a third of the pictures is wanted: there are three ways to choose"


def test_pictures_that_come_a_little_early_or_late_are_wanted_too() -> None:
    thinning = Thinning("camera-0", 15)
    jitter = [0.0, 0.012, -0.012, 0.005, -0.008]
    moments = [1000 + number / 15 + jitter[number % 5] for number in range(150)]
    wanted = [m for m in moments if thinning.wants(Instant(wall=0.0, monotonic=m))]
    assert len(wanted) >= 149


def test_a_camera_that_was_away_does_not_catch_up() -> None:
    thinning = Thinning("camera-0", 10)
    moments = [1000 + 0.02 * number for number in range(100)]
    moments += [1060 + 0.02 * number for number in range(50)]
    wanted = [m for m in moments if thinning.wants(Instant(wall=0.0, monotonic=m))]
    assert sum(m >= 1060 for m in wanted) == pytest.approx(10, abs=1)
