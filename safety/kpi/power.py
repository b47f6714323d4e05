"""What a number of accidents can prove, and what chance does without any change."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from safety.kpi.comparison import TARGET
from safety.kpi.errors import KpiError

ALPHA = 0.05
WANTED = 0.8
_MOST = 100_000
_EXACT = 2_000
"""Cases up to which every outcome is enumerated."""


def power(
    expected_before: float, *, reduction: float = TARGET, exposure_ratio: float = 1.0
) -> float:
    """How likely an exact two-sided test shows a change if the true rate fell by ``reduction``.

    Args:
        expected_before: Cases expected before.
        exposure_ratio: Exposure after / before.
    """
    if expected_before <= 0:
        return 0.0
    after = expected_before * (1 - reduction) * exposure_ratio
    total = expected_before + after
    if total > _EXACT:
        # So many cases that the ratio's logarithm is normal; enumerating them takes minutes.
        error = np.sqrt(1 / expected_before + 1 / after)
        limit = stats.norm.isf(ALPHA / 2)
        return float(stats.norm.cdf(abs(np.log1p(-reduction)) / error - limit))
    spread = 6 * np.sqrt(total) + 10
    totals = np.arange(max(0, int(total - spread)), int(total + spread) + 1)
    null = exposure_ratio / (1 + exposure_ratio)
    true = after / total
    return float(
        sum(
            weight * _rejected(int(n), null, true)
            for n, weight in zip(totals, stats.poisson.pmf(totals, total), strict=True)
        )
    )


@cache
def cases_needed(*, reduction: float = TARGET, wanted: float = WANTED) -> int:
    """Cases before that an exact two-sided test needs, with as much exposure after.

    Raises:
        KpiError: No reduction, or one so small that no plant could show it.
    """
    low, high = 1, 1
    while 0 < reduction < 1 and high < _MOST and power(high, reduction=reduction) < wanted:
        low, high = high, high * 2
    if not 0 < reduction < 1 or high >= _MOST:
        raise KpiError(
            "kpi.reduction",
            "a reduction by {share} cannot be shown; give a share between 0.01 and 0.99",
            share=str(reduction),
        )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if power(middle, reduction=reduction) >= wanted else (middle, high)
        )
    return high


def chance_of_apparent_drop(expected: float, *, reduction: float = TARGET) -> float:
    """How often counts fall by ``reduction`` or more although nothing changed at all."""
    if expected <= 0:
        return 0.0
    most = int(expected + 10 * np.sqrt(expected) + 20)
    before = np.arange(1, most + 1)
    limit = np.floor(before * (1 - reduction) + 1e-9)
    chances = stats.poisson.pmf(before, expected) * stats.poisson.cdf(limit, expected)
    return float(chances.sum())


def expected_without_change(observed: float, *, peer_mean: float, peer_variance: float) -> float:
    """Empirical Bayes: cases to expect next time of a site that had ``observed``.

    A site chosen for its bad year falls back towards its peers by itself (regression to the
    mean); this is how far.

    Args:
        peer_mean, peer_variance: Of the counts of comparable sites in equal exposure.

    Raises:
        KpiError: The peers' mean is not positive.
    """
    if peer_mean <= 0:
        raise KpiError("kpi.peers", "comparable sites need a mean above 0")
    if peer_variance <= peer_mean:
        return peer_mean  # the peers differ by chance alone
    weight = peer_mean / peer_variance
    return weight * peer_mean + (1 - weight) * observed


def _rejected(n: int, null: float, true: float) -> float:
    """Chance that the exact two-sided test of share ``null`` rejects, if it is ``true``."""
    counts = np.arange(n + 1)
    likely = stats.binom.pmf(counts, n, null)
    order = np.argsort(likely)
    cumulative = np.cumsum(likely[order])
    p_values: NDArray[np.float64] = np.empty(n + 1)
    # Equally likely counts belong together, whichever side they are on.
    last = np.searchsorted(likely[order], likely * (1 + 1e-7), side="right") - 1
    p_values[:] = cumulative[last]
    return float(stats.binom.pmf(counts, n, true)[p_values <= ALPHA].sum())
