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
        fitting = [n for n, event in enumerate(wanted) if _fits(alarm, event, hold_s)]
        if not fitting:
            score.false_alarms += 1
            continue
        new = [n for n in fitting if n not in found]
        if not new:
            score.repeats += 1
            continue
        found.add(new[0])
        score.detected += 1
        score.delays_s.append(max(0.0, alarm.opened_s - wanted[new[0]].t_start))
        true_distance = wanted[new[0]].value
        if alarm.distance_m is not None and isinstance(true_distance, int | float):
            score.distance_errors_m.append(alarm.distance_m - float(true_distance))
    return score


def _fits(alarm: Alarm, event: TrueEvent, hold_s: float) -> bool:
    """Whether the alarm is about this event: its time, its person, its equipment."""
    if not event.t_start - EARLY_S <= alarm.opened_s <= event.t_end + hold_s + LATE_S:
        return False
    if alarm.about_person and alarm.person not in event.subjects:
        return False
    if event.kind == "ppe_missing" and isinstance(event.value, list):
        missing = {ITEMS.get(item, item) for item in event.value}
        return bool(alarm.items) and alarm.items <= missing
    return True
