"""What the law wants after an accident, and until when.

Korean Occupational Safety and Health Act, enforcement rule (산업안전보건법 시행규칙): article 67,
a serious accident is reported without delay; article 73, Form 30 (산업재해조사표) within a month of
a death or of three or more days off. Serious Accidents Punishment Act (중대재해처벌법), article 2.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

FORM_DAYS_OFF = 3
"""From so many days off on, Form 30 is due."""

SOON_DAYS = 7
"""A deadline that is nearer is shown as near."""


class AccidentFacts(Protocol):
    """What the duties depend on."""

    @property
    def occurred_on(self) -> date: ...
    @property
    def injured(self) -> int: ...
    @property
    def deaths(self) -> int: ...
    @property
    def lost_days(self) -> float: ...
    @property
    def long_treatment(self) -> int: ...
    @property
    def longer_treatment(self) -> int: ...
    @property
    def occupational_disease(self) -> bool: ...


class Urgency(StrEnum):
    """How a deadline stands."""

    DONE = "done"
    AHEAD = "ahead"
    SOON = "soon"
    TODAY = "today"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Countdown:
    """A deadline, seen from a day.

    Attributes:
        days: Left until ``due_on``; negative once it is past.
    """

    due_on: date
    days: int
    urgency: Urgency


def month_after(day: date) -> date:
    """The last day of a period of one month that begins with an event on ``day``.

    The day itself is not counted; the period ends on the eve of the day that has the number
    of its first day, or with the month if there is none (Civil Act, articles 157 and 160).
    Where that is a day off the law may give another day; it is not counted on here.
    """
    first = day + timedelta(days=1)
    year, month = divmod(first.year * 12 + first.month, 12)
    next_month = date(year, month + 1, 1)
    last_of_next = (next_month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    if first.day > last_of_next.day:
        return last_of_next
    return next_month.replace(day=first.day) - timedelta(days=1)


def needs_form(accident: AccidentFacts) -> bool:
    """Whether Form 30 is due: somebody died or was off for three days or more.

    Days are known of all the injured together, so that with several it may be due for none
    of them: then people decide.
    """
    return accident.deaths > 0 or accident.lost_days >= FORM_DAYS_OFF


def is_serious(accident: AccidentFacts) -> bool:
    """중대재해: a death, two who need three months, or ten hurt or ill at once."""
    return accident.deaths >= 1 or accident.long_treatment >= 2 or accident.injured >= 10


def is_serious_industrial(accident: AccidentFacts) -> bool:
    """중대산업재해, as far as one accident tells: a death, two who need six months, three ill."""
    ill = accident.injured if accident.occupational_disease else 0
    return accident.deaths >= 1 or accident.longer_treatment >= 2 or ill >= 3


def form_due(accident: AccidentFacts) -> date | None:
    """Until when Form 30 is to be handed in; None: not at all."""
    return month_after(accident.occurred_on) if needs_form(accident) else None


def countdown(due_on: date, today: date, *, done: bool = False) -> Countdown:
    """How a deadline stands today."""
    days = (due_on - today).days
    if done:
        urgency = Urgency.DONE
    elif days < 0:
        urgency = Urgency.OVERDUE
    elif days == 0:
        urgency = Urgency.TODAY
    else:
        urgency = Urgency.SOON if days <= SOON_DAYS else Urgency.AHEAD
    return Countdown(due_on=due_on, days=days, urgency=urgency)
