"""Rule kind ``occupancy``: too many, too few, or nobody but one."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from safety.clock import Instant
from safety.types import PlantState, SharedZone, Violation
from zones.people import People, Subject
from zones.rules.base import CameraRuleBase, EndReason, RuleContext
from zones.rules.episode import EpisodeMachine, Episodes
from zones.rules.memory import Memory
from zones.views import ALL, seen_share

CONFIRM_S = 0.4
"""Somebody counts after so many seconds in the zone: a flicker is nobody."""

LINGER_S = 2.0
"""Somebody who is lost inside counts for so long: hidden is not gone."""

LATE_S = 1.5
"""Whom other cameras see, and that it is somebody whom this one sees too, is known so much later:
what one camera cannot tell alone must last for so long, before anything else."""

_TOLERANCE_S = 1e-3


class OccupancySpec(CameraRuleBase):
    """The number of people is not what it should be.

    Lone work: at_least 2, empty_is_fine, and the minutes in hold_to_open_s; a two-person rule is
    the same with a few seconds. Drivers of vehicles count. In a zone on the floor that several
    cameras see, every one of them counts the people of all, each once. A camera that sees nothing
    counts nobody as present or absent: its violations end as ``camera_blind``, and none opens;
    whether there are too few then only a camera that sees all of the zone can tell.
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


_OTHERS_BLIND = frozenset({"others_blind"})


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
        self._camera_id = context.camera_id
        self._floor_m, self._calibration = context.zone_floor_m, context.calibration
        self._wrong_since: float | None = None
        self._doubts: frozenset[str] = frozenset()

    def end(self, reason: EndReason, now: Instant) -> list[Violation]:
        self._present.clear()
        self._began_at = self._wrong_since = None
        self._counted = 0
        return super().end(reason, now)

    @property
    def doubts(self) -> frozenset[str]:
        """What it cannot tell now."""
        return self._doubts

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        now = people.at.monotonic
        if self._began_at is None:
            self._began_at = now
        shared = self._shared_zone(plant)
        here = self._count(people.with_drivers)
        count = len(here) + self._elsewhere(shared, here)
        too_few, too_many = self._is_wrong(count)
        unsure = shared is not None and self._is_unsure(shared)
        self._doubts = _OTHERS_BLIND if unsure and self._spec.at_least is not None else frozenset()
        # Somebody who counts has been there while that was being made sure of.
        since = now - CONFIRM_S if count > self._counted else now
        self._counted = count
        wrong = too_many or (too_few and not unsure)
        if shared is not None and not self._is_wrong(len(here))[1]:
            wrong, since = self._settled(wrong, now)
        wrong &= now - self._began_at >= CONFIRM_S - _TOLERANCE_S
        place = Subject(name=self._place, box=None, born_at=self._began_at)
        return self._episodes.update(
            people.at, {self._place: place},
            {self._place: self._measured(count)} if wrong else {},
            aspect=people.aspect, since={self._place: since},
            undecided={self._place} if too_few and unsure else (),
        )  # fmt: skip

    def _settled(self, wrong: bool, now: float) -> tuple[bool, float]:
        """Whether what other cameras have a say in is wrong, and since when; see ``LATE_S``."""
        if not wrong:
            self._wrong_since = None
            return False, now
        if self._wrong_since is None:
            self._wrong_since = now
        lasts = now - self._wrong_since >= LATE_S - _TOLERANCE_S
        return lasts or not self._episodes.idle, self._wrong_since

    def _count(self, people: People) -> set[int]:
        """Those inside for long enough, and those who were when last seen, by track id."""
        self._present.meet(people)
        now = people.at.monotonic
        inside = people.subjects if self._area is None else people.inside(self._area, "feet")
        for track_id, subject in people.subjects.items():
            before = self._present.see(track_id, subject, now)
            if before is None or (before.since is None) == (track_id in inside):
                here = _Presence(now if track_id in inside else None)
                self._present.put(track_id, here, subject, now)
        return {track_id for track_id, presence in self._present.items()
                if presence.since is not None
                and now - presence.since >= CONFIRM_S - _TOLERANCE_S}  # fmt: skip

    def _shared_zone(self, plant: PlantState) -> SharedZone | None:
        """The zone as the other cameras of this rule know it; None if there are none."""
        shared = plant.shared_zones.get(self._spec.zone_id or "")
        if shared is None or not any(map(self._is_other, shared.cameras)):
            return None
        return shared

    def _is_other(self, camera_id: str) -> bool:
        named = self._spec.camera_ids is None or camera_id in self._spec.camera_ids
        return named and camera_id != self._camera_id

    def _elsewhere(self, shared: SharedZone | None, here: Collection[int]) -> int:
        """Those whom other cameras see in the zone and this one does not count."""
        return sum(
            any(self._is_other(camera_id) for camera_id, _ in tracks)
            and not any((self._camera_id, track_id) in tracks for track_id in here)
            for tracks in (() if shared is None else shared.people)
        )

    def _is_unsure(self, shared: SharedZone) -> bool:
        """Whether somebody may be where only a camera would see him that sees nothing now."""
        return any(map(self._is_other, shared.unseen_by)) and not self._sees_all

    @cached_property
    def _sees_all(self) -> bool:
        zone, calibration = self._floor_m, self._calibration
        return zone is not None and calibration is not None and seen_share(zone, calibration) >= ALL

    def _is_wrong(self, count: int) -> tuple[bool, bool]:
        """Whether there are too few, and whether there are too many."""
        at_least, at_most = self._spec.at_least, self._spec.at_most
        fine = count == 0 and self._spec.empty_is_fine
        too_few = at_least is not None and count < at_least and not fine
        return too_few, at_most is not None and count > at_most and not fine

    def _measured(self, count: int) -> dict[str, object]:
        limits: dict[str, int | None] = {
            "at_least": self._spec.at_least,
            "at_most": self._spec.at_most,
        }
        return {"people": count, **{name: n for name, n in limits.items() if n is not None}}
