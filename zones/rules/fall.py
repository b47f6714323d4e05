"""Rule kind ``fall``: a person falls to the floor.

Unknown input: without hips and shoulders the box's shape has to do; somebody whose standing was
never seen has not been seen falling, and is a matter for ``man_down``. Somebody along the view
is told from somebody who crouches only if the camera is calibrated or saw them stand.
"""

from typing import Literal

from pydantic import Field

from safety.types import PlantState, Violation
from zones.people import People
from zones.rules.base import CameraRuleBase, RuleContext
from zones.rules.episode import Details, EpisodeMachine, Episodes
from zones.rules.where import Where

LEAST_DOWN_S = 0.4
"""However long the way down took: so much of the hold-to-open is seen on the floor."""


class FallSpec(CameraRuleBase):
    """A person falls: trunk far from upright, body wider than high, hips down within moments."""

    kind: Literal["fall"] = "fall"
    hold_to_open_s: float = Field(default=1.0, ge=0, le=3600)
    """Seconds from the beginning of the fall, at least 0.4 of them on the floor, before a violation
    opens."""
    hold_to_close_s: float = Field(default=3.0, ge=0, le=3600)
    """Seconds up again, or unseen, before the violation closes."""

    def machine(self, context: RuleContext) -> "FallMachine":
        return FallMachine(self, context)


class FallMachine(EpisodeMachine[int]):
    """Who fell and lies."""

    def __init__(self, spec: FallSpec, context: RuleContext) -> None:
        self._where = Where(context)
        self._way_down_s = max(0.0, spec.hold_to_open_s - LEAST_DOWN_S)
        super().__init__(
            Episodes(
                spec,
                context,
                kind=spec.kind,
                hold_to_open_s=spec.hold_to_open_s,
                bridges_leaving=True,
                duration="down_s",
            )
        )

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        here = self._where.inside(people)
        fallen: dict[int, Details] = {
            track_id: {}
            for track_id, past in people.lying.items()
            if past.fell and (here is None or track_id in here)
        }
        earliest = people.at.monotonic - self._way_down_s
        since = {key: max(people.lying[key].fell_from, earliest) for key in fallen}
        return self._episodes.update(
            people.at, people.subjects, fallen, aspect=people.aspect, since=since
        )
