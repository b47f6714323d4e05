"""Rule kind ``vehicle_speed``: a forklift or robot drives too fast.

Unknown input: the speed is that which the vehicle reports, or that measured on a calibrated
floor. Of a vehicle without either nothing is known: the rule says so (``floor_unknown``,
``vehicle_lost`` among its doubts) and an open violation ends as ``cannot_tell``, not as cleared.
"""

from typing import Literal

from pydantic import Field

from safety.types import PlantState, Violation
from zones.people import People
from zones.rules.base import CameraRuleBase, RuleContext
from zones.rules.episode import EpisodeMachine, Episodes
from zones.rules.traffic import VehicleArea, VehicleKinds, as_subjects, doubts_about


class VehicleSpeedSpec(CameraRuleBase):
    """A vehicle is faster than allowed, in a zone or anywhere in view."""

    kind: Literal["vehicle_speed"] = "vehicle_speed"
    hold_to_open_s: float = Field(default=0.5, ge=0, le=3600)
    """Seconds too fast before a violation opens."""
    vehicles: VehicleKinds = ("forklift", "amr")
    """Kinds of vehicles that count."""
    limit_mps: float = Field(default=1.5, gt=0, le=15)
    """Metres per second."""

    def machine(self, context: RuleContext) -> "VehicleSpeedMachine":
        return VehicleSpeedMachine(self, context)


class VehicleSpeedMachine(EpisodeMachine[str]):
    """Which vehicles are too fast now."""

    def __init__(self, spec: VehicleSpeedSpec, context: RuleContext) -> None:
        self._spec = spec
        self._area = VehicleArea(context)
        self._doubts: frozenset[str] = frozenset()
        super().__init__(
            Episodes(
                spec,
                context,
                kind=spec.kind,
                hold_to_open_s=spec.hold_to_open_s,
                duration="too_fast_s",
            )
        )

    @property
    def doubts(self) -> frozenset[str]:
        """What it cannot tell now."""
        return self._doubts

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        traffic = people.traffic(plant)
        self._doubts = doubts_about(people, traffic)
        here = [v for v in traffic.of(self._spec.vehicles) if self._area.holds(v)]
        fast = {
            vehicle.name: {
                "speed_mps": round(speed, 1),
                "limit_mps": self._spec.limit_mps,
                "reported": vehicle.reported,
            }
            for vehicle in here
            if (speed := vehicle.speed_mps) is not None and speed > self._spec.limit_mps
        }
        return self._episodes.update(
            people.at,
            as_subjects(traffic.of(self._spec.vehicles)),
            fast,
            aspect=people.aspect,
            undecided=[vehicle.name for vehicle in here if vehicle.speed_mps is None],
        )
