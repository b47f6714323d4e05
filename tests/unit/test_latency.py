"""What the shard knows of its own latency."""

import pytest

from cameras.latency import LEAST_FRAMES, Latency
from safety.clock import Instant


def at(seconds: float) -> Instant:
    return Instant(wall=seconds, monotonic=1000 + seconds)


def after(latencies: list[float]) -> float | None:
    known = Latency()
    for number, seconds in enumerate(latencies):
        known.add(at(number / 10), at(number / 10 + seconds))
    return known.p99_s


def test_few_frames_tell_nothing() -> None:
    assert after([0.1] * (LEAST_FRAMES - 1)) is None


def test_the_slowest_hundredth_counts() -> None:
    assert after([0.05] * 300) == pytest.approx(0.05)
    assert after([0.05] * 290 + [0.4] * 10) == pytest.approx(0.4, abs=0.01)


def test_it_forgets() -> None:
    assert after([0.9] * 100 + [0.05] * 600) == pytest.approx(0.05)


def test_a_clock_that_seems_to_run_backwards_is_no_gain() -> None:
    assert after([-5.0] * 100) == 0.0
