"""Whether a rule has calmed down since the corrective actions: violations per monitored hour."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from safety.incidents.types import ActionState
from safety.kpi.comparison import Period, RateRatio, rate_ratio
from safety.kpi.verdict import ALPHA
from safety.store import coverage
from safety.store.incident_tables import CorrectiveAction, Incident
from safety.store.tables import ViolationRow

WINDOW: Final = timedelta(days=28)
"""Four whole weeks on either side, so that weekends weigh the same."""
LEAST_HOURS: Final = 8.0
"""Monitored hours on either side, below which nothing is said."""


class CalmVerdict(StrEnum):
    """What may be said; ``incident.calm.<value>`` is its sentence."""

    CALMER = "calmer"
    NOT_SHOWN = "not_shown"
    WORSE = "worse"
    TOO_EARLY = "too_early"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calm:
    """Before and after the actions.

    Attributes:
        since: When the last action was done.
        before, after: Violations, and monitored hours of the cameras concerned.
        ratio: None without a violation, or without hours on one side.
    """

    since: datetime
    before: Period
    after: Period
    ratio: RateRatio | None
    verdict: CalmVerdict


def read_calm(
    session: Session, incident: Incident, actions: Sequence[CorrectiveAction], *, now: datetime
) -> Calm | None:
    """The comparison; None without a rule or before every action is done."""
    wanted = [each for each in actions if each.state != ActionState.DROPPED]
    done = sorted(each.done_at for each in wanted if each.done_at is not None)
    if incident.rule_id is None or not done or len(done) < len(wanted):
        return None
    windows = (done[0] - WINDOW, done[0]), (done[-1], min(now, done[-1] + WINDOW))
    cameras = _cameras(session, incident, windows[0][0], windows[1][1])
    before, after = (
        Period(
            cases=_violations(session, incident.rule_id, *window),
            exposure=_hours(session, cameras, *window),
        )
        for window in windows
    )
    return judged(before, after, since=done[-1])


def judged(before: Period, after: Period, *, since: datetime) -> Calm:
    """What may be said of two periods."""
    if min(before.exposure, after.exposure) < LEAST_HOURS or not before.cases + after.cases:
        return Calm(
            since=since, before=before, after=after, ratio=None, verdict=CalmVerdict.TOO_EARLY
        )
    ratio = rate_ratio(before, after)
    if ratio.p_changed >= ALPHA:
        verdict = CalmVerdict.NOT_SHOWN
    else:
        verdict = CalmVerdict.CALMER if ratio.value < 1 else CalmVerdict.WORSE
    return Calm(since=since, before=before, after=after, ratio=ratio, verdict=verdict)


def _cameras(session: Session, incident: Incident, start: datetime, end: datetime) -> set[str]:
    """The incident's own camera, and all that reported this rule broken."""
    query = select(ViolationRow.camera_id).where(
        ViolationRow.rule_id == incident.rule_id,
        col(ViolationRow.opened_at) >= start,
        col(ViolationRow.opened_at) < end,
    )
    return set(session.exec(query.distinct())) | (
        {incident.camera_id} if incident.camera_id else set()
    )


def _violations(session: Session, rule_id: str, start: datetime, end: datetime) -> int:
    query = select(func.count()).where(
        ViolationRow.rule_id == rule_id,
        col(ViolationRow.opened_at) >= start,
        col(ViolationRow.opened_at) < end,
    )
    return session.exec(query).one()


def _hours(session: Session, cameras: Collection[str], start: datetime, end: datetime) -> float:
    if end <= start:
        return 0.0
    totals = coverage.totals(session, since=start, until=end)
    watched = (totals[camera] for camera in cameras if camera in totals)
    return sum(each.live_s + each.degraded_s for each in watched) / 3600
