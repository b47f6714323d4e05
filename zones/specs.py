"""Zones and the closed union of rule kinds."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from safety.config import Label, Slug, Spec
from zones.geometry import FloorPolygon, Polygon, checked_floor_polygon, checked_polygon
from zones.rules.blind_spot import BlindSpotSpec
from zones.rules.dwell import DwellSpec
from zones.rules.fall import FallSpec
from zones.rules.intrusion import IntrusionSpec
from zones.rules.line_crossing import LineCrossingSpec
from zones.rules.man_down import ManDownSpec
from zones.rules.missing_ppe import MissingPpeSpec
from zones.rules.occupancy import OccupancySpec
from zones.rules.posture import PostureSpec
from zones.rules.proximity import ProximitySpec
from zones.rules.reach_in import ReachInSpec
from zones.rules.running import RunningSpec
from zones.rules.vehicle_in_zone import VehicleInZoneSpec
from zones.rules.vehicle_speed import VehicleSpeedSpec


class ZoneSpec(Spec):
    """A polygon in one camera's picture, or on the site's floor plan.

    Either ``camera_id`` and ``polygon`` are given, or ``floor_m``. A floor zone is watched by
    every calibrated camera that sees it.
    """

    id: Slug
    """Identifier, unique in the site."""
    name: Label
    """What people call it."""
    camera_id: Slug | None = None
    """The camera whose picture it is drawn in."""
    polygon: Polygon | None = None
    """Corners as [x, y], 0-1 of the picture, in order; three or more."""
    floor_m: FloorPolygon | None = None
    """Corners as [x, y], metres on the floor plan, in order; three or more."""

    @field_validator("polygon")
    @classmethod
    def _simple_polygon(cls, polygon: Polygon | None) -> Polygon | None:
        return None if polygon is None else checked_polygon(polygon)

    @field_validator("floor_m")
    @classmethod
    def _simple_floor_polygon(cls, polygon: FloorPolygon | None) -> FloorPolygon | None:
        return None if polygon is None else checked_floor_polygon(polygon)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        in_picture = self.camera_id is not None and self.polygon is not None
        on_floor = self.floor_m is not None and self.camera_id is None and self.polygon is None
        if not (on_floor or (in_picture and self.floor_m is None)):
            raise PydanticCustomError(
                "zone.place",
                "a zone needs either camera_id and polygon (in a picture) or floor_m (on the"
                " floor plan); give one of the two",
            )
        return self


RuleSpec = Annotated[
    IntrusionSpec
    | DwellSpec
    | ReachInSpec
    | LineCrossingSpec
    | OccupancySpec
    | BlindSpotSpec
    | MissingPpeSpec
    | ProximitySpec
    | VehicleSpeedSpec
    | VehicleInZoneSpec
    | FallSpec
    | ManDownSpec
    | PostureSpec
    | RunningSpec,
    Field(discriminator="kind"),
]
"""Every kind of rule; one file in ``zones/rules`` each."""
