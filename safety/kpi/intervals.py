"""Exact confidence intervals for counts and shares.

Garwood, "Fiducial limits for the Poisson distribution", Biometrika 1936; Clopper and
Pearson, "The use of confidence or fiducial limits", Biometrika 1934.
"""

from dataclasses import dataclass

from scipy import stats

from safety.kpi.errors import KpiError, checked_count

LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """From ``lower`` to ``upper``; ``upper`` is infinite where the data set no limit."""

    lower: float
    upper: float


def poisson_interval(cases: int, level: float = LEVEL) -> Interval:
    """Exact interval of the mean of a Poisson count.

    Raises:
        KpiError: ``cases`` is negative or no whole number.
    """
    cases = checked_count(cases, "the number of cases")
    tail = (1 - level) / 2
    return Interval(
        lower=float(stats.chi2.ppf(tail, 2 * cases) / 2) if cases else 0.0,
        upper=float(stats.chi2.isf(tail, 2 * (cases + 1)) / 2),
    )


def share_interval(hits: int, of: int, level: float = LEVEL) -> Interval:
    """Exact interval of a share, 0-1; the whole range if there was nothing to count.

    Raises:
        KpiError: More hits than tries, or a negative number.
    """
    hits, of = checked_count(hits, "the number of hits"), checked_count(of, "the number of tries")
    if hits > of:
        raise KpiError(
            "kpi.share",
            "{hits} of {of} is no share; check where both numbers come from",
            hits=str(hits),
            of=str(of),
        )
    tail = (1 - level) / 2
    return Interval(
        lower=float(stats.beta.ppf(tail, hits, of - hits + 1)) if hits else 0.0,
        upper=float(stats.beta.isf(tail, hits + 1, of - hits)) if hits < of else 1.0,
    )
