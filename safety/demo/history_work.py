"""The made-up plant's hours, baseline and accidents."""

import random
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from safety.demo.history_story import BY, days_of, poisson, works
from safety.months import month_of, months_from, shifted
from safety.store import baselines, work_months
from safety.store.incident_tables import Accident

_BASELINE_MONTHS = 12
_HEADCOUNT = 62
_HOURS_EACH = 8.4


def worked(session: Session, first: str, today: date, chance: random.Random, now: datetime) -> None:
    """Hours and headcount of every month that is over."""
    for month in months_from(first, shifted(month_of(today), -1)):
        headcount = _HEADCOUNT + chance.randint(-3, 3)
        hours = sum(
            headcount * _HOURS_EACH * chance.uniform(0.93, 1.02)
            for day in days_of(month)
            if works(day)
        )
        work_months.put(
            session,
            month=month,
            group="own",
            hours=round(hours),
            headcount=headcount,
            source="fictional",
            by=BY,
            at=now,
        )


def compared(session: Session, first: str, now: datetime) -> None:
    """Register the first year as the baseline."""
    last = shifted(first, _BASELINE_MONTHS - 1)
    baselines.register(
        session,
        first_month=first,
        last_month=last,
        programme_start=shifted(last, 1),
        groups="own",
        by=BY,
        at=now,
    )


def had_accidents(
    session: Session, first: str, today: date, chance: random.Random, now: datetime
) -> int:
    """Accidents up to yesterday.

    Returns:
        How many.
    """
    count = 0
    for number, month in enumerate(months_from(first, month_of(today))):
        mean = 0.9 if number < _BASELINE_MONTHS else 0.6
        days = [day for day in days_of(month) if works(day) and day < today]
        for _ in range(poisson(chance, mean) if days else 0):
            session.add(_accident(chance, chance.choice(days), now))
            count += 1
    session.flush()
    return count


def _accident(chance: random.Random, day: date, now: datetime) -> Accident:
    kind = chance.choice(("caught", "trip", "struck", "cut", "strain", "fall"))
    outcome = chance.choices(("lost_time", "medical_treatment", "first_aid"), (5, 3, 2))[0]
    return Accident(
        id=UUID(int=chance.getrandbits(128), version=4).hex,
        occurred_on=day,
        occurred_time=f"{chance.randint(8, 17):02d}:{chance.choice((0, 10, 20, 30, 40, 50)):02d}",
        kind=kind,
        outcome=outcome,
        worker_group="own",
        lost_days=float(chance.randint(4, 45)) if outcome == "lost_time" else 0.0,
        created_at=now,
        created_by=BY,
    )
