"""Rates and their exact intervals, against worked examples."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from safety.kpi import rates
from safety.kpi.errors import KpiError
from safety.kpi.intervals import poisson_interval, share_interval


def test_a_year_of_480_000_hours() -> None:
    assert rates.frequency_rate(6, 480_000).value == pytest.approx(12.5)
    assert rates.severity_rate(150, 480_000) == pytest.approx(0.3125)
    assert rates.mean_severity(150, 6) == pytest.approx(25)
    assert rates.lost_time_frequency_rate(4, 480_000).value == pytest.approx(8.333, abs=5e-4)
    trir = rates.total_recordable_rate(9, 480_000)
    assert (trir.value, trir.lower, trir.upper) == pytest.approx((3.75, 1.715, 7.119), abs=5e-4)


def test_rates_per_head() -> None:
    assert rates.injury_rate(3, 250).value == pytest.approx(1.2)
    assert rates.fatality_rate(1, 2_500).value == pytest.approx(4.0)


def test_deaths_and_days_off_become_lost_days() -> None:
    days = rates.lost_days(days_off=90, deaths=2)
    assert rates.severity_rate(days, 1_000 * 8 * 300) == pytest.approx(6.2808, abs=5e-5)


@pytest.mark.parametrize(
    ("cases", "lower", "upper"),
    [(0, 0.0, 3.689), (3, 0.6187, 8.7673), (7, 2.8144, 14.4227)],
)
def test_poisson_intervals(cases: int, lower: float, upper: float) -> None:
    interval = poisson_interval(cases)
    assert (interval.lower, interval.upper) == pytest.approx((lower, upper), abs=5e-4)


@given(st.integers(1, 500))
def test_a_limit_of_the_interval_leaves_the_count_in_one_tail(cases: int) -> None:
    interval = poisson_interval(cases)
    assert stats.poisson.sf(cases - 1, interval.lower) == pytest.approx(0.025, rel=1e-6)
    assert stats.poisson.cdf(cases, interval.upper) == pytest.approx(0.025, rel=1e-6)


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_share_lies_in_its_interval(hits: int, misses: int) -> None:
    of = hits + misses
    interval = share_interval(hits, of)
    assert 0 <= interval.lower <= (hits / of if of else 0) <= interval.upper <= 1


def test_without_any_try_a_share_may_be_anything() -> None:
    interval = share_interval(0, 0)
    assert (interval.lower, interval.upper) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("call", "key"),
    [
        pytest.param(lambda: rates.frequency_rate(1, 0), "kpi.no_exposure", id="no hours"),
        pytest.param(lambda: rates.frequency_rate(0, 0), "kpi.no_exposure", id="no silent zero"),
        pytest.param(lambda: rates.frequency_rate(1, -8), "kpi.exposure", id="negative hours"),
        pytest.param(lambda: rates.frequency_rate(1, math.nan), "kpi.exposure", id="NaN hours"),
        pytest.param(lambda: rates.frequency_rate(1, math.inf), "kpi.exposure", id="endless"),
        pytest.param(lambda: rates.frequency_rate(-1, 8), "kpi.count", id="negative cases"),
        pytest.param(lambda: rates.severity_rate(3, 0), "kpi.no_exposure", id="days, no hours"),
        pytest.param(lambda: rates.severity_rate(-3, 8), "kpi.exposure", id="negative days"),
        pytest.param(lambda: share_interval(3, 2), "kpi.share", id="more hits than tries"),
    ],
)
def test_what_cannot_be_computed_says_why(call: object, key: str) -> None:
    with pytest.raises(KpiError) as caught:
        call()  # type: ignore[operator]
    assert caught.value.key == key


def test_no_case_is_a_rate_of_zero_with_an_upper_limit() -> None:
    none = rates.frequency_rate(0, 480_000)
    assert none.value == 0
    assert none.upper == pytest.approx(3.689 / 0.48, abs=1e-3)
    assert rates.mean_severity(0, 0) is None
