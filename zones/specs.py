"""Zones and the closed union of rule kinds."""

from typing import Annotated

from pydantic import Field, field_validator

from safety.config import Label, Slug, Spec
from zones.geometry import Polygon, checked_polygon
from zones.rules.dwell import DwellSpec
from zones.rules.intrusion import IntrusionSpec


class ZoneSpec(Spec):
    """A polygon in one camera's picture."""

    id: Slug
    """Identifier, unique in the site."""
    name: Label
    """What people call it."""
    camera_id: Slug
    """The camera whose picture it is drawn in."""
    polygon: Polygon
    """Corners as [x, y], 0-1 of the picture, in order; three or more."""

    @field_validator("polygon")
    @classmethod
    def _simple_polygon(cls, polygon: Polygon) -> Polygon:
        return checked_polygon(polygon)


RuleSpec = Annotated[IntrusionSpec | DwellSpec, Field(discriminator="kind")]
"""Every kind of rule; one file in ``zones/rules`` each."""
