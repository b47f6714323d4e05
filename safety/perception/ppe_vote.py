"""What a person wears, told from several looks: one look may be wrong, the person may turn."""

import math
from dataclasses import dataclass

from safety.perception.ppe_binding import Evidence
from safety.types import PpeState

FADING_S = 2.0
"""Time constant with which earlier looks lose weight against later ones, seconds."""

VALID_S = 4.0
"""A decision without a new telling look for so long is none any more, seconds."""

MISSING_VALID_S = 2.0
"""The same for the answer that alarms: no violation may open on looks of some seconds ago."""

LEAST_WEIGHT = 1.0
"""Sum of faded scores that a decision needs: two sure looks or several doubtful ones."""

LEAST_SHARE_WORN = 0.6
LEAST_SHARE_MISSING = 0.75
"""Share of the weight that must speak for an answer; more for the one that alarms."""

LEAST_MEAN_MISSING = 0.68
"""Mean score, faded alike, of the looks that speak for "missing": one that is wrong about a
person is often wrong for seconds, but not surely so."""


@dataclass(slots=True)
class Vote:
    """The looks at one item of one person so far. Everything is in seconds, nothing in looks
    per frame: a camera analysed half as often says the same.

    Attributes:
        worn, missing: Faded sums of the scores of the looks that say so.
        looks_missing: Faded number of those that say "missing".
        told_at, missing_at: When the last look said anything, and said "missing".
        missing_since: The first of the looks that have said nothing else since; infinite: none.
    """

    worn: float = 0.0
    missing: float = 0.0
    looks_missing: float = 0.0
    told_at: float = -math.inf
    missing_at: float = -math.inf
    missing_since: float = math.inf

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
        self.looks_missing *= keep
        if state is PpeState.WORN:
            self.worn += evidence.worn
            self.missing_since = math.inf
        else:
            again = at - self.missing_at <= MISSING_VALID_S
            self.missing_since = min(self.missing_since, at) if again else at
            self.missing_at = at
            self.missing += evidence.missing
            self.looks_missing += 1
        self.told_at = at

    def state(self, now: float) -> PpeState:
        """What is known at ``now`` monotonic seconds."""
        weight = self.worn + self.missing
        if now - self.told_at > VALID_S or weight < LEAST_WEIGHT:
            return PpeState.UNKNOWN
        if self.missing >= LEAST_SHARE_MISSING * weight:
            sure = self.missing >= LEAST_MEAN_MISSING * self.looks_missing
            fresh = now - self.missing_at <= MISSING_VALID_S
            return PpeState.MISSING if sure and fresh else PpeState.UNKNOWN
        if self.worn >= LEAST_SHARE_WORN * weight:
            return PpeState.WORN
        return PpeState.UNKNOWN
