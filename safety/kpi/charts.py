"""Control charts: which months differ by more than chance.

u-chart: ū ± 3 √(ū / nᵢ) (Shewhart). g and t: days between rare events (Benneyan 2001; Nelson
1994). CUSUM of Poisson counts: Lucas, "Counted data CUSUM's", Technometrics 1985.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from safety.kpi.errors import KpiError, checked_count, checked_exposure

_TAIL = 0.00135
"""Chance of a point beyond three standard deviations on one side."""

_MOVING_RANGE = 2.66
"""3 / d2 for moving ranges of two."""

_HIGHEST = 40.0
"""A CUSUM limit in cases beyond which no monthly chart of one plant goes."""

_NELSON = 3.6
"""Waiting times to the power of 1 / 3.6 are nearly normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One month of a u-chart; None without exposure: nothing was counted, not zero."""

    value: float | None
    lower: float | None
    upper: float | None

    @property
    def signal(self) -> bool:
        """Whether it lies outside its limits."""
        if self.value is None or self.lower is None or self.upper is None:
            return False
        return not self.lower <= self.value <= self.upper


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChart:
    """A u-chart: cases per unit of exposure, month by month."""

    centre: float
    points: tuple[Point, ...]


def rate_chart(cases: Sequence[int], exposure: Sequence[float]) -> RateChart:
    """A u-chart.

    Args:
        cases: Per month.
        exposure: Per month, in the unit that the chart is to speak of; 0: nothing watched.

    Raises:
        KpiError: The series differ in length, or there is no exposure in any month.
    """
    if len(cases) != len(exposure):
        raise KpiError(
            "kpi.series",
            "{cases} months of cases and {exposure} of exposure do not fit together",
            cases=str(len(cases)),
            exposure=str(len(exposure)),
        )
    counted = [checked_count(c, "the number of cases") for c in cases]
    watched = [checked_exposure(n, "the exposure") if n else 0.0 for n in exposure]
    total = checked_exposure(sum(watched), "the exposure of all months")
    centre = sum(c for c, n in zip(counted, watched, strict=True) if n) / total
    points = tuple(_point(c, n, centre) for c, n in zip(counted, watched, strict=True))
    return RateChart(centre=centre, points=points)


def _point(cases: int, exposure: float, centre: float) -> Point:
    if not exposure:
        return Point(value=None, lower=None, upper=None)
    width = 3 * math.sqrt(centre / exposure)
    return Point(value=cases / exposure, lower=max(0.0, centre - width), upper=centre + width)


@dataclass(frozen=True, slots=True, kw_only=True)
class GapChart:
    """Days between accidents; a gap above a limit is a real improvement.

    Attributes:
        g_limit: Mean + 3 standard deviations of a geometric distribution.
        g_probability_limit: Its 99.865 % point.
        t_limit: Upper limit of Nelson's t-chart; None with fewer than two gaps.
    """

    mean: float
    g_limit: float
    g_probability_limit: float
    t_limit: float | None


def gap_chart(days: Sequence[float]) -> GapChart:
    """Limits for the days between rare events.

    Raises:
        KpiError: There is no gap yet, or a negative one.
    """
    if not days:
        raise KpiError("kpi.no_gaps", "two accidents are needed for the days between them")
    gaps = np.array([checked_exposure(d, "the days between accidents") if d else 0.0 for d in days])
    mean = float(gaps.mean())
    transformed = gaps ** (1 / _NELSON)
    ranges = np.abs(np.diff(transformed))
    return GapChart(
        mean=mean,
        g_limit=mean + 3 * math.sqrt(mean * (mean + 1)),
        # All on one day: the limit goes to 0 with the mean.
        g_probability_limit=math.log(_TAIL) / math.log1p(-1 / (mean + 1)) if mean else 0.0,
        t_limit=float((transformed.mean() + _MOVING_RANGE * ranges.mean()) ** _NELSON)
        if len(ranges)
        else None,
    )


def cusum_reference(from_rate: float, to_rate: float) -> float:
    """``k`` of the Poisson CUSUM that finds a change between two means fastest.

    Raises:
        KpiError: A mean is not positive, or both are the same.
    """
    if from_rate <= 0 or to_rate <= 0 or from_rate == to_rate:
        raise KpiError("kpi.cusum", "a CUSUM needs two different means above 0")
    return (to_rate - from_rate) / math.log(to_rate / from_rate)


def cusum_upward(counts: Sequence[int], *, reference: float) -> tuple[float, ...]:
    """The sum that grows while counts lie above ``reference``; a signal reaches a limit ``h``."""
    sums: list[float] = []
    level = 0.0
    for count in counts:
        level = max(0.0, level + checked_count(count, "the number of cases") - reference)
        sums.append(level)
    return tuple(sums)


def cusum_downward(counts: Sequence[int], *, reference: float) -> tuple[float, ...]:
    """The sum that grows while counts lie below ``reference``."""
    sums: list[float] = []
    level = 0.0
    for count in counts:
        level = max(0.0, level + reference - checked_count(count, "the number of cases"))
        sums.append(level)
    return tuple(sums)


def cusum_run_length(mean: float, *, reference: float, limit: float) -> float:
    """Months on average until a CUSUM signals, if counts have this mean.

    A Markov chain over the sum's values (Brook and Evans, Biometrika 1972); the sum is looked
    at in steps of a twentieth of a case.
    """
    step = 0.05
    states = np.arange(0, round(limit / step)) * step
    counts = np.arange(0, int(stats.poisson.isf(1e-12, mean)) + 2)
    reached = np.maximum(states[:, None] + counts[None, :] - reference, 0.0)
    target = np.round(reached / step).astype(int)
    stays = target < len(states)
    chances = np.broadcast_to(stats.poisson.pmf(counts, mean), target.shape)
    transition = np.zeros((len(states), len(states)))
    rows = np.broadcast_to(np.arange(len(states))[:, None], target.shape)
    np.add.at(transition, (rows[stays], target[stays]), chances[stays])
    lengths = np.linalg.solve(np.eye(len(states)) - transition, np.ones(len(states)))
    return float(lengths[0])


def cusum_limit(mean: float, *, reference: float, false_every: float) -> float:
    """The lowest limit, in half cases, at which chance alone signals no oftener than that.

    Args:
        mean: Cases per month without a change.
        reference: As from ``cusum_reference``.
        false_every: Months.
    """
    limit = 1.0
    while limit < _HIGHEST and (
        cusum_run_length(mean, reference=reference, limit=limit) < false_every
    ):
        limit += 0.5
    return limit
