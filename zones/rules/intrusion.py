"""Rule kind ``intrusion``: a person is inside a zone."""

from functools import partial
from typing import Literal

from safety.types import PlantState, Violation
from zones.feet import Standing
from zones.people import People
from zones.rules.base import RuleContext, ZoneRuleBase
from zones.rules.details import Later
from zones.rules.episode import EpisodeMachine, Episodes


class IntrusionSpec(ZoneRuleBase):
    """A person is inside the zone.

    Somebody whose body points are not seen is judged by the lower edge of the box; hands that
    are not seen are not inside.
    """

    kind: Literal["intrusion"] = "intrusion"
    body: Literal["feet", "hands", "any"] = "feet"
    """Which body points count: feet (ankles, else the box's bottom), hands (wrists), any."""

    def machine(self, context: RuleContext) -> "IntrusionMachine":
        return IntrusionMachine(self, context)


class IntrusionMachine(EpisodeMachine[int]):
    """Who is inside now, and since when."""

    def __init__(self, spec: IntrusionSpec, context: RuleContext) -> None:
        self._body = spec.body
        self._area = context.area
        super().__init__(
            Episodes(spec, context, kind=spec.kind, hold_to_open_s=spec.hold_to_open_s)
        )

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        inside = people.inside(self._area, self._body)
        standing = people.standing(self._area) if self._body == "feet" else {}
        breaking = {
            track_id: Later(partial(_details, points, standing.get(track_id)))
            for track_id, points in inside.items()
        }
        return self._episodes.update(people.at, people.subjects, breaking, aspect=people.aspect)


def _details(points: list[str], there: Standing | None) -> dict[str, object]:
    if there is None:
        return {"points": points}
    depth = there.depth
    return {
        "points": points,
        "depth_m": round(depth.inside_m, 2),
        "uncertainty_m": round(depth.sigma_m, 2),
    }
