"""What a site says of its plant: floor plan, shifts, machines, vehicles, and who reports them."""

from datetime import time
from difflib import get_close_matches
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from safety.config import Label, Slug, Spec
from zones.feeds.specs import FeedSpec
from zones.feeds.vehicles import MachineSpec, VehicleSpec

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
    machines: tuple[MachineSpec, ...] = Field(default=(), max_length=500)
    """Machines that say what they are doing."""
    vehicles: tuple[VehicleSpec, ...] = Field(default=(), max_length=200)
    """Vehicles that say where they are."""
    feeds: tuple[FeedSpec, ...] = Field(default=(), max_length=64)
    """Where machines and vehicles are heard."""

    @model_validator(mode="after")
    def _feeds_fit(self) -> Self:
        _refuse_repeated("shift", [each.id for each in self.shifts])
        _refuse_repeated("machine", [each.id for each in self.machines])
        _refuse_repeated("vehicle", [each.id for each in self.vehicles])
        _refuse_repeated("feed", [each.id for each in self.feeds])
        machines = {each.id for each in self.machines}
        vehicles = {each.id for each in self.vehicles}
        told: set[tuple[str, str]] = set()
        for feed in self.feeds:
            _refuse_unknown(feed.id, "machine", feed.machine_ids, machines)
            _refuse_unknown(feed.id, "vehicle", feed.vehicle_ids, vehicles)
            for what, names in (("machine", feed.machine_ids), ("vehicle", feed.vehicle_ids)):
                for name in names:
                    if (what, name) in told:
                        raise PydanticCustomError(
                            "plant.told_twice",
                            "the {what} '{id}' is reported twice; let one feed report it, once",
                            {"what": what, "id": name},
                        )
                    told.add((what, name))
        return self


def _refuse_repeated(what: str, ids: list[str]) -> None:
    for number, name in enumerate(ids):
        if name in ids[:number]:
            raise PydanticCustomError(
                "plant.repeated_id",
                "two {what}s are called '{id}'; give each an id of its own",
                {"what": what, "id": name},
            )


def _refuse_unknown(feed_id: str, what: str, ids: tuple[str, ...], known: set[str]) -> None:
    for name in ids:
        if name not in known:
            close = get_close_matches(name, sorted(known), n=1)
            raise PydanticCustomError(
                "plant.unknown_in_feed",
                "feed '{feed}' reports the {what} '{id}', which the plant does not have{hint}",
                {
                    "feed": feed_id,
                    "what": what,
                    "id": name,
                    "hint": f"; did you mean '{close[0]}'?" if close else f"; add it to {what}s",
                },
            )
