"""What may be said about the 20 % target: one of a closed set of sentences, and no other."""

from dataclasses import dataclass
from enum import StrEnum

from safety.kpi.comparison import TARGET, Period, RateRatio, rate_ratio
from safety.kpi.errors import checked_exposure
from safety.kpi.power import cases_needed, chance_of_apparent_drop, power

ALPHA = 0.05
LEAST_POWER = 0.2
"""With less power than this, silence about a change says nothing."""


class Verdict(StrEnum):
    """The closed set; ``kpi.verdict.<value>`` is its sentence."""

    NOT_ENOUGH = "not_enough_data"
    NO_CHANGE = "consistent_with_no_change"
    LOWER = "lower_target_not_shown"
    SHOWN = "target_shown"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict and what it rests on.

    Attributes:
        ratio: None without a single case in both periods.
        power: How likely this site could show the target at all with the baseline it has.
        apparent_drop: How often chance alone shows such a drop at the baseline's count.
        cases_needed: Cases in a baseline that could show the target.
    """

    verdict: Verdict
    ratio: RateRatio | None
    power: float
    apparent_drop: float
    cases_needed: int


def judge(before: Period, after: Period, *, target: float = TARGET) -> Judgement:
    """Say whether accidents fell, and whether the target is shown.

    Raises:
        KpiError: A period has no exposure, or a number cannot be one.
    """
    t0 = checked_exposure(before.exposure, "the exposure before")
    t1 = checked_exposure(after.exposure, "the exposure after")
    able = power(before.cases, reduction=target, exposure_ratio=t1 / t0)
    ratio = rate_ratio(before, after, target=target) if before.cases + after.cases else None
    return Judgement(
        verdict=_verdict(ratio, able),
        ratio=ratio,
        power=able,
        apparent_drop=chance_of_apparent_drop(before.cases, reduction=target),
        cases_needed=cases_needed(reduction=target),
    )


def _verdict(ratio: RateRatio | None, able: float) -> Verdict:
    if ratio is None:
        return Verdict.NOT_ENOUGH
    if ratio.p_target < ALPHA:
        return Verdict.SHOWN
    if ratio.p_changed < ALPHA:
        return Verdict.LOWER if ratio.value < 1 else Verdict.HIGHER
    return Verdict.NO_CHANGE if able >= LEAST_POWER else Verdict.NOT_ENOUGH
