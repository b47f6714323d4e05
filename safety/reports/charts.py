"""Control charts of a site, each with the sentence that says what it shows."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from safety.kpi.charts import (
    cusum_limit,
    cusum_reference,
    cusum_upward,
    gap_chart,
    rate_chart,
)
from safety.kpi.errors import KpiError
from safety.reports.schema import Chart, ChartPoint, Indicator, MonthRow

_LEAST_MONTHS = 3
_FALSE_EVERY = 120.0
"""A CUSUM may signal by chance once in ten years."""

_PER_HOURS = 1_000_000


def violation_chart(months: Sequence[Indicator], breaks: Sequence[str]) -> Chart:
    """u-chart of violations per 1,000 monitored camera-hours.

    Args:
        months: The indicator ``violations``, one month after the other.
        breaks: Months in which rules, cameras or networks were changed.
    """
    labels = [one.month for one in months]
    counts = [int(one.numerator) for one in months]
    hours = [one.denominator / 1_000 for one in months]
    return _rates("violations", labels, counts, hours, breaks)


def accident_chart(rows: Sequence[MonthRow]) -> Chart:
    """u-chart of accidents per million hours worked; a month without hours is left open."""
    labels = [row.month for row in rows]
    hours = [(row.hours or 0.0) / _PER_HOURS for row in rows]
    counts = [row.accidents if row.hours else 0 for row in rows]
    return _rates("accidents", labels, counts, hours, ())


def gaps(days: Sequence[date], today: date) -> Chart:
    """Days between accidents, the open stretch since the last one at the end."""
    between = [(later - earlier).days for earlier, later in pairwise(days)]
    labels = [day.isoformat() for day in days[1:]]
    try:
        limits = gap_chart([float(n) for n in between])
    except KpiError as error:
        return _empty("gaps", error)
    upper = limits.g_probability_limit
    since_last = (today - days[-1]).days
    points = [
        _point(label, n, None, upper)
        for label, n in zip([*labels, today.isoformat()], [*between, since_last], strict=True)
    ]
    return Chart(
        key="gaps",
        centre=round(limits.mean, 4),
        points=tuple(points),
        breaks=(),
        sentence="chart.gaps.longer" if since_last > upper else "chart.gaps.usual",
        params={"days": since_last, "mean": round(limits.mean, 1), "limit": round(upper, 1)},
    )


def accident_cusum(rows: Sequence[MonthRow], baseline_mean: float) -> Chart:
    """CUSUM of monthly accidents, looking for a doubling of the baseline's mean.

    Args:
        rows: Months since the programme began.
        baseline_mean: Accidents per month in the baseline.
    """
    try:
        reference = cusum_reference(baseline_mean, 2 * baseline_mean)
    except KpiError as error:
        return _empty("cusum", error)
    limit = cusum_limit(baseline_mean, reference=reference, false_every=_FALSE_EVERY)
    sums = cusum_upward([row.accidents for row in rows], reference=reference)
    points = tuple(
        ChartPoint(
            label=row.month,
            value=round(level, 4),
            lower=None,
            upper=limit,
            signal=level >= limit,
        )
        for row, level in zip(rows, sums, strict=True)
    )
    risen = next((point.label for point in points if point.signal), None)
    return Chart(
        key="cusum",
        centre=None,
        points=points,
        breaks=(),
        sentence="chart.cusum.usual" if risen is None else "chart.cusum.risen",
        params={} if risen is None else {"month": risen},
    )


def _rates(
    key: str,
    labels: Sequence[str],
    counts: Sequence[int],
    exposure: Sequence[float],
    breaks: Sequence[str],
) -> Chart:
    if sum(1 for value in exposure if value > 0) < _LEAST_MONTHS:
        return Chart(
            key=key,
            centre=None,
            points=(),
            breaks=tuple(breaks),
            sentence="chart.too_short",
            params={"months": _LEAST_MONTHS},
        )
    chart = rate_chart(counts, exposure)
    points = tuple(
        _point(label, point.value, point.lower, point.upper)
        for label, point in zip(labels, chart.points, strict=True)
    )
    signals = [point.label for point in points if point.signal]
    return Chart(
        key=key,
        centre=round(chart.centre, 4),
        points=points,
        breaks=tuple(breaks),
        sentence=f"chart.{key}.signal" if signals else f"chart.{key}.usual",
        params={"months": ", ".join(signals)} if signals else {},
    )


def _point(label: str, value: float | None, lower: float | None, upper: float | None) -> ChartPoint:
    outside = value is not None and (
        (lower is not None and value < lower) or (upper is not None and value > upper)
    )
    return ChartPoint(
        label=label,
        value=None if value is None else round(value, 4),
        lower=None if lower is None else round(lower, 4),
        upper=None if upper is None else round(upper, 4),
        signal=outside,
    )


def _empty(key: str, error: KpiError) -> Chart:
    return Chart(key=key, centre=None, points=(), breaks=(), sentence=error.key, params={})
