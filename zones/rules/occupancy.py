"""Rule kind ``occupancy``: too many, too few, or nobody but one."""

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from safety.clock import Instant
from safety.types import PlantState, Violation
from zones.people import People, Subject
from zones.rules.base import CameraRuleBase, EndReason, RuleContext
from zones.rules.episode import EpisodeMachine, Episodes
from zones.rules.memory import Memory

CONFIRM_S = 0.4
"""Somebody counts after so many seconds in the zone: a flicker is nobody."""

LINGER_S = 2.0
"""Somebody who is lost inside counts for so long: hidden is not gone."""

_TOLERANCE_S = 1e-3


class OccupancySpec(CameraRuleBase):
    """The number of people is not what it should be.

    Lone work: at_least 2, empty_is_fine, and the minutes in hold_to_open_s; a two-person rule is
    the same with a few seconds. Drivers of vehicles count. Every camera counts whom it sees; a
    camera that sees nothing counts nobody as present or absent: its violations end as
    ``camera_blind``, and none opens.
    """

    kind: Literal["occupancy"] = "occupancy"
    hold_to_open_s: float = Field(default=2.0, ge=0, le=86400)
    """Seconds the condition must last before a violation opens."""
    at_least: int | None = Field(default=None, ge=1, le=100)
    """Fewer people break the rule."""
    at_most: int | None = Field(default=None, ge=0, le=100)
    """More people break the rule."""
    empty_is_fine: bool = False
    """Nobody at all does not break it."""

    @model_validator(mode="after")
    def _some_limit(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise PydanticCustomError("occupancy.limit", "give at_least, at_most, or both")
        if None not in {self.at_least, self.at_most} and (self.at_least or 0) > (self.at_most or 0):
            raise PydanticCustomError(
                "occupancy.range", "at_least is larger than at_most, so any number breaks the rule"
            )
        return self

    def machine(self, context: RuleContext) -> "OccupancyMachine":
        return OccupancyMachine(self, context)


@dataclass(frozen=True, slots=True)
class _Presence:
    """Since when somebody is inside; None: seen outside."""

    since: float | None


class OccupancyMachine(EpisodeMachine[str]):
    """How many are inside now."""

    def __init__(self, spec: OccupancySpec, context: RuleContext) -> None:
        super().__init__(
            Episodes(
                spec,
                context,
                kind=spec.kind,
                hold_to_open_s=spec.hold_to_open_s,
                bridges_leaving=True,
                duration="lasting_s",
            )
        )
        self._spec = spec
        self._area = context.area if context.zone_polygon is not None else None
        self._place = spec.zone_id or context.camera_id
        self._present: Memory[_Presence] = Memory(LINGER_S)
        self._began_at: float | None = None
        self._counted = 0

    def end(self, reason: EndReason, now: Instant) -> list[Violation]:
        self._present.clear()
        self._began_at = None
        self._counted = 0
        return super().end(reason, now)

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        now = people.at.monotonic
        if self._began_at is None:
            self._began_at = now
        count = self._count(people.with_drivers)
        # Somebody who counts has been there while that was being made sure of.
        since = now - CONFIRM_S if count > self._counted else now
        self._counted = count
        wrong = now - self._began_at >= CONFIRM_S - _TOLERANCE_S and self._is_wrong(count)
        place = Subject(name=self._place, box=None, born_at=self._began_at)
        breaking = {self._place: self._measured(count)} if wrong else {}
        return self._episodes.update(
            people.at, {self._place: place}, breaking, aspect=people.aspect,
            since={self._place: since},
        )  # fmt: skip

    def _count(self, people: People) -> int:
        """Those inside for long enough, and those who were when last seen."""
        self._present.meet(people)
        now = people.at.monotonic
        inside = people.subjects if self._area is None else people.inside(self._area, "feet")
        for track_id, subject in people.subjects.items():
            before = self._present.see(track_id, subject, now)
            if before is None or (before.since is None) == (track_id in inside):
                here = _Presence(now if track_id in inside else None)
                self._present.put(track_id, here, subject, now)
        return sum(presence.since is not None and now - presence.since >= CONFIRM_S - _TOLERANCE_S
                   for presence in self._present.all())  # fmt: skip

    def _is_wrong(self, count: int) -> bool:
        if count == 0 and self._spec.empty_is_fine:
            return False
        too_few = self._spec.at_least is not None and count < self._spec.at_least
        return too_few or (self._spec.at_most is not None and count > self._spec.at_most)

    def _measured(self, count: int) -> dict[str, object]:
        limits: dict[str, int | None] = {
            "at_least": self._spec.at_least,
            "at_most": self._spec.at_most,
        }
        return {"people": count, **{name: n for name, n in limits.items() if n is not None}}
