"""Many sites, one programme: did accidents fall over all of them together?

Poisson counts with log-hours as offset and an effect of its own for every site. Given a
site's sum, its later count is binomial and the site's effect cancels out (Cameron and Trivedi,
"Regression Analysis of Count Data", ch. 9: the conditional and the dummy-variable estimate of
a Poisson model are the same), so that twelve thousand sites are one small logistic regression
(statsmodels' GLM). Sites whose accidents come in clusters, or that change unlike each other,
spread more than that model allows. A negative binomial model would have to guess how; the
sandwich estimate of the error (White 1982) sees it in the data, site by site, and the interval
is the wider of the two.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from safety.kpi.comparison import TARGET, Period, rate_ratio
from safety.kpi.errors import KpiError, checked_count, checked_exposure
from safety.kpi.intervals import LEVEL
from safety.kpi.verdict import ALPHA, Verdict

LEAST_CASES = 20
"""With fewer accidents in all, the normal approximation of the model means nothing."""

LEAST_SITES = 5
"""With fewer sites that have accidents, nothing is known of how sites differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePeriods:
    """One site before and now."""

    site: str
    before: Period
    after: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """The programme's rate ratio.

    Attributes:
        sites: Sites with at least one accident; the others say nothing about a change.
        cases_before, cases_after: Over these sites.
        ratio, lower, upper: Now / before within sites, with its interval; None: not to be said.
        p_changed: Two-sided.
        p_target: One-sided: as low by chance if the drop was less than the target.
        widening: How many times wider the interval is than chance alone would make it; 1 where
            sites differ by chance alone.
    """

    verdict: Verdict
    sites: int
    cases_before: int
    cases_after: int
    ratio: float | None
    lower: float | None
    upper: float | None
    p_changed: float | None
    p_target: float | None
    widening: float


def pool(sites: Sequence[SitePeriods], *, target: float = TARGET, level: float = LEVEL) -> Pooled:
    """The rate ratio over all sites.

    Args:
        sites: Every site once; hours in the same unit before and after.
        target: Reduction to show, a share.
        level: Of the interval.

    Raises:
        KpiError: A site has no hours, a number cannot be one, or a site is there twice.
    """
    if len({one.site for one in sites}) != len(sites):
        raise KpiError("kpi.site_twice", "a site is there twice; keep its newest report only")
    c0, t0, c1, t1 = _columns(sites)
    told = c0 + c1 > 0
    before, after = int(c0.sum()), int(c1.sum())
    if before + after < LEAST_CASES or told.sum() < LEAST_SITES:
        return Pooled(
            verdict=Verdict.NOT_ENOUGH,
            sites=int(told.sum()),
            cases_before=before,
            cases_after=after,
            ratio=None,
            lower=None,
            upper=None,
            p_changed=None,
            p_target=None,
            widening=1.0,
        )
    if before == 0 or after == 0:
        return _one_sided(sites, before, after, target, level)
    log_ratio, error, widening = _fitted(c0[told], t0[told], c1[told], t1[told])
    student = stats.t(df=int(told.sum()) - 1)
    reach = float(student.isf((1 - level) / 2)) * error
    p_changed = float(2 * student.sf(abs(log_ratio) / error))
    p_target = float(student.cdf((log_ratio - math.log1p(-target)) / error))
    return Pooled(
        verdict=_verdict(log_ratio, p_changed, p_target),
        sites=int(told.sum()),
        cases_before=before,
        cases_after=after,
        ratio=math.exp(log_ratio),
        lower=math.exp(log_ratio - reach),
        upper=math.exp(log_ratio + reach),
        p_changed=p_changed,
        p_target=p_target,
        widening=widening,
    )


def _columns(sites: Sequence[SitePeriods]) -> tuple[np.ndarray, ...]:
    rows = [
        (
            checked_count(one.before.cases, f"the number of cases before of site {one.site}"),
            checked_exposure(one.before.exposure, f"the hours before of site {one.site}"),
            checked_count(one.after.cases, f"the number of cases now of site {one.site}"),
            checked_exposure(one.after.exposure, f"the hours now of site {one.site}"),
        )
        for one in sites
    ]
    return tuple(np.array(rows, np.float64).reshape(-1, 4).T)


def _fitted(
    c0: np.ndarray, t0: np.ndarray, c1: np.ndarray, t1: np.ndarray
) -> tuple[float, float, float]:
    """(log rate ratio, its standard error, widening) of sites with accidents."""
    # Slow to import, and only a programme office needs it.
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    model = GLM(
        np.column_stack([c1, c0]),
        np.ones((len(c0), 1)),
        family=Binomial(),
        offset=np.log(t1 / t0),
    )
    with warnings.catch_warnings():
        # Sites that all changed alike fit perfectly; here that is no sign of trouble.
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        fit = model.fit(cov_type="HC1")
    by_chance = math.sqrt(float(fit.normalized_cov_params[0, 0]))
    observed = float(fit.bse[0])
    return float(fit.params[0]), max(by_chance, observed), max(1.0, observed / by_chance)


def _one_sided(
    sites: Sequence[SitePeriods], before: int, after: int, target: float, level: float
) -> Pooled:
    """No case on one side: the model has no finite estimate, the exact test over sums has."""
    ratio = rate_ratio(
        Period(cases=before, exposure=sum(one.before.exposure for one in sites)),
        Period(cases=after, exposure=sum(one.after.exposure for one in sites)),
        target=target,
        level=level,
    )
    direction = -1.0 if after == 0 else 1.0
    return Pooled(
        verdict=_verdict(direction, ratio.p_changed, ratio.p_target),
        sites=sum(one.before.cases + one.after.cases > 0 for one in sites),
        cases_before=before,
        cases_after=after,
        ratio=ratio.value if math.isfinite(ratio.value) else None,
        lower=ratio.lower,
        upper=ratio.upper if math.isfinite(ratio.upper) else None,
        p_changed=ratio.p_changed,
        p_target=ratio.p_target,
        widening=1.0,
    )


def _verdict(log_ratio: float, p_changed: float, p_target: float) -> Verdict:
    if p_target < ALPHA:
        return Verdict.SHOWN
    if p_changed < ALPHA:
        return Verdict.LOWER if log_ratio < 0 else Verdict.HIGHER
    return Verdict.NO_CHANGE
