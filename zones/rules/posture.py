"""Rule kind ``posture``: a person works bent for a large share of the time.

A screening for workplaces worth looking at, never a REBA or RULA score: loads, grips and twists
are not seen. The angle in the picture is that of the trunk only near a side view, so moments
seen from the front or back do not count, neither way; nor does time in which somebody is not
seen. Who is followed anew begins anew.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from safety.clock import Instant
from safety.types import PlantState, Severity, Violation
from zones.people import People
from zones.posture import BENT_DEG
from zones.rules.base import CameraRuleBase, EndReason, RuleContext
from zones.rules.episode import EpisodeMachine, Episodes
from zones.rules.where import Where

LONGEST_STEP_S = 1.0
"""A frame speaks for the time until the next one, but not for more than this."""

BUCKETS = 60
"""Pieces in which the window is remembered."""

LEAST_JUDGED = 0.5
"""Share of the window that must have been judged before a share is told."""


class PostureSpec(CameraRuleBase):
    """A person's trunk is bent by more than 60° for a large share of the time."""

    kind: Literal["posture"] = "posture"
    severity: Severity = Severity.INFO
    """How urgent a violation is."""
    window_s: float = Field(default=300.0, ge=2, le=7200)
    """Seconds over which the share is taken."""
    share: float = Field(default=0.3, gt=0, le=1)
    """Share of the time judged, 0-1."""

    def machine(self, context: RuleContext) -> "PostureMachine":
        return PostureMachine(self, context)


@dataclass(slots=True, kw_only=True)
class _Past:
    """One person.

    Attributes:
        seen_at: Monotonic seconds.
        judged, bent: Of the last frame.
        pieces: When each piece of time began, seconds judged, seconds bent.
        judged_s, bent_s: Sums over the pieces.
    """

    seen_at: float
    judged: bool = False
    bent: bool = False
    pieces: deque[list[float]] = field(default_factory=deque)
    judged_s: float = 0.0
    bent_s: float = 0.0

    def pass_to(self, now: float, piece_s: float) -> None:
        """Count the time since the last frame as what that frame showed."""
        seconds = min(now - self.seen_at, LONGEST_STEP_S)
        if self.judged and seconds > 0:
            if not self.pieces or self.seen_at - self.pieces[-1][0] >= piece_s:
                self.pieces.append([self.seen_at, 0.0, 0.0])
            bent_s = seconds if self.bent else 0.0
            self.pieces[-1][1] += seconds
            self.pieces[-1][2] += bent_s
            self.judged_s += seconds
            self.bent_s += bent_s
        self.seen_at = now

    def forget(self, before: float) -> None:
        while len(self.pieces) > 1 and self.pieces[1][0] <= before:
            _, judged_s, bent_s = self.pieces.popleft()
            self.judged_s -= judged_s
            self.bent_s -= bent_s

    def sums(self, since: float) -> tuple[float, float]:
        """Seconds judged and seconds bent; of the oldest piece what lies after ``since``."""
        judged, bent = self.judged_s, self.bent_s
        if self.pieces and self.pieces[0][0] < since:
            start, first_judged, first_bent = self.pieces[0]
            share = min((since - start) / first_judged, 1.0)
            judged -= share * first_judged
            bent -= share * first_bent
        return judged, bent


class PostureMachine(EpisodeMachine[int]):
    """How long everybody has been bent, over the last minutes."""

    def __init__(self, spec: PostureSpec, context: RuleContext) -> None:
        self._spec = spec
        self._where = Where(context)
        self._past: dict[int, _Past] = {}
        super().__init__(
            Episodes(
                spec,
                context,
                kind=spec.kind,
                hold_to_open_s=spec.hold_to_open_s,
                duration="beyond_limit_s",
            )
        )

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        self._note(people)
        strained = {}
        since = people.at.monotonic - self._spec.window_s
        for track_id, past in self._past.items():
            judged, bent = past.sums(since)
            enough = judged >= LEAST_JUDGED * self._spec.window_s
            if track_id in people.subjects and enough and bent >= self._spec.share * judged:
                strained[track_id] = {
                    "bent_share": round(bent / judged, 2),
                    "judged_s": round(judged, 1),
                    "bent_deg": BENT_DEG,
                    "screening": True,
                }
        return self._episodes.update(people.at, people.subjects, strained, aspect=people.aspect)

    def end(self, reason: EndReason, now: Instant) -> list[Violation]:
        self._past.clear()
        return super().end(reason, now)

    def _note(self, people: People) -> None:
        now = people.at.monotonic
        self._past = {
            key: past for key, past in self._past.items()
            if now - past.seen_at <= self._spec.hold_to_close_s + LONGEST_STEP_S
        }  # fmt: skip
        if not people.pedestrians:
            return
        here = self._where.inside(people)
        judged = people.bodies.side_on().tolist()
        bent = people.bodies.bent().tolist()
        piece_s = self._spec.window_s / BUCKETS
        for row, person in enumerate(people.pedestrians):
            past = self._past.setdefault(person.track_id, _Past(seen_at=now))
            past.pass_to(now, piece_s)
            past.forget(now - self._spec.window_s)
            past.judged = judged[row] and (here is None or person.track_id in here)
            past.bent = bent[row]
