"""When a rule is armed: always, on a shift, with a machine's state, or with another rule.

Whatever is unknown arms: a rule is never switched off because something could not be read.
"""

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


class OnRule(Spec):
    """Armed while another rule of the site has an open violation."""

    kind: Literal["rule"] = "rule"
    rule_id: Slug
    """The other rule."""


ArmingSpec = Annotated[Always | OnShift | OnMachine | OnRule, Field(discriminator="kind")]


def is_armed(arming: ArmingSpec, plant: PlantState) -> bool:
    """Whether a rule with this arming is armed now."""
    match arming:
        case OnShift():
            if plant.active_shifts is None:
                return True
            return arming.outside != any(s in plant.active_shifts for s in arming.shifts)
        case OnMachine():
            state = plant.machines.get(arming.machine_id, MachineState.UNKNOWN)
            return state is MachineState.UNKNOWN or state in arming.states
        case OnRule():
            return plant.open_rules is None or arming.rule_id in plant.open_rules
        case _:
            return True
