"""What a site says of its machines and vehicles, whoever reports them."""

from typing import Literal

from pydantic import Field, field_validator

from safety.config import Label, Slug, Spec
from safety.types import ObjectClass, VehiclePose
from zones.geometry import FloorPolygon, checked_floor_polygon
from zones.protective_field import FieldSettings

ASSUMED_SIZE_M = {"amr": (1.6, 1.2), "forklift": (3.6, 1.5)}
"""Length and width of a vehicle of which nothing is known: rather too large."""


def stopping_of(pose: VehiclePose) -> FieldSettings:
    """How a vehicle stops, as the site says, else as vehicles usually do."""
    if pose.stopping is None:
        return FieldSettings()
    reaction_s, braking_mps2, margin_m = pose.stopping
    return FieldSettings(reaction_s=reaction_s, braking_mps2=braking_mps2, margin_m=margin_m)


class MachineSpec(Spec):
    """A machine that says what it is doing."""

    id: Slug
    """Identifier, unique in the site."""
    name: Label
    """What people call it."""


class VehicleSpec(Spec):
    """A vehicle that says where it is."""

    id: Slug
    """Identifier, unique in the site."""
    name: Label
    """What people call it."""
    kind: Literal["amr", "forklift"] = "amr"
    """What it is."""
    enabled: bool = True
    """A disabled vehicle is not expected to report; it is lost to nobody."""
    footprint_m: FloorPolygon | None = Field(default=None)
    """Outline in its own frame, metres: x forward, y left; not given: its factsheet's."""
    stopping: FieldSettings = FieldSettings()
    """How it stops: says how large its protective field is drawn."""
    may_pause: bool = False
    """Whether it is asked to pause when somebody is within its stop distance. A request only, by
    a network that may lose it; it never replaces the vehicle's own protection."""

    @field_validator("footprint_m")
    @classmethod
    def _simple(cls, polygon: FloorPolygon | None) -> FloorPolygon | None:
        return None if polygon is None else checked_floor_polygon(polygon)

    @property
    def stops(self) -> tuple[float, float, float]:
        """How it stops, as its pose carries it."""
        how = self.stopping
        return how.reaction_s, how.braking_mps2, how.margin_m

    @property
    def object_class(self) -> ObjectClass:
        """Its kind as a class of things seen."""
        return ObjectClass(self.kind)

    @property
    def assumed_footprint_m(self) -> tuple[tuple[float, float], ...]:
        """A rectangle round its middle, for a vehicle that nobody has measured."""
        length, width = ASSUMED_SIZE_M[self.kind]
        x, y = length / 2, width / 2
        return ((x, y), (-x, y), (-x, -y), (x, -y))
