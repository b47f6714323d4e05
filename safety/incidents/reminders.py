"""When people are reminded: on the day something is due, then once a week until it is done."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

FORM_DAYS: Final = (1, 3, 7)
"""So many days before a legal deadline, or nearer, people are reminded of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One thing that people are to be reminded of now.

    Attributes:
        key: The same for the same reminder, for ever; another one at its next stage.
        kind: ``action_due``, ``form_due`` or ``report_due``: kind of the alert.
        urgent: It does not wait for the working day.
        params: For the sentence ``alert.<kind>``, and ids.
    """

    key: str
    kind: str
    urgent: bool
    params: dict[str, Any]


def action_stage(due_on: date, today: date) -> str | None:
    """Which reminder of a corrective action it is time for; None: none yet."""
    late = (today - due_on).days
    return None if late < 0 else _late_stage(late)


def form_stage(due_on: date, today: date) -> str | None:
    """Which reminder of a legal deadline it is time for; None: none yet."""
    left = (due_on - today).days
    if left <= 0:
        return _late_stage(-left)
    return next((f"in{days}" for days in FORM_DAYS if left <= days), None)


def _late_stage(late: int) -> str:
    return "today" if late == 0 else f"week{(late - 1) // 7}"
