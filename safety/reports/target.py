"""The 20 % target, as far as this site can say anything about it."""

import itertools
import math
from collections.abc import Sequence

from safety.kpi.comparison import Period
from safety.kpi.errors import KpiError
from safety.kpi.power import WANTED, cases_needed, power
from safety.kpi.verdict import Judgement, Verdict, judge
from safety.months import shifted
from safety.reports.hours import period
from safety.reports.schema import BaselineChange, BaselineFacts, MonthRow, PeriodFacts, Target
from safety.store.kpi_tables import Baseline

_LONGEST = 120
"""Months ahead beyond which "so many months more" would be a joke."""

_BAD_YEAR = 1.25
"""A baseline whose rate is so much above the months before and after it is a bad year."""

_LEAST_NEIGHBOURS = 12


def target_facts(rows: Sequence[MonthRow], baselines: Sequence[Baseline], month: str) -> Target:
    """What can be said at the end of ``month``.

    Args:
        rows: Every month from the first entered one on.
        baselines: All that were registered, oldest first.
        month: The reported month.
    """
    if not baselines:
        return _nothing(None, None, None, "target.no_baseline")
    registered = baselines[-1]
    facts = _baseline(baselines)
    before = period(rows, registered.first_month, registered.last_month)
    if month < registered.programme_start:
        return _nothing(facts, before, None, "target.not_begun")
    after = period(rows, registered.programme_start, month)
    try:
        judgement = judge(_counts(before), _counts(after))
    except KpiError:
        return _nothing(facts, before, after, "target.no_hours")
    return _judged(facts, before, after, judgement, _was_bad(rows, registered))


def months_needed(before: PeriodFacts, after: PeriodFacts) -> int | None:
    """Further months until a true 20 % drop would be seen with 80 % power; None: not in ten years.

    The baseline stays as it is, so that at some count of it no time suffices.
    """
    if not before.cases or not after.months or after.hours <= 0:
        return None
    monthly = after.hours / after.months
    if power(before.cases, exposure_ratio=_ratio(before, after, monthly, _LONGEST)) < WANTED:
        return None
    low, high = 0, _LONGEST
    while low < high:
        middle = (low + high) // 2
        enough = power(before.cases, exposure_ratio=_ratio(before, after, monthly, middle))
        low, high = (low, middle) if enough >= WANTED else (middle + 1, high)
    return low


def _ratio(before: PeriodFacts, after: PeriodFacts, monthly: float, more: int) -> float:
    return (after.hours + monthly * more) / before.hours


def _counts(facts: PeriodFacts) -> Period:
    return Period(cases=facts.cases, exposure=facts.hours)


def _judged(
    facts: BaselineFacts,
    before: PeriodFacts,
    after: PeriodFacts,
    judgement: Judgement,
    bad_year: bool | None,
) -> Target:
    ratio = judgement.ratio
    return Target(
        baseline=facts,
        before=before,
        after=after,
        verdict=judgement.verdict.value,
        ratio=None if ratio is None else _finite(ratio.value),
        lower=None if ratio is None else _finite(ratio.lower),
        upper=None if ratio is None else _finite(ratio.upper),
        p_changed=None if ratio is None else round(ratio.p_changed, 6),
        p_target=None if ratio is None else round(ratio.p_target, 6),
        power=round(judgement.power, 4),
        apparent_drop=round(judgement.apparent_drop, 4),
        cases_needed=cases_needed(),
        months_needed=months_needed(before, after),
        bad_year=bad_year,
    )


def _nothing(
    baseline: BaselineFacts | None,
    before: PeriodFacts | None,
    after: PeriodFacts | None,
    why: str,
) -> Target:
    return Target(
        baseline=baseline, before=before, after=after, verdict=Verdict.NOT_ENOUGH.value, why=why
    )


def _baseline(baselines: Sequence[Baseline]) -> BaselineFacts:
    newest = baselines[-1]
    return BaselineFacts(
        first_month=newest.first_month,
        last_month=newest.last_month,
        programme_start=newest.programme_start,
        groups=newest.groups,
        registered_at=newest.registered_at,
        changes=tuple(
            BaselineChange(
                first_month=old.first_month,
                last_month=old.last_month,
                programme_start=old.programme_start,
                changed_at=new.registered_at,
                reason=new.reason,
            )
            for old, new in itertools.pairwise(baselines)
        ),
    )


def _was_bad(rows: Sequence[MonthRow], baseline: Baseline) -> bool | None:
    """Whether accidents were more frequent in the baseline than in the months before it.

    Only months before the baseline tell: those after it may be better for good reasons.
    """
    if not rows:
        return None
    inside = period(rows, baseline.first_month, baseline.last_month)
    earlier = period(rows, rows[0].month, shifted(baseline.first_month, -1))
    if earlier.months < _LEAST_NEIGHBOURS or not inside.hours or not earlier.hours:
        return None
    return inside.cases / inside.hours > _BAD_YEAR * earlier.cases / earlier.hours


def _finite(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
