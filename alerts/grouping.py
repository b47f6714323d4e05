"""When alerts are one situation: the same place and the same kind, never the same camera.

A helmet that is missing and a person at a machine are two situations, whoever films them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.policy_spec import PolicySpec
from safety.store.alerts import AlertState
from safety.store.tables import Alert
from safety.types import Severity


class Part(StrEnum):
    """What a new alert is to the conversation before it."""

    LEADS = "leads"
    """It begins a conversation of its own, with its own ladder."""
    JOINS = "joins"
    """It is told with the next update of the conversation."""
    REPEATS = "repeats"
    """Somebody has just answered for the same person and rule: it is listed, nobody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The newest conversation about the same place and kind.

    Attributes:
        answered: Whether somebody has acknowledged or judged it.
        last_at: When an alert last joined it or was cleared.
        lasts: Whether one of its alerts lasts.
    """

    severity: Severity
    answered: bool
    last_at: datetime
    lasts: bool


_ABOUT = {
    "channel_failed": "channel_id",
    "not_paused": "vehicle",
    "action_due": "about",
    "form_due": "about",
    "report_due": "about",
    "report_ready": "about",
    "hours_missing": "about",
    "disk_low": "about",
    "disk_full": "about",
    "record_broken": "about",
}
"""The parameter that names what an alert is about, where that is no place."""


def situation_of(alert: Alert) -> str:
    """The place and the kind of an alert as one text.

    The place is the zone, or the camera of a rule without one; or the thing that it is about.
    """
    about = _ABOUT.get(alert.kind)
    place = alert.params.get(about) if about else alert.zone_id or alert.camera_id
    return f"{place or ''}|{alert.rule_kind or alert.kind}"


def part_of(
    severity: Severity,
    raised_at: datetime,
    before: Before | None,
    policy: PolicySpec,
    *,
    repeated: bool,
) -> Part:
    """What a new alert is to the conversation before it.

    Args:
        severity, raised_at: Of the new alert.
        before: None: there was none.
        policy: Says how long a situation goes on after its end.
        repeated: Whether the same rule was broken by the same subject within the cooldown.
    """
    ranks = list(Severity)
    if before is None or ranks.index(severity) > ranks.index(before.severity):
        return Part.LEADS
    if repeated:
        return Part.REPEATS if before.answered else Part.JOINS
    goes_on = before.lasts or raised_at - before.last_at <= timedelta(seconds=policy.gap_s)
    # Somebody answered for what they saw; this is somebody else.
    return Part.JOINS if goes_on and not before.answered else Part.LEADS


def is_answered(lead: Alert) -> bool:
    """Whether people know of this alert and have said so."""
    return lead.state != AlertState.RAISED
