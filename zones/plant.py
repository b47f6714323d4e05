"""What a site says of its plant: the floor plan and the shifts."""

from datetime import time
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from safety.config import Label, Slug, Spec

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class PlanSpec(Spec):
    """The floor plan: blank metres, with a picture under them if there is one."""

    width_m: float = Field(default=40.0, gt=0, le=10_000)
    """Extent along x, metres."""
    height_m: float = Field(default=30.0, gt=0, le=10_000)
    """Extent along y, metres."""
    origin_m: tuple[float, float] = (0.0, 0.0)
    """Plan coordinates of its lower left corner, metres."""
    image_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """The uploaded picture under it, by its checksum."""


class ShiftSpec(Spec):
    """A shift of the site's calendar; one that ends before it begins crosses midnight."""

    id: Slug
    """Identifier, unique in the site."""
    name: Label
    """What people call it."""
    days: tuple[Day, ...] = Field(default=("mon", "tue", "wed", "thu", "fri"), min_length=1)
    """Days on which it begins."""
    start: time
    """Beginning, in the site's time zone."""
    end: time
    """End, in the site's time zone; on the next day if it is not later than the beginning."""
    on_holidays: bool = False
    """Whether it also begins on Korean public holidays."""

    @model_validator(mode="after")
    def _plain_times(self) -> Self:
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise PydanticCustomError(
                "shift.zone", "give times without a time zone; the site's zone holds"
            )
        return self


class PlantSpec(Spec):
    """Everything of the site that is neither camera nor rule nor channel."""

    plan: PlanSpec | None = None
    """The floor plan."""
    shifts: tuple[ShiftSpec, ...] = Field(default=(), max_length=64)
    """The shifts."""
