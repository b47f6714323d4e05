"""What a programme office may say about its sites, and whom it should call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import pdtrik

from safety.kpi.clustered import clustered_interval
from safety.kpi.comparison import Period
from safety.kpi.pooling import Pooled, SitePeriods, pool
from safety.programme.collect import Collected, Standing
from safety.reports.schema import PpeShare

PER_HOURS = 1_000_000
_TAIL = 0.001
"""On each side of the funnel: one site in 500 lies outside by chance."""

_RISE = 0.01
_LITTLE_COVERAGE = 0.5


class Need(StrEnum):
    """Why a site should be called; ``programme.need.<value>`` is the sentence."""

    HIGH_RATE = "high_rate"
    RISEN = "risen"
    LITTLE_COVERAGE = "little_coverage"
    NO_COVERAGE = "no_coverage"
    LATE_REPORT = "late_report"
    NO_COMPARISON = "no_comparison"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelPoint:
    """A site's present rate beside what chance allows at its size, per million hours."""

    site: str
    name: str
    hours: float
    rate: float
    lower: float
    upper: float

    @property
    def outside(self) -> bool:
        """Whether chance alone hardly explains it."""
        return not self.lower <= self.rate <= self.upper


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """How much of the installed time a site's cameras watched; None: nothing was installed."""

    site: str
    name: str
    share: float | None
    monitored_hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Worn:
    """How much of the time an item of protective equipment was worn, over all sites that ask for
    it; the site is the unit of the interval. None: nothing could be told, or of too few sites.
    """

    item: str
    sites: int
    share: float | None
    lower: float | None
    upper: float | None
    unknown_share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A site that needs help."""

    site: str
    name: str
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """The programme as of its newest month.

    Attributes:
        month: The newest month that any site reported.
        sites: Sites with a usable report; demonstration sites are not among them.
        compared: Sites with accidents and hours on both sides of the comparison.
        pooled: Over the compared sites.
        rate: Present accidents per million hours over the compared sites; None without hours.
        league: By coverage, best first. There is no league of accidents.
        worn: Protective equipment in each site's newest month, by item.
        fictional: Demonstration sites that were left out.
    """

    month: str | None
    sites: int
    compared: int
    pooled: Pooled
    rate: float | None
    funnel: tuple[FunnelPoint, ...]
    calls: tuple[Call, ...]
    league: tuple[Covered, ...]
    worn: tuple[Worn, ...]
    fictional: int


def assess(collected: Collected) -> Programme:
    """Pool the sites, and find those that need help."""
    real = [one for one in collected.standings.values() if not one.fictional]
    month = max((one.month for one in real), default=None)
    periods = [found for one in real if (found := _periods(one)) is not None]
    hours = sum(one.after.exposure for one in periods)
    rate = sum(one.after.cases for one in periods) / hours * PER_HOURS if hours else None
    names = {one.site: one.name for one in real}
    funnel = _funnel(periods, names, rate) if rate else ()
    high = {point.site for point in funnel if point.rate > point.upper}
    risen = _risen(periods)
    calls = (_call(one, month, high, risen) for one in real)
    return Programme(
        month=month,
        sites=len(real),
        compared=len(periods),
        pooled=pool(periods),
        rate=rate,
        funnel=funnel,
        calls=tuple(sorted((one for one in calls if one.needs), key=_urgency)),
        league=_league(real),
        worn=_worn(real),
        fictional=len(collected.standings) - len(real),
    )


def funnel_limits(rate: float, hours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rates per million hours between which chance alone leaves 499 of 500 sites.

    Quantiles of a Poisson count, made continuous so that they are curves (Spiegelhalter,
    "Funnel plots for comparing institutional performance", 2005).

    Args:
        rate: The programme's, per million hours, above 0.
        hours: (N,) above 0.

    Returns:
        (2, N): lower and upper.
    """
    expected = rate * hours / PER_HOURS
    # Where no count is so unlikely (few are expected), there is no lower limit.
    lower = np.where(stats.poisson.cdf(0, expected) < _TAIL, pdtrik(_TAIL, expected), 0.0)
    upper = pdtrik(1 - _TAIL, expected) + 1
    return np.asarray([lower, upper]) / hours * PER_HOURS


