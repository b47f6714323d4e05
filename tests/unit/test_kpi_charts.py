"""Control charts against worked examples."""

import pytest

from safety.kpi.charts import (
    cusum_downward,
    cusum_limit,
    cusum_reference,
    cusum_run_length,
    cusum_upward,
    gap_chart,
    rate_chart,
)
from safety.kpi.errors import KpiError

CASES = [4, 2, 5, 3, 1, 6, 2, 3, 4, 2, 12, 1]
HOURS = [2, 2.1, 1.9, 2, 1.8, 2.2, 2, 2.1, 2, 1.9, 2, 1.7]
GAPS = [12, 30, 7, 45, 22, 18, 60, 9, 27, 33]


def test_one_month_of_twelve_stands_out() -> None:
    chart = rate_chart(CASES, HOURS)
    assert chart.centre == pytest.approx(1.8987, abs=5e-5)
    assert chart.points[10].upper == pytest.approx(4.8218, abs=5e-5)
    assert [number for number, point in enumerate(chart.points, 1) if point.signal] == [11]


def test_a_month_without_coverage_is_no_month_without_cases() -> None:
    chart = rate_chart([2, 0, 2], [1, 0, 1])
    assert chart.centre == 2
    assert chart.points[1].value is None
    assert not chart.points[1].signal


def test_days_between_accidents() -> None:
    chart = gap_chart(GAPS)
    assert chart.mean == pytest.approx(26.3)
    assert chart.g_limit == pytest.approx(106.7, abs=0.05)
    assert chart.g_probability_limit == pytest.approx(177, abs=0.5)
    assert chart.t_limit == pytest.approx(178.2, abs=0.05)
    assert gap_chart([10]).t_limit is None


def test_accidents_of_one_day_have_a_chart() -> None:
    chart = gap_chart([0.0, 0.0])
    assert (chart.mean, chart.g_limit, chart.g_probability_limit, chart.t_limit) == (0, 0, 0, 0)


def test_a_cusum_finds_a_slow_rise() -> None:
    assert cusum_reference(4, 3.2) == pytest.approx(3.585, abs=5e-4)
    reference = cusum_reference(4, 6)
    assert reference == pytest.approx(4.9326, abs=5e-5)
    sums = cusum_upward([4, 3, 5, 6, 8, 7, 9], reference=reference)
    assert sums == pytest.approx((0, 0, 0.0674, 1.1348, 4.2022, 6.2696, 10.337), abs=5e-4)
    assert cusum_downward([2, 1, 9], reference=3.5) == pytest.approx((1.5, 4.0, 0.0))


@pytest.mark.parametrize(
    ("call", "key"),
    [
        pytest.param(lambda: rate_chart([1], [1, 2]), "kpi.series", id="series that do not fit"),
        pytest.param(lambda: rate_chart([0], [0]), "kpi.no_exposure", id="never watched"),
        pytest.param(lambda: rate_chart([], []), "kpi.no_exposure", id="no months"),
        pytest.param(lambda: gap_chart([]), "kpi.no_gaps", id="no gap"),
        pytest.param(lambda: gap_chart([-1]), "kpi.exposure", id="negative days"),
        pytest.param(lambda: cusum_reference(4, 4), "kpi.cusum", id="no change to find"),
        pytest.param(lambda: cusum_reference(0, 4), "kpi.cusum", id="mean of zero"),
    ],
)
def test_what_cannot_be_drawn_says_why(call: object, key: str) -> None:
    with pytest.raises(KpiError) as caught:
        call()  # type: ignore[operator]
    assert caught.value.key == key


@pytest.mark.parametrize(("mean", "months"), [(4, 421.7), (6, 9.73)])
def test_how_long_a_cusum_runs(mean: float, months: float) -> None:
    assert cusum_run_length(mean, reference=5, limit=10) == pytest.approx(months, rel=2e-3)


def test_the_limit_is_the_lowest_that_keeps_false_signals_rare() -> None:
    limit = cusum_limit(1.0, reference=1.4427, false_every=120)
    assert cusum_run_length(1.0, reference=1.4427, limit=limit) >= 120
    assert cusum_run_length(1.0, reference=1.4427, limit=limit - 0.5) < 120
