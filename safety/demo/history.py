"""A made-up two-year history of a plant, so that every page and report has something to show.

The same seed gives the same history. Everything that is made from it says that it is
fictional, and it is only ever loaded into a record that has nothing real in it.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

from safety.demo.history_people import people_did
from safety.demo.history_ppe import wore
from safety.demo.history_story import BY, Story
from safety.demo.history_watching import watched, write
from safety.demo.history_work import compared, had_accidents, worked
from safety.errors import AnjeonError
from safety.months import first_day, month_of, shifted
from safety.site.spec import SiteSpec
from safety.store import audit, report_revisions
from safety.store.incident_tables import Accident
from safety.store.tables import ViolationRow

MONTHS = 24
_SEED = 20260105


class HistoryRefused(AnjeonError):
    """The record holds something real."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What was made up."""

    first_month: str
    last_month: str
    violations: int
    accidents: int
    incidents: int


def load_history(
    session: Session,
    site: SiteSpec,
    *,
    now: datetime,
    months: int = MONTHS,
    per_day: float = 9.0,
    seed: int = _SEED,
) -> Loaded:
    """Make up a history up to yesterday.

    Args:
        session: The open transaction.
        site: Its cameras, rules and zones are those of the history.
        now: UTC; the running month is made up to yesterday.
        months: Whole months before the running one, 13 at least.
        per_day: Violations on a working day at the beginning; they fall by a third.
        seed: Of the random numbers.

    Raises:
        HistoryRefused: There are violations or accidents on record already, or nothing to
            make violations of.
    """
    _require_empty(session, site)
    chance = random.Random(seed)  # noqa: S311 - a story, not a secret
    zone = ZoneInfo(site.timezone)
    today = now.astimezone(zone).date()
    first = shifted(month_of(today), -months)
    report_revisions.identity(session).fictional = True
    days = [first_day(first) + timedelta(days=n) for n in range((today - first_day(first)).days)]
    worked(session, first, today, chance, now)
    compared(session, first, now)
    story = Story(site=site, chance=chance, zone=zone, first=days[0], per_day=per_day)
    violations = write(session, watched(story, days))
    wore(session, story, days, seed=seed)
    incidents = people_did(session, site, chance=chance, by=BY, now=now)
    accidents = had_accidents(session, first, today, chance, now)
    audit.record(
        session,
        actor=BY,
        action="history.load",
        subject=first,
        at=now,
        detail={"seed": seed, "violations": violations},
    )
    return Loaded(
        first_month=first,
        last_month=month_of(today),
        violations=violations,
        accidents=accidents,
        incidents=incidents,
    )


def _require_empty(session: Session, site: SiteSpec) -> None:
    real = (
        session.exec(select(ViolationRow.id).limit(1)).first()
        or session.exec(select(Accident.id).limit(1)).first()
    )
    if real is not None:
        raise HistoryRefused(
            "history.not_empty",
            "the record holds violations or accidents already; a made-up history is loaded only"
            " into an empty one (use another data directory)",
        )
    if not site.cameras or not site.rules:
        raise HistoryRefused(
            "history.no_rules",
            "a made-up history needs a site with at least one camera and one rule",
        )
