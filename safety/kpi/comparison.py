"""Before against after: the rate ratio, exactly.

Given the sum of two Poisson counts, the second is binomial; its exact (Clopper-Pearson)
limits become those of the rate ratio (Przyborowski and Wilenski, "Homogeneity of results in
testing samples from Poisson series", Biometrika 1940).
"""

import math
from dataclasses import dataclass

from scipy import stats

from safety.kpi.errors import KpiError, checked_count, checked_exposure
from safety.kpi.intervals import LEVEL, share_interval

TARGET = 0.2
"""The programme's target: 20 % fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Cases and what they are counted against, in the same unit before and after."""

    cases: int
    exposure: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRatio:
    """After divided by before.

    Attributes:
        value: Infinite if there were no cases before.
        lower, upper: Exact conditional limits.
        p_changed: Two-sided: how likely so unequal counts are if nothing changed.
        p_target: One-sided: how likely so few are if the drop was less than the target.
    """

    value: float
    lower: float
    upper: float
    p_changed: float
    p_target: float


def rate_ratio(
    before: Period, after: Period, *, target: float = TARGET, level: float = LEVEL
) -> RateRatio:
    """Compare two periods.

    Raises:
        KpiError: A period has no exposure, a number cannot be one, or there was no case in
            either: then nothing can be said of the ratio.
    """
    c0 = checked_count(before.cases, "the number of cases before")
    c1 = checked_count(after.cases, "the number of cases after")
    t0 = checked_exposure(before.exposure, "the exposure before")
    t1 = checked_exposure(after.exposure, "the exposure after")
    if c0 + c1 == 0:
        raise KpiError(
            "kpi.no_cases",
            "there was no case before or after, so nothing can be said about a change",
        )
    share = share_interval(c1, c0 + c1, level)
    return RateRatio(
        value=(c1 / t1) / (c0 / t0) if c0 else math.inf,
        lower=_ratio(share.lower, t0, t1),
        upper=_ratio(share.upper, t0, t1),
        p_changed=float(stats.binomtest(c1, c0 + c1, t1 / (t0 + t1)).pvalue),
        p_target=float(stats.binom.cdf(c1, c0 + c1, _share(1 - target, t0, t1))),
    )


def _share(ratio: float, t0: float, t1: float) -> float:
    """Share of the cases that fall after, for this rate ratio."""
    return t1 * ratio / (t1 * ratio + t0)


def _ratio(share: float, t0: float, t1: float) -> float:
    """The rate ratio for this share of cases after."""
    return math.inf if share >= 1 else share / (1 - share) * t0 / t1
