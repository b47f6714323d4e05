"""Who and what is where on the floor plan."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from cameras.messages.base import Message
from safety.clock import Instant


class FloorSighting(Message):
    """Shard → engine: whom and what a calibrated camera sees on the floor; at most 5 times a
    second. Empty when there is nobody."""

    type: Literal["floor_sighting"] = "floor_sighting"
    camera_id: str
    age_s: float
    """Seconds since the frame was captured, when this was written."""
    people: tuple[tuple[int, float, float, float, float, float], ...]
    """Track id, x and y in metres on the plan, xx, xy and yy of the covariance."""
    vehicles: tuple[tuple[int, float, float, float, float, float], ...] = ()


class PlanThing(BaseModel):
    """A person or a vehicle on the plan, whichever cameras see it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int
    x_m: float
    y_m: float
    covariance_m2: tuple[float, float, float]
    velocity_mps: tuple[float, float]
    cameras: tuple[str, ...]


class PlanUpdate(Message):
    """Engine → dashboard: who and what is on the plan; at most 5 times a second, while there is
    anybody, and once when there is nobody any more."""

    type: Literal["plan_update"] = "plan_update"
    at: Instant
    people: tuple[PlanThing, ...]
    vehicles: tuple[PlanThing, ...]
    """Vehicles that cameras see; those that report themselves are in ``PlantStatus``."""
