"""Pooling: the model's estimate, its honesty in simulated programmes, and what it refuses."""

import math

import numpy as np
import pytest
from statsmodels.genmod.families import Poisson
from statsmodels.genmod.generalized_linear_model import GLM

from safety.kpi.comparison import Period, rate_ratio
from safety.kpi.errors import KpiError
from safety.kpi.pooling import SitePeriods, pool
from safety.kpi.verdict import Verdict


def site(name: str, c0: int, t0: float, c1: int, t1: float) -> SitePeriods:
    return SitePeriods(
        site=name,
        before=Period(cases=c0, exposure=t0),
        after=Period(cases=c1, exposure=t1),
    )


def programme(
    chance: np.random.Generator,
    sites: int,
    ratio: float,
    *,
    mean: float = 5.0,
    clusters: float = 0.0,
) -> list[SitePeriods]:
    """Sites of unlike size and danger; ``clusters`` is the variance of each year's own luck."""
    t0 = chance.lognormal(12, 0.5, sites)
    t1 = t0 * chance.uniform(0.7, 1.2, sites)
    expected = chance.gamma(1.0, mean, sites)

    def year(mean_cases: np.ndarray) -> np.ndarray:
        luck = chance.gamma(1 / clusters, clusters, sites) if clusters else 1.0
        return chance.poisson(mean_cases * luck)

    c0, c1 = year(expected), year(expected * ratio * t1 / t0)
    rows = zip(c0.tolist(), t0.tolist(), c1.tolist(), t1.tolist(), strict=True)
    return [site(str(number), *row) for number, row in enumerate(rows)]


def test_the_estimate_is_that_of_a_poisson_model_with_an_effect_per_site() -> None:
    sites = list(programme(np.random.default_rng(3), 30, 0.8, mean=8))
    sites = [one for one in sites if one.before.cases + one.after.cases]
    counts = [c for one in sites for c in (one.before.cases, one.after.cases)]
    hours = [t for one in sites for t in (one.before.exposure, one.after.exposure)]
    effects = np.repeat(np.eye(len(sites)), 2, axis=0)
    now = np.tile([0.0, 1.0], len(sites))[:, None]
    model = GLM(counts, np.hstack([now, effects]), family=Poisson(), offset=np.log(hours)).fit(
        maxiter=200
    )

    pooled = pool(sites)

    assert pooled.ratio == pytest.approx(math.exp(model.params[0]), rel=1e-4)


def test_sites_of_equal_growth_give_the_ratio_of_their_sums() -> None:
    sites = [site(str(n), 20 + n, 1e6, 15 + n, 1e6) for n in range(10)]
    sums = rate_ratio(Period(cases=245, exposure=1e7), Period(cases=195, exposure=1e7))
    assert pool(sites).ratio == pytest.approx(sums.value, rel=1e-6)


def test_without_an_effect_the_target_is_hardly_ever_shown() -> None:
    chance = np.random.default_rng(11)
    verdicts = [pool(programme(chance, 60, 1.0)).verdict for _ in range(1000)]
    assert verdicts.count(Verdict.SHOWN) <= 50
    assert verdicts.count(Verdict.LOWER) + verdicts.count(Verdict.HIGHER) <= 80


def test_a_drop_of_30_percent_over_400_sites_is_found() -> None:
    chance = np.random.default_rng(12)
    verdicts = [pool(programme(chance, 400, 0.7)).verdict for _ in range(1000)]
    assert verdicts.count(Verdict.SHOWN) >= 950


def test_accidents_that_come_in_clusters_widen_the_interval_enough() -> None:
    chance = np.random.default_rng(13)
    pooled = [pool(programme(chance, 200, 0.8, clusters=0.5)) for _ in range(200)]
    inside = sum((p.lower or 1) <= 0.8 <= (p.upper or 0) for p in pooled)
    assert inside >= 178  # 95 % would be 190; without the sandwich it is about 165
    assert np.mean([p.widening for p in pooled]) > 1.5


@pytest.mark.parametrize(
    ("sites", "verdict"),
    [
        ([], Verdict.NOT_ENOUGH),
        ([site("a", 3, 1e5, 2, 1e5)], Verdict.NOT_ENOUGH),
        ([site("a", 300, 1e6, 200, 1e6)], Verdict.NOT_ENOUGH),  # one site is no programme
        ([site(str(n), 5, 1e5, 0, 1e5) for n in range(9)], Verdict.SHOWN),
        ([site(str(n), 0, 1e5, 5, 1e5) for n in range(9)], Verdict.HIGHER),
    ],
)
def test_few_or_one_sided_counts_get_no_nonsense(
    sites: list[SitePeriods], verdict: Verdict
) -> None:
    pooled = pool(sites)
    assert pooled.verdict is verdict
    for figure in (pooled.ratio, pooled.lower, pooled.upper, pooled.p_target):
        assert figure is None or math.isfinite(figure)


@pytest.mark.parametrize(
    ("sites", "key"),
    [
        ([site("a", 1, 1e5, 1, 1e5), site("a", 1, 1e5, 1, 1e5)], "kpi.site_twice"),
        ([site("a", 1, 0.0, 1, 1e5)], "kpi.no_exposure"),
        ([site("a", 1, 1e5, -1, 1e5)], "kpi.count"),
        ([site("a", 1, math.nan, 1, 1e5)], "kpi.exposure"),
    ],
)
def test_what_cannot_be_pooled_is_refused(sites: list[SitePeriods], key: str) -> None:
    with pytest.raises(KpiError) as refused:
        pool(sites)
    assert refused.value.key == key
