"""Rule kind ``man_down``: a person lies on the floor and does not move.

Also somebody who already lay there when first seen. Unknown input is as for ``fall``: somebody
along the view whom a camera without calibration never saw standing looks like one who crouches,
and is not taken for one who lies. The time not seen counts as lying still as long as the same
person is found again in the same place.
"""

from typing import Literal

from pydantic import Field

from safety.types import PlantState, Violation
from zones.people import People
from zones.rules.base import CameraRuleBase, RuleContext
from zones.rules.down import DownMachine


class ManDownSpec(CameraRuleBase):
    """A person lies still on the floor."""

    kind: Literal["man_down"] = "man_down"
    hold_to_close_s: float = Field(default=3.0, ge=0, le=3600)
    """Seconds up or moving again, or unseen, before the violation closes."""
    still_s: float = Field(default=10.0, gt=0, le=3600)
    """Seconds without moving from the place."""

    def machine(self, context: RuleContext) -> "ManDownMachine":
        return ManDownMachine(self, context)


class ManDownMachine(DownMachine):
    """Who lies still, and since when."""

    def __init__(self, spec: ManDownSpec, context: RuleContext) -> None:
        self._still_s = spec.still_s
        super().__init__(spec, context, kind=spec.kind, duration="beyond_limit_s")

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        now = people.at.monotonic
        still = {
            track_id: {"still_s": round(now - past.still_since, 1)}
            for track_id, past in self._down(people).items()
            if past.lying_at == now and now - past.still_since >= self._still_s - _TOLERANCE_S
        }
        return self._episodes.update(people.at, people.subjects, still, aspect=people.aspect)


_TOLERANCE_S = 1e-3
"""As for every hold: rounding of frame times is no time."""
