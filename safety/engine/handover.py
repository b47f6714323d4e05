"""Who walks out of one camera's picture and into another's breaks a rule once, not twice."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from safety.clock import Clock
from safety.engine.plan import Spot
from safety.types import Phase, Violation

WALKING_MPS = 2.0
"""How fast somebody whom no camera sees goes on, at the most,"""

UNSEEN_S = 5.0
"""and for how long. Whoever turns up later is somebody else, unless the plan knows better."""

SLACK_M = 0.5
SIGMAS = 2.0
"""How far two cameras may put one person apart: so much, and so many standard deviations."""

_UNSEEN_ENDS = frozenset({"rule_changed", "disarmed", "muted"})
"""Ends after which nobody is protected from a new violation; see ``Episodes.end``."""


@dataclass(slots=True, kw_only=True)
class _Last:
    """A violation as it was when last heard of.

    Attributes:
        spot: Where its person was; None: not known, or it is no person's.
        first: The violation whose alert stands for it.
        until: Monotonic seconds until which it may be gone on with, once it is over.
    """

    rule_id: str
    shadow: bool
    camera_id: str
    subject: str
    spot: Spot | None
    first: str
    until: float = math.inf


class Handover:
    """Remembers violations that are over for as long as their rule's cooldown lasts.

    Args:
        spot_of: Where on the plan a camera's track was last seen.
        is_seen: Whether somebody on the plan is seen by any camera now.
        cooldown_s: Of a rule, by id.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        spot_of: Callable[[str, int], Spot | None],
        is_seen: Callable[[int], bool],
        cooldown_s: Callable[[str], float],
    ) -> None:
        self._clock = clock
        self._spot_of = spot_of
        self._is_seen = is_seen
        self._cooldown_s = cooldown_s
        self._open: dict[str, _Last] = {}
        self._over: dict[str, _Last] = {}

    def note(self, violation: Violation, track_id: int | None, first: str) -> None:
        """Take a report of a violation of which it is known for what it stands."""
        spot = None if track_id is None else self._spot_of(violation.camera_id, track_id)
        before = self._open.pop(violation.id, None)
        if spot is None and before is not None:
            spot = before.spot
        last = _Last(
            rule_id=violation.rule_id,
            shadow=violation.shadow,
            camera_id=violation.camera_id,
            subject=violation.subject,
            spot=spot,
            first=first,
        )
        if violation.phase is not Phase.CLOSED:
            self._open[violation.id] = last
        elif violation.end_reason not in _UNSEEN_ENDS:
            last.until = self._clock.now().monotonic + self._cooldown_s(violation.rule_id)
            self._over[violation.id] = last

    def forget(self, violation_id: str) -> None:
        """Nobody reports it any more."""
        self._open.pop(violation_id, None)

    def goes_on(self, violation: Violation, track_id: int | None) -> str | None:
        """The violation of which a new one is the continuation; it is gone on with once only."""
        now = self._clock.now().monotonic
        self._over = {key: last for key, last in self._over.items() if now <= last.until}
        spot = None if track_id is None else self._spot_of(violation.camera_id, track_id)
        for key, last in self._over.items():
            alike = (last.rule_id, last.shadow) == (violation.rule_id, violation.shadow)
            if alike and self._is_same(last, violation, spot):
                del self._over[key]
                return last.first
        return None

    def _is_same(self, last: _Last, violation: Violation, spot: Spot | None) -> bool:
        if spot is None or last.spot is None:
            return last.subject == violation.subject == violation.zone_id
        if spot.person == last.spot.person:
            return True
        elsewhere = last.camera_id != violation.camera_id
        return elsewhere and not self._is_seen(last.spot.person) and _has_walked(last.spot, spot)


def _has_walked(before: Spot, after: Spot) -> bool:
    """Whether somebody who was lost at one place may be the one who turned up at the other."""
    gone_s = after.at - before.at
    if not 0 <= gone_s <= UNSEEN_S or after.first_seen_at < before.at:
        return False
    way_m = math.hypot(after.x_m - before.x_m, after.y_m - before.y_m)
    doubt_m = SLACK_M + SIGMAS * math.hypot(before.sigma_m, after.sigma_m)
    return way_m <= WALKING_MPS * gone_s + doubt_m
