"""What a person wears, told from several looks: one look may be wrong, the person may turn."""

import math
from dataclasses import dataclass

from safety.perception.ppe_binding import Evidence
from safety.types import PpeState

FADING_S = 2.0
"""Time constant with which earlier looks lose weight against later ones, seconds."""

VALID_S = 4.0
"""A decision without a new telling look for so long is none any more, seconds."""

LEAST_WEIGHT = 1.0
"""Sum of faded scores that a decision needs: two sure looks or several doubtful ones."""

LEAST_SHARE_WORN = 0.6
LEAST_SHARE_MISSING = 0.75
"""Share of the weight that must speak for an answer; more for the one that alarms."""


@dataclass(slots=True)
class Vote:
    """The looks at one item of one person so far. Everything is in seconds, nothing in looks
    per frame: a camera analysed half as often says the same."""

    worn: float = 0.0
    missing: float = 0.0
    told_at: float = -math.inf

    def add(self, evidence: Evidence, at: float) -> None:
        """Take one look, made on a frame of ``at`` monotonic seconds; looks come in order.

        A look that says nothing changes nothing: turning one's back does not take a hat off.
        """
        state = evidence.state
        if state is PpeState.UNKNOWN:
            return
        elapsed = max(0.0, at - self.told_at)
        keep = math.exp(-elapsed / FADING_S) if elapsed <= VALID_S else 0.0
        self.worn *= keep
        self.missing *= keep
        self.told_at = at
        if state is PpeState.WORN:
            self.worn += evidence.worn
        else:
            self.missing += evidence.missing

    def state(self, now: float) -> PpeState:
        """What is known at ``now`` monotonic seconds."""
        weight = self.worn + self.missing
        if now - self.told_at > VALID_S or weight < LEAST_WEIGHT:
            return PpeState.UNKNOWN
        if self.missing >= LEAST_SHARE_MISSING * weight:
            return PpeState.MISSING
        if self.worn >= LEAST_SHARE_WORN * weight:
            return PpeState.WORN
        return PpeState.UNKNOWN
