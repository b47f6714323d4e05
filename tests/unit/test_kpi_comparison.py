"""Before against after: exact limits, power, chance, and the sentence that follows."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from safety.kpi.comparison import Period, rate_ratio
from safety.kpi.errors import KpiError
from safety.kpi.power import (
    cases_needed,
    chance_of_apparent_drop,
    expected_without_change,
    power,
)
from safety.kpi.verdict import Verdict, judge


def period(cases: int, exposure: float = 1e6) -> Period:
    return Period(cases=cases, exposure=exposure)


@pytest.mark.parametrize(
    ("after", "before", "ratio", "lower", "upper", "p"),
    [
        ((16, 400e3), (24, 400e3), 0.6667, 0.3309, 1.3080, 0.2682),
        ((40, 1e6), (50, 1e6), 0.8000, 0.5143, 1.2372, 0.3428),
        ((5, 182e3), (9, 190e3), 0.5800, 0.1527, 1.9271, 0.4255),
        ((11, 210e3), (18, 195e3), 0.5675, 0.2422, 1.2687, 0.1415),
        ((160, 4e6), (200, 4e6), 0.8000, 0.6457, 0.9898, 0.0397),
        ((0, 100e3), (4, 100e3), 0.0, 0.0, 1.5149, 0.1250),
    ],
)
def test_rate_ratios(
    after: tuple[int, float],
    before: tuple[int, float],
    ratio: float,
    lower: float,
    upper: float,
    p: float,
) -> None:
    found = rate_ratio(period(*before), period(*after))
    assert (found.value, found.lower, found.upper, found.p_changed) == pytest.approx(
        (ratio, lower, upper, p), abs=1e-4
    )


def test_at_least_a_fifth_lower_is_another_question_than_lower() -> None:
    assert rate_ratio(period(200), period(120)).p_target == pytest.approx(0.0070, abs=1e-4)
    assert rate_ratio(period(200), period(160)).p_target > 0.5


EXPOSURE = st.floats(1e4, 1e6)


@given(st.integers(1, 300), st.integers(1, 300), EXPOSURE, EXPOSURE)
def test_each_limit_leaves_the_counts_in_one_tail(c0: int, c1: int, t0: float, t1: float) -> None:
    found = rate_ratio(period(c0, t0), period(c1, t1))

    def share(ratio: float) -> float:
        return t1 * ratio / (t1 * ratio + t0)

    assert stats.binom.sf(c1 - 1, c0 + c1, share(found.lower)) == pytest.approx(0.025, rel=1e-4)
    assert stats.binom.cdf(c1, c0 + c1, share(found.upper)) == pytest.approx(0.025, rel=1e-4)
    assert found.lower <= found.value <= found.upper


@given(st.integers(0, 300), st.integers(0, 300))
def test_exchanging_before_and_after_inverts_the_ratio(c0: int, c1: int) -> None:
    assume(c0 + c1 > 0)
    there, back = rate_ratio(period(c0), period(c1)), rate_ratio(period(c1), period(c0))
    assert there.p_changed == pytest.approx(back.p_changed)
    assert there.lower == pytest.approx(1 / back.upper if back.upper else math.inf)


def test_what_a_number_of_accidents_can_show() -> None:
    assert [round(power(n), 2) for n in (12, 50, 100, 200)] == [0.05, 0.16, 0.29, 0.54]
    assert cases_needed() == 363


@pytest.mark.parametrize(
    ("mean", "chance"), [(5, 0.385), (10, 0.322), (20, 0.249), (50, 0.137), (100, 0.059)]
)
def test_chance_alone_shows_drops(mean: float, chance: float) -> None:
    assert chance_of_apparent_drop(mean) == pytest.approx(chance, abs=6e-4)


def test_a_bad_year_falls_back_by_itself() -> None:
    assert expected_without_change(12, peer_mean=5, peer_variance=10) == pytest.approx(8.5)
    assert expected_without_change(12, peer_mean=5, peer_variance=4) == 5


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        pytest.param(0, 0, Verdict.NOT_ENOUGH, id="nothing ever happened"),
        pytest.param(6, 3, Verdict.NOT_ENOUGH, id="halved, and it says nothing"),
        pytest.param(0, 2, Verdict.NOT_ENOUGH, id="none before"),
        pytest.param(100, 95, Verdict.NO_CHANGE, id="about the same"),
        pytest.param(200, 160, Verdict.LOWER, id="a fifth lower, but less is possible"),
        pytest.param(200, 120, Verdict.SHOWN, id="far lower"),
        pytest.param(100, 160, Verdict.HIGHER, id="more accidents are not called no change"),
    ],
)
def test_the_sentence(before: int, after: int, verdict: Verdict) -> None:
    assert judge(period(before), period(after)).verdict is verdict


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        pytest.param(period(3, 0), period(2), "kpi.no_exposure", id="no hours before"),
        pytest.param(period(3), period(2, 0), "kpi.no_exposure", id="no hours after"),
        pytest.param(period(-3), period(2), "kpi.count", id="negative"),
    ],
)
def test_periods_that_cannot_be_compared(before: Period, after: Period, key: str) -> None:
    with pytest.raises(KpiError) as caught:
        judge(before, after)
    assert caught.value.key == key


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 60), st.integers(0, 60), EXPOSURE, EXPOSURE)
def test_no_judgement_holds_a_number_that_is_none(c0: int, c1: int, t0: float, t1: float) -> None:
    found = judge(period(c0, t0), period(c1, t1))
    assert 0 <= found.power <= 1
    assert 0 <= found.apparent_drop <= 1
    if found.ratio is not None:
        assert not math.isnan(found.ratio.value)
        assert 0 <= found.ratio.p_changed <= 1
