"""The interval of a share of time: days are the unit, not frames."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.kpi.clustered import LEAST_CLUSTERS, clustered_interval
from safety.kpi.errors import KpiError
from safety.kpi.intervals import share_interval

Days = list[tuple[float, float]]


@pytest.mark.parametrize(
    ("days", "stays"),
    [([], 5), ([(1, 2)] * (LEAST_CLUSTERS - 1), 50), ([(0, 0)] * 30, 5), ([(1, 2)] * 30, 0)],
)
def test_too_little_makes_no_interval(days: Days, stays: int) -> None:
    assert clustered_interval(days, stays=stays) is None


@pytest.mark.parametrize("days", [[(2.0, 1.0)] * 9, [(-1.0, 1.0)] * 9, [(float("nan"), 1.0)] * 9])
def test_what_is_no_share_is_refused(days: Days) -> None:
    with pytest.raises(KpiError):
        clustered_interval(days, stays=9)


@pytest.mark.parametrize("worn", [0.0, 1.0])
def test_days_that_are_all_alike_are_worth_one_observation_each(worn: float) -> None:
    found = clustered_interval([(worn * 3600, 3600)] * 20, stays=500)
    assert found == share_interval(int(worn * 20), 20)


def test_many_seconds_of_few_stays_are_worth_those_stays() -> None:
    found = clustered_interval([(1800 + day, 3600) for day in range(10)], stays=10)
    few = share_interval(5, 10)
    assert found is not None
    assert found.lower == pytest.approx(few.lower, abs=0.01)
    assert found.upper == pytest.approx(few.upper, abs=0.01)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e5)), max_size=31),
    st.integers(0, 10_000),
    st.floats(0.1, 1e4),
)
def test_the_interval_holds_the_share_whatever_the_unit(
    days: Days, stays: int, unit: float
) -> None:
    clusters = [(share * of, of) for share, of in days]
    found = clustered_interval(clusters, stays=stays)
    if found is None:
        return
    share = sum(hits for hits, _ in clusters) / sum(of for _, of in clusters)
    assert 0 <= found.lower <= share + 1e-9
    assert share - 1e-9 <= found.upper <= 1
    scaled = clustered_interval([(hits * unit, of * unit) for hits, of in clusters], stays=stays)
    assert scaled is not None
    assert scaled.lower == pytest.approx(found.lower, abs=1e-6)


MONTHS = 150


@pytest.mark.parametrize("days", [8, 22])
@pytest.mark.parametrize("share", [0.6, 0.9, 0.98])
def test_it_holds_the_truth_in_about_95_of_100_months_and_frames_would_not(
    days: int, share: float
) -> None:
    """Simulated: days differ, somebody without a hat is without it for the whole stay."""
    chance = np.random.default_rng(20260105)
    held = fooled = 0
    for _ in range(MONTHS):
        clusters, stays = month(chance, days, share)
        found = clustered_interval(clusters, stays=stays)
        assert found is not None
        held += found.lower <= share <= found.upper
        seconds = [round(sum(column)) for column in zip(*clusters, strict=True)]
        frames = share_interval(min(seconds), max(seconds))
        fooled += not frames.lower <= share <= frames.upper
    assert held >= 0.89 * MONTHS
    assert fooled >= 0.4 * MONTHS


def month(chance: np.random.Generator, days: int, share: float) -> tuple[Days, int]:
    """Worn and all seconds of each day, and the number of stays."""
    alike = 30.0
    clusters, stays = [], 0
    for _ in range(days):
        of_day = chance.beta(share * alike, (1 - share) * alike)
        count = 1 + chance.poisson(25 * chance.lognormal(0, 0.4))
        seconds = chance.lognormal(3.0, 1.0, count)
        worn = chance.random(count) < of_day
        clusters.append((float(seconds[worn].sum()), float(seconds.sum())))
        stays += count
    return clusters, stays
