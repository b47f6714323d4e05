"""Violations that two cameras report of one person: one situation, so one alert."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from safety.engine.handover import Handover
from safety.types import Phase, Violation

_PERSON = re.compile(r"person-(\d+)")

PersonOf = Callable[[str, int], int | None]
"""Camera and track id → who that is on the plan, None if it is not known."""


@dataclass(slots=True)
class _Open:
    """A violation that is open: of which rule, who broke it as which camera sees it."""

    rule_id: str
    shadow: bool
    camera_id: str
    subject: str
    track_id: int | None
    first: str


class Doubles:
    """Remembers which open violations are the same situation seen by another camera.

    The violation that came first raises the alert; those that follow are put on record and
    name it. It is decided once, when a violation is first reported, and never changed.

    Args:
        person_of: Who somebody is on the plan.
        handover: Knows what was over a moment ago and goes on; None: what is over is over.
    """

    def __init__(self, person_of: PersonOf, handover: Handover | None = None) -> None:
        self._person_of = person_of
        self._handover = handover
        self._open: dict[str, _Open] = {}

    def first_of(self, violation: Violation, *, on_floor: bool) -> str | None:
        """The violation that this one is the same situation as; None if it stands for itself.

        Args:
            violation: A report of it, any phase.
            on_floor: Whether its zone is on the floor plan.
        """
        known = self._open.get(violation.id)
        if known is None and on_floor:
            known = self._judge(violation)
        if known is None:
            return None
        if self._handover is not None:
            self._handover.note(violation, track_of(violation), known.first)
        if violation.phase is Phase.CLOSED:
            self._open.pop(violation.id, None)
        else:
            known.rule_id, known.shadow = violation.rule_id, violation.shadow
            known.camera_id, known.subject = violation.camera_id, violation.subject
            known.track_id = track_of(violation) or known.track_id
            self._open[violation.id] = known
        return known.first if known.first != violation.id else None

    def first_known(self, violation_id: str) -> str:
        """The violation that a known one follows; itself if it stands for itself."""
        known = self._open.get(violation_id)
        return violation_id if known is None else known.first

    def resume(self, followed: Mapping[str, str]) -> None:
        """Take over what an earlier life decided: violation → the one it follows."""
        for violation_id, first in followed.items():
            self._open.setdefault(violation_id, _Open("", False, "", "", None, first))

    def forget(self, violation_id: str) -> None:
        """Nobody reports it any more."""
        self._open.pop(violation_id, None)
        if self._handover is not None:
            self._handover.forget(violation_id)

    def _judge(self, violation: Violation) -> _Open | None:
        track_id = track_of(violation)
        if track_id is None and violation.subject != violation.zone_id:
            return None
        first = self._same_situation(violation, track_id)
        if first is None and self._handover is not None and violation.phase is not Phase.CLOSED:
            first = self._handover.goes_on(violation, track_id)
        return _Open(
            violation.rule_id,
            violation.shadow,
            violation.camera_id,
            violation.subject,
            track_id,
            first or violation.id,
        )

    def _same_situation(self, violation: Violation, track_id: int | None) -> str | None:
        """Of a person on the plan, or of the zone as a whole, such as too few people in it."""
        for other in self._open.values():
            alike = (other.rule_id, other.shadow) == (violation.rule_id, violation.shadow)
            if (
                alike
                and other.camera_id != violation.camera_id
                and self._is_same_subject(other, violation, track_id)
            ):
                return other.first
        return None

    def _is_same_subject(self, other: _Open, violation: Violation, track_id: int | None) -> bool:
        if track_id is None or other.track_id is None:
            return other.subject == violation.subject == violation.zone_id
        person = self._person_of(violation.camera_id, track_id)
        return person is not None and self._person_of(other.camera_id, other.track_id) == person


def track_of(violation: Violation) -> int | None:
    """The track that the person is followed by now; tracks break, violations go on."""
    name = str(violation.details.get("seen_as", violation.subject))
    found = _PERSON.match(name)
    return int(found.group(1)) if found else None
