"""A share of time with an interval that respects clusters.

What a camera sees second by second is no independent evidence: somebody without a hat is without
it in every frame of a stay, and a day on which a delivery crew is in the hall differs from the
next. So the day is the unit. The share is a ratio of sums over days, its variance the one of a
ratio estimate (Cochran, "Sampling Techniques", 3rd ed. 1977, ch. 6 and 9); the interval is exact
for a sample that would have this variance (Korn and Graubard, "Confidence intervals for
proportions with small expected number of positive counts estimated from survey data", Survey
Methodology 24, 1998), widened by Student's t for the number of days.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from safety.kpi.errors import KpiError
from safety.kpi.intervals import LEVEL, Interval

LEAST_CLUSTERS = 5
"""With fewer of them nothing is known of how unlike each other they are."""


def clustered_interval(
    clusters: Sequence[tuple[float, float]], *, stays: int, level: float = LEVEL
) -> Interval | None:
    """Interval of a share of time, 0-1.

    Args:
        clusters: ``(hits, of)`` of each day with something to count, in any unit of time.
        stays: How many pieces of time were counted: the sample is worth no more than these.
        level: Of the interval.

    Returns:
        None: there are too few clusters, or nothing was counted.

    Raises:
        KpiError: A cluster is no share, or there are fewer stays than none.
    """
    hits, of = np.array(clusters, np.float64).reshape(-1, 2).T
    # Sums of seconds differ from themselves in the last digits.
    if not (np.isfinite(hits).all() and (hits >= 0).all() and (hits <= of + 1e-6).all()):
        raise KpiError("kpi.clusters", "a part of the time is more than the whole of it")
    if stays < 0:
        raise KpiError("kpi.stays", "a number of stays cannot be negative")
    counted = of > 0
    hits, of = np.minimum(hits, of)[counted], of[counted]
    if len(of) < LEAST_CLUSTERS or not stays:
        return None
    share = float(hits.sum() / of.sum())
    worth = min(_worth(hits, of, share, level), float(max(stays, 1)))
    tail = (1 - level) / 2
    seen, unseen = share * worth, (1 - share) * worth
    return Interval(
        lower=float(stats.beta.ppf(tail, seen, unseen + 1)) if seen > 0 else 0.0,
        upper=float(stats.beta.isf(tail, seen + 1, unseen)) if unseen > 0 else 1.0,
    )


def _worth(hits: np.ndarray, of: np.ndarray, share: float, level: float) -> float:
    """How many independent observations would leave the same doubt."""
    count = len(of)
    variance = count / (count - 1) * float(((hits - share * of) ** 2).sum() / of.sum() ** 2)
    if variance <= 0 or share in {0.0, 1.0}:
        # All days alike: as if each were one observation, for more is not known.
        return float(count)
    tail = (1 - level) / 2
    few = float(stats.norm.isf(tail) / stats.t.isf(tail, count - 1))
    worth = share * (1 - share) / variance * few**2
    return worth if math.isfinite(worth) else float(count)
