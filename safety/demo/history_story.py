"""What all parts of the made-up history share: its plant, its days, its chance."""

import math
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from safety.months import day_after, first_day
from safety.site.spec import SiteSpec
from zones.shifts import korean_holidays

BY = "fictional"
"""Who did everything in the made-up history, for the audit trail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The plant and the chance that a history is made of.

    Attributes:
        first: Its first day.
        per_day: Violations on a working day at the beginning.
    """

    site: SiteSpec
    chance: random.Random
    zone: ZoneInfo
    first: date
    per_day: float

    def id(self) -> str:
        """A new one, the same with the same seed."""
        return UUID(int=self.chance.getrandbits(128), version=4).hex

    def moment(self, day: date, hour: float) -> datetime:
        """So many hours after midnight, UTC."""
        seconds = round(hour * 3600, 3)
        return (datetime.combine(day, time(), self.zone) + timedelta(seconds=seconds)).astimezone(
            UTC
        )


def works(day: date) -> bool:
    """Whether the plant works on a day."""
    return day.weekday() < 5 and day not in korean_holidays()


def days_of(month: str) -> list[date]:
    """All days of a month."""
    first = first_day(month)
    return [first + timedelta(days=n) for n in range((day_after(month) - first).days)]


def poisson(chance: random.Random, mean: float) -> int:
    """Knuth's method; means are small."""
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count
