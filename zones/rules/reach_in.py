"""Rule kind ``reach_in``: a hand or an arm is inside, the feet are outside."""

from typing import Literal

from pydantic import Field

from safety.types import PlantState, Violation
from zones.areas import ZoneArea
from zones.geometry import Polygon
from zones.people import People
from zones.rules.base import RuleContext, ZoneRuleBase
from zones.rules.episode import EpisodeMachine, Episodes

FLICKER_S = 0.2
"""A hand at the edge that is seen outside for less has not left."""


class ReachInSpec(ZoneRuleBase):
    """A hand or an arm is inside the zone while the feet are outside.

    A zone drawn in the picture is drawn where hands would be inside; one on the floor plan is
    raised to ``height_m``. A hand reaches beyond its wrist, in the direction of the forearm. An
    elbow counts where the same arm's wrist is not seen; arms that are not seen at all are not
    inside. Feet of which nobody knows where they are count as outside.
    """

    kind: Literal["reach_in"] = "reach_in"
    hold_to_open_s: float = Field(default=0.3, ge=0, le=3600)
    """Seconds the condition must last before a violation opens."""
    hold_to_close_s: float = Field(default=0.5, ge=0, le=3600)
    """Seconds the condition must be gone before the violation closes."""
    cooldown_s: float = Field(default=0.5, ge=0, le=86400)
    """Seconds after closing during which the same subject opens no new violation."""
    height_m: float = Field(default=1.15, gt=0, le=4)
    """Height in metres at which arms reach into a zone on the floor."""
    reach_m: float = Field(default=1.2, gt=0, le=3)
    """Metres from a zone on the floor beyond which nobody can reach into it."""

    def machine(self, context: RuleContext) -> "ReachInMachine":
        return ReachInMachine(self, context)

    def can_judge(self, context: RuleContext) -> bool:
        return _opening(self, context) is not None


class ReachInMachine(EpisodeMachine[int]):
    """Whose arms are inside now."""

    def __init__(self, spec: ReachInSpec, context: RuleContext) -> None:
        super().__init__(
            Episodes(
                spec,
                context,
                kind=spec.kind,
                hold_to_open_s=spec.hold_to_open_s,
                flicker_s=FLICKER_S,
                duration="reaching_s",
            )
        )
        self._reach_m = spec.reach_m
        self._area = context.area
        self._opening = ZoneArea(_opening(spec, context) or ())

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        reaching = people.inside(self._opening, "arms")
        if not reaching:
            return self._episodes.update(people.at, people.subjects, {}, aspect=people.aspect)
        standing = people.inside(self._area, "feet")
        far = people.farther(self._area, self._reach_m, reaching)
        breaking = {
            track_id: {"points": points}
            for track_id, points in reaching.items()
            if track_id not in standing and track_id not in far
        }
        return self._episodes.update(people.at, people.subjects, breaking, aspect=people.aspect)


def _opening(spec: ReachInSpec, context: RuleContext) -> Polygon | None:
    """Where hands inside are seen; None if that is outside the picture."""
    if context.zone_floor_m is None or context.calibration is None:
        return context.zone_polygon
    return context.calibration.picture_polygon(context.zone_floor_m, height_m=spec.height_m)