def _periods(standing: Standing) -> SitePeriods | None:
    if standing.before is None or standing.after is None:
        return None
    return SitePeriods(
        site=standing.site,
        before=Period(cases=standing.before.cases, exposure=standing.before.hours),
        after=Period(cases=standing.after.cases, exposure=standing.after.hours),
    )


def _funnel(
    periods: Sequence[SitePeriods], names: Mapping[str, str], rate: float
) -> tuple[FunnelPoint, ...]:
    lower, upper = funnel_limits(rate, np.array([one.after.exposure for one in periods]))
    return tuple(
        FunnelPoint(
            site=one.site,
            name=names[one.site],
            hours=one.after.exposure,
            rate=one.after.cases / one.after.exposure * PER_HOURS,
            lower=float(low),
            upper=float(high),
        )
        for one, low, high in zip(periods, lower, upper, strict=True)
    )


def _risen(periods: Sequence[SitePeriods]) -> set[str]:
    """Sites whose own accidents rose by more than chance (exact, given their sum)."""
    rows = [
        (one.before.cases, one.before.exposure, one.after.cases, one.after.exposure)
        for one in periods
    ]
    c0, t0, c1, t1 = np.array(rows, np.float64).reshape(-1, 4).T
    at_least_so_many = np.asarray(stats.binom.sf(c1 - 1, c0 + c1, t1 / (t0 + t1)))
    return {one.site for one, p in zip(periods, at_least_so_many, strict=True) if p < _RISE / 2}


def _call(standing: Standing, month: str | None, high: set[str], risen: set[str]) -> Call:
    covered = _share(standing)
    needs = {
        Need.HIGH_RATE: standing.site in high,
        Need.RISEN: standing.site in risen,
        Need.NO_COVERAGE: covered is None,
        Need.LITTLE_COVERAGE: covered is not None and covered < _LITTLE_COVERAGE,
        Need.LATE_REPORT: standing.month != month,
        Need.NO_COMPARISON: standing.before is None or standing.after is None,
    }
    found = tuple(need for need, applies in needs.items() if applies)
    return Call(site=standing.site, name=standing.name, needs=found)


def _urgency(call: Call) -> tuple[int, int, str]:
    """By the gravest need, then by how many, then by name: no order of accidents."""
    return list(Need).index(call.needs[0]), -len(call.needs), call.name


def _league(standings: Sequence[Standing]) -> tuple[Covered, ...]:
    rows = [
        Covered(
            site=one.site,
            name=one.name,
            share=_share(one),
            monitored_hours=one.monitored_hours,
        )
        for one in standings
    ]
    return tuple(sorted(rows, key=lambda row: (-(row.share or 0.0), row.name)))


def _worn(standings: Sequence[Standing]) -> tuple[Worn, ...]:
    found: dict[str, list[PpeShare]] = {}
    for standing in standings:
        for one in standing.worn:
            found.setdefault(one.item, []).append(one)
    return tuple(_worn_over(item, shares) for item, shares in sorted(found.items()))


def _worn_over(item: str, shares: Sequence[PpeShare]) -> Worn:
    sites = [(one.worn_hours, one.worn_hours + one.missing_hours) for one in shares]
    decided = sum(hours for _, hours in sites)
    unknown = sum(one.unknown_hours for one in shares)
    interval = clustered_interval(sites, stays=sum(one.stays for one in shares))
    return Worn(
        item=item,
        sites=sum(hours > 0 for _, hours in sites),
        share=sum(worn for worn, _ in sites) / decided if decided > 0 else None,
        lower=None if interval is None else interval.lower,
        upper=None if interval is None else interval.upper,
        unknown_share=unknown / (unknown + decided) if unknown + decided > 0 else None,
    )


def _share(standing: Standing) -> float | None:
    if standing.installed_hours <= 0:
        return None
    return min(standing.monitored_hours / standing.installed_hours, 1.0)
