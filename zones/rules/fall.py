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
from zones.rules.down import DownMachine
from zones.rules.episode import Details

LEAST_DOWN_S = 0.4
"""However long the way down took: so much of the hold-to-open is seen on the floor."""

_NOTHING: Details = {}


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


class FallMachine(DownMachine):
    """Who fell and lies."""

    def __init__(self, spec: FallSpec, context: RuleContext) -> None:
        self._way_down_s = max(0.0, spec.hold_to_open_s - LEAST_DOWN_S)
        super().__init__(spec, context, kind=spec.kind, duration="down_s")

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        fallen = {track_id: past for track_id, past in self._down(people).items() if past.fell}
        earliest = people.at.monotonic - self._way_down_s
        return self._episodes.update(
            people.at,
            people.subjects,
            dict.fromkeys(fallen, _NOTHING),
            aspect=people.aspect,
            since={track_id: max(past.fell_from, earliest) for track_id, past in fallen.items()},
        )
