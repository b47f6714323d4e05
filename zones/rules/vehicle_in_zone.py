"""Rule kind ``vehicle_in_zone``: a forklift or robot is where only people may be.

Unknown input: a vehicle that is only seen counts by the lower edge of its box, whether the floor
is known or not. A vehicle that should report its place and does not is said to be lost
(``vehicle_lost`` among the rule's doubts); the camera goes on looking for it.
"""

from typing import Literal

from safety.types import PlantState, Violation
from zones.people import People
from zones.rules.base import RuleContext, ZoneRuleBase
from zones.rules.episode import EpisodeMachine, Episodes
from zones.rules.traffic import VehicleArea, VehicleKinds, as_subjects, doubts_about


class VehicleInZoneSpec(ZoneRuleBase):
    """A vehicle is in a zone that is closed to vehicles."""

    kind: Literal["vehicle_in_zone"] = "vehicle_in_zone"
    vehicles: VehicleKinds = ("forklift", "amr")
    """Kinds of vehicles that may not be there."""

    def machine(self, context: RuleContext) -> "VehicleInZoneMachine":
        return VehicleInZoneMachine(self, context)


class VehicleInZoneMachine(EpisodeMachine[str]):
    """Which vehicles are inside now."""

    def __init__(self, spec: VehicleInZoneSpec, context: RuleContext) -> None:
        self._kinds = spec.vehicles
        self._area = VehicleArea(context)
        self._doubts: frozenset[str] = frozenset()
        super().__init__(
            Episodes(spec, context, kind=spec.kind, hold_to_open_s=spec.hold_to_open_s)
        )

    @property
    def doubts(self) -> frozenset[str]:
        """What it cannot tell now."""
        return self._doubts - {"floor_unknown"}

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        traffic = people.traffic(plant)
        self._doubts = doubts_about(people, traffic)
        vehicles = traffic.of(self._kinds)
        inside = {
            vehicle.name: {"vehicle": vehicle.kind, "reported": vehicle.reported}
            for vehicle in vehicles
            if self._area.holds(vehicle)
        }
        return self._episodes.update(people.at, as_subjects(vehicles), inside, aspect=people.aspect)
