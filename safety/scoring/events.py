"""Which events of a scene were detected, how late, and what was a false alarm."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from safety.scoring.scene import TrueEvent

EARLY_S = 0.5
"""So much earlier than the truth a violation may open: outlines and ankles are fuzzy."""

LATE_S = 1.0
"""So long after the truth a violation may still open, besides the rule's hold."""

KINDS = {
    "zone_intrusion": "intrusion",
    "reach_in": "reach_in",
    "ppe_missing": "missing_ppe",
    "proximity": "proximity",
    "fall": "fall",
    "person_down": "man_down",
    "lone_worker": "occupancy",
}
"""Kind of event → kind of rule that must detect it."""

ITEMS = {"hat": "hardhat", "vest": "vest"}
"""Protective equipment in truths → in rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One violation, seen from the scene.

    Attributes:
        kind: The rule's kind.
        person: The person of the truth whose box it shows; None if there is nobody.
        about_person: Whether its subject is a person at all.
        opened_s, closed_s: Seconds of the scene; closed_s is None if it never closed.
        items: Missing equipment that it names.
        distance_m: Smallest distance that it names.
    """

    kind: str
    person: str | None
    about_person: bool
    opened_s: float
    closed_s: float | None
    items: frozenset[str] = frozenset()
    distance_m: float | None = None


@dataclass(slots=True, kw_only=True)
class RuleScore:
    """How one kind of rule did.

    Attributes:
        repeats: Further violations during an event that was detected already.
        delays_s: Beginning of the event → opening of its violation, per detected event.
        distance_errors_m: Reported minus true smallest distance, where both are known.
    """

    events: int = 0
    detected: int = 0
    false_alarms: int = 0
    repeats: int = 0
    delays_s: list[float] = field(default_factory=list)
    distance_errors_m: list[float] = field(default_factory=list)

    @property
    def missed(self) -> int:
        """Events without a violation."""
        return self.events - self.detected

    def delay_s(self, percentile: float) -> float | None:
        """This percentile of the delays; None if nothing was detected."""
        return float(np.percentile(self.delays_s, percentile)) if self.delays_s else None

    def add(self, other: "RuleScore") -> None:
        """Count another scene's as well."""
        self.events += other.events
        self.detected += other.detected
        self.false_alarms += other.false_alarms
        self.repeats += other.repeats
        self.delays_s += other.delays_s
        self.distance_errors_m += other.distance_errors_m


def score_events(
    kind: str, events: Sequence[TrueEvent], alarms: Sequence[Alarm], *, hold_s: float
) -> RuleScore:
    """Score one kind of rule in one scene.

    Args:
        kind: The rule's kind; events of other kinds and alarms of other rules are left out.
        hold_s: The rule's hold-to-open.
    """
    wanted = [event for event in events if KINDS.get(event.kind) == kind]
    score = RuleScore(events=len(wanted))
    found: set[int] = set()
    for alarm in sorted(alarms, key=lambda alarm: alarm.opened_s):
        if alarm.kind != kind:
            continue
        if not any(_opened_for(alarm, event, hold_s) for event in wanted):
            score.false_alarms += 1
            continue
        # One violation may last through two events that lie close together.
        new = {n for n, event in enumerate(wanted) if _open_during(alarm, event, hold_s)} - found
        score.repeats += not new
        score.detected += len(new)
        score.delays_s += [max(0.0, alarm.opened_s - wanted[n].t_start) for n in sorted(new)]
        nearest = min((_distance(wanted[n]) for n in new), default=None)
        if alarm.distance_m is not None and nearest is not None and np.isfinite(nearest):
            score.distance_errors_m.append(alarm.distance_m - nearest)
        found |= new
    return score


def _distance(event: TrueEvent) -> float:
    """The smallest true distance; infinite if the event is about no distance."""
    return float(event.value) if isinstance(event.value, int | float) else float("inf")


def _opened_for(alarm: Alarm, event: TrueEvent, hold_s: float) -> bool:
    """Whether the alarm was opened by this event."""
    in_time = event.t_start - EARLY_S <= alarm.opened_s <= event.t_end + hold_s + LATE_S
    return in_time and _is_about(alarm, event)


def _open_during(alarm: Alarm, event: TrueEvent, hold_s: float) -> bool:
    """Whether the alarm was open while this event was."""
    in_time = alarm.opened_s <= event.t_end + hold_s + LATE_S
    lasts = alarm.closed_s is None or alarm.closed_s >= event.t_start
    return in_time and lasts and _is_about(alarm, event)


def _is_about(alarm: Alarm, event: TrueEvent) -> bool:
    """Whether person and equipment are the event's."""
    if alarm.about_person and alarm.person not in event.subjects:
        return False
    if event.kind == "ppe_missing" and isinstance(event.value, list):
        missing = {ITEMS.get(item, item) for item in event.value}
        return bool(alarm.items) and alarm.items <= missing
    return True
