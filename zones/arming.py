"""When a rule is armed: always, on a shift, with a machine's state, or with another rule.

Whatever is unknown arms: a rule is never switched off because something could not be read.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from safety.config import Slug, Spec
from safety.types import MachineState, PlantState


class Always(Spec):
    """Armed at all times."""

    kind: Literal["always"] = "always"


class OnShift(Spec):
    """Armed during shifts of the site's calendar, or outside them."""

    kind: Literal["shift"] = "shift"
    shifts: tuple[Slug, ...] = Field(min_length=1, max_length=32)
    """The shifts, by id."""
    outside: bool = False
    """Armed outside these shifts instead of during them."""


class OnMachine(Spec):
    """Armed by what a machine says of itself; unknown or stale counts as armed."""

    kind: Literal["machine"] = "machine"
    machine_id: Slug
    """The machine."""
    states: tuple[MachineState, ...] = (MachineState.RUNNING, MachineState.SETUP)
    """States in which the rule is armed."""
    settle_s: float = Field(default=1.0, ge=0, le=60)
    """Seconds for which another state must last before it disarms; a state that flickers does
    not."""


class OnRule(Spec):
    """Armed while another rule of the site has an open violation."""

    kind: Literal["rule"] = "rule"
    rule_id: Slug
    """The other rule."""


ArmingSpec = Annotated[Always | OnShift | OnMachine | OnRule, Field(discriminator="kind")]


class Armament(StrEnum):
    """Whether a rule is armed now."""

    ARMED = "armed"
    UNKNOWN_ARMED = "unknown_armed"
    """Armed because what would say so is unknown."""
    DISARMED = "disarmed"
    MUTED = "muted"
    """Its zone is under lock-out or maintenance."""
    UNABLE = "unable"
    """The camera cannot judge it: the rule needs metres, and the camera is not calibrated."""

    @property
    def is_armed(self) -> bool:
        """Whether violations are looked for."""
        # Not by a set: this is asked for every rule in every frame, and enums hash slowly.
        return self is Armament.ARMED or self is Armament.UNKNOWN_ARMED


def armament(arming: ArmingSpec, plant: PlantState) -> Armament:
    """Whether a rule with this arming is armed, by what the plant says at this moment."""
    match arming:
        case OnShift():
            if plant.active_shifts is None:
                return Armament.UNKNOWN_ARMED
            during = any(shift in plant.active_shifts for shift in arming.shifts)
            return _armed_if(arming.outside != during)
        case OnMachine():
            state = plant.machines.get(arming.machine_id, MachineState.UNKNOWN)
            if state is MachineState.UNKNOWN:
                return Armament.UNKNOWN_ARMED
            return _armed_if(state in arming.states)
        case OnRule():
            if plant.open_rules is None:
                return Armament.UNKNOWN_ARMED
            return _armed_if(arming.rule_id in plant.open_rules)
        case _:
            return Armament.ARMED


class ArmingWatch:
    """One rule's armament over time: a machine's state must settle before it disarms."""

    def __init__(self, arming: ArmingSpec) -> None:
        self._arming = arming
        self._settle_s = arming.settle_s if isinstance(arming, OnMachine) else 0.0
        self._armed_at: float | None = None
        self._last = Armament.ARMED

    def look(self, plant: PlantState, now: float) -> Armament:
        """Whether it is armed at ``now``, monotonic seconds."""
        said = armament(self._arming, plant)
        if said.is_armed:
            self._armed_at = now
        elif self._armed_at is not None and now - self._armed_at < self._settle_s:
            return self._last
        self._last = said
        return said


def _armed_if(condition: bool) -> Armament:
    return Armament.ARMED if condition else Armament.DISARMED
