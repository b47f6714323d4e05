"""One rule while it is in use: its state machine, and whether it is armed."""

from dataclasses import dataclass

from safety.clock import Instant
from safety.types import CameraState, PlantState, Violation
from zones.arming import Always, Armament, ArmingWatch
from zones.geometry import FloorPolygon, Polygon
from zones.people import People
from zones.rules.base import CameraWatcher, EndReason, Exchanger, RuleBase, RuleContext, RuleMachine


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneView:
    """A zone as one camera sees it.

    Attributes:
        polygon: In this camera's picture, normalised.
        floor_m: On the floor plan; None for a zone drawn in the picture.
    """

    polygon: Polygon
    floor_m: FloorPolygon | None = None


class RunningRule:
    """A rule's machine, and everything it was made from: equal sources, same machine.

    The calibration is no such source: a camera that is calibrated anew starts anew.

    Attributes:
        spec: What it was made from.
        machine: Its state.
        armament: Whether it is armed, as of the newest frame or look.
    """

    def __init__(self, spec: RuleBase, zone: ZoneView | None, context: RuleContext) -> None:
        self.spec = spec
        self._source = (spec, context.rule_revision, zone)
        self._arming = ArmingWatch(spec.arming)
        self._always = Armament.ARMED if isinstance(spec.arming, Always) else None
        self.machine: RuleMachine = spec.machine(context)
        self._watcher = self.machine if isinstance(self.machine, CameraWatcher) else None
        self._able = spec.can_judge(context)
        self.armament = Armament.ARMED if self._able else Armament.UNABLE

    def is_made_from(self, spec: RuleBase, zone: ZoneView | None, context: RuleContext) -> bool:
        """Whether a rule made from this would be this one."""
        return self._source == (spec, context.rule_revision, zone)

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        """Take one observation; return the violations that opened, changed or closed."""
        ended = self._arm(plant, people.at)
        return self.machine.update(people, plant) if self.armament.is_armed else ended

    def exchange(self, one: int, other: int) -> None:
        """Two persons have exchanged their track ids."""
        if isinstance(self.machine, Exchanger):
            self.machine.exchange(one, other)

    def watch(self, state: CameraState, now: Instant, plant: PlantState) -> list[Violation]:
        """Take what the camera is worth now; return as ``update``."""
        ended = self._arm(plant, now)
        if self._watcher is None or not self.armament.is_armed:
            return ended
        return self._watcher.watch(state, now)

    def _arm(self, plant: PlantState, now: Instant) -> list[Violation]:
        """Look whether it is armed; end what is open if it is not any more."""
        if not self._able:
            return []
        was_armed = self.armament.is_armed
        armament = self._arming.look(plant, now.monotonic)
        self.armament = Armament.MUTED if self.spec.zone_id in plant.muted_zones else armament
        if self.armament.is_armed or not was_armed:
            return []
        reason: EndReason = "muted" if self.armament is Armament.MUTED else "disarmed"
        return self.machine.end(reason, now)
