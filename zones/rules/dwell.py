"""Rule kind ``dwell``: a person stays inside a zone for too long."""

from typing import Literal

from pydantic import Field

from safety.types import PlantState, Violation
from zones.people import People
from zones.rules.base import RuleContext, ZoneRuleBase
from zones.rules.episode import EpisodeMachine, Episodes


class DwellSpec(ZoneRuleBase):
    """A person stays inside the zone for too long."""

    kind: Literal["dwell"] = "dwell"
    limit_s: float = Field(gt=0, le=86400)
    """Seconds inside, counted with short gaps bridged by hold_to_close_s."""

    def machine(self, context: RuleContext) -> "DwellMachine":
        return DwellMachine(self, context)


class DwellMachine(EpisodeMachine[int]):
    """Who is inside, and for how long."""

    def __init__(self, spec: DwellSpec, context: RuleContext) -> None:
        self._limit_s = spec.limit_s
        self._area = context.area
        super().__init__(
            Episodes(
                spec,
                context,
                kind=spec.kind,
                hold_to_open_s=spec.limit_s + spec.hold_to_open_s,
                bridges_leaving=True,
            )
        )

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        inside = people.inside(self._area, "feet")
        return self._episodes.update(
            people.at,
            people.subjects,
            {track_id: {"limit_s": self._limit_s} for track_id in inside},
            aspect=people.aspect,
        )
