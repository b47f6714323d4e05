"""Rule kind ``running``: a person moves faster than walking.

Unknown input: metres per second need a calibrated camera. Without one the rule cannot be judged
and says so; it never guesses from the picture. Of somebody whose velocity is not known yet it
cannot tell either.
"""

import math
from typing import Literal

from pydantic import Field

from safety.types import PlantState, Violation
from zones.people import People
from zones.rules.base import CameraRuleBase, RuleContext
from zones.rules.episode import EpisodeMachine, Episodes
from zones.rules.where import Where


class RunningSpec(CameraRuleBase):
    """A person runs; only where the camera is calibrated."""

    kind: Literal["running"] = "running"
    hold_to_open_s: float = Field(default=0.5, ge=0, le=3600)
    """Seconds of running before a violation opens."""
    limit_mps: float = Field(default=2.5, gt=0, le=12)
    """Metres per second; people walk at 1.4 and hurry at 2."""

    def can_judge(self, context: RuleContext) -> bool:
        return context.calibration is not None

    def machine(self, context: RuleContext) -> "RunningMachine":
        return RunningMachine(self, context)


class RunningMachine(EpisodeMachine[int]):
    """Who runs now."""

    def __init__(self, spec: RunningSpec, context: RuleContext) -> None:
        self._limit_mps = spec.limit_mps
        self._where = Where(context)
        super().__init__(
            Episodes(
                spec,
                context,
                kind=spec.kind,
                hold_to_open_s=spec.hold_to_open_s,
                duration="running_s",
            )
        )

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        here = self._where.inside(people, "feet")
        speeds = {
            person.track_id: math.hypot(*person.velocity_mps)
            for person in people.pedestrians
            if person.velocity_mps is not None and (here is None or person.track_id in here)
        }
        fast = {
            track_id: {"speed_mps": round(speed, 1), "limit_mps": self._limit_mps}
            for track_id, speed in speeds.items()
            if speed > self._limit_mps
        }
        unknown = [p.track_id for p in people.pedestrians if p.velocity_mps is None]
        return self._episodes.update(
            people.at, people.subjects, fast, aspect=people.aspect, undecided=unknown
        )
