"""What a number of accidents can prove, and what chance does without any change."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import gammaln

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
    weights = stats.poisson.pmf(totals, total)
    return float(weights @ _rejected(totals, null, after / total))


@cache
def cases_needed(*, reduction: float = TARGET, wanted: float = WANTED) -> int:
    """Cases before that an exact two-sided test needs, with as much exposure after.

    Raises:
        KpiError: No reduction, or one so small that no plant could show it.
    """
    if not 0 < reduction < 1:
        raise _no_reduction(reduction)
    high = _by_normal(reduction, wanted)
    # The exact test needs about as many; the answer lies where its power passes what is wanted.
    while high < _MOST and power(high, reduction=reduction) < wanted:
        high += max(1, high // 32)
    if high >= _MOST:
        raise _no_reduction(reduction)
    low = high
    while low > 0 and power(low, reduction=reduction) >= wanted:
        low, high = low - max(1, low // 32), low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if power(middle, reduction=reduction) >= wanted else (middle, high)
        )
    return high


def _by_normal(reduction: float, wanted: float) -> int:
    """Cases before, as if the ratio's logarithm were normal."""
    reach = stats.norm.isf(ALPHA / 2) + stats.norm.ppf(wanted)
    cases = (reach / np.log1p(-reduction)) ** 2 * (1 + 1 / (1 - reduction))
    return int(min(max(1, cases), _MOST))


def _no_reduction(reduction: float) -> KpiError:
    return KpiError(
        "kpi.reduction",
        "a reduction by {share} cannot be shown; give a share between 0.01 and 0.99",
        share=str(reduction),
    )


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


def _rejected(totals: NDArray[np.int64], null: float, true: float) -> NDArray[np.float64]:
    """Chance that the exact two-sided test of share ``null`` rejects, if it is ``true``.

    Args:
        totals: (N,) of both periods, ascending.

    Returns:
        (N,) for each total.
    """
    rows, counts = totals[:, None], np.arange(totals[-1] + 1)
    log_factorial = gammaln(np.arange(totals[-1] + 2) + 1.0)
    rest = np.maximum(rows - counts, 0)
    ways = log_factorial[rows] - log_factorial[counts] - log_factorial[rest]
    ways = np.where(counts <= rows, ways, -np.inf)
    likely = np.exp(ways + counts * np.log(null) + rest * np.log1p(-null))
    ordered = np.sort(likely, axis=1)
    # The least likely counts are rejected while all of them together are rare enough. Equally
    # likely ones belong together, whichever side they are on.
    most = (np.cumsum(ordered, axis=1) <= ALPHA).sum(axis=1, keepdims=True)
    kept = np.take_along_axis(ordered, most, axis=1)
    truly = np.exp(ways + counts * np.log(true) + rest * np.log1p(-true))
    chances: NDArray[np.float64] = np.where(likely * (1 + 1e-7) < kept, truly, 0.0).sum(axis=1)
    return chances
