"""What the plant says: machines, vehicles, feeds."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from cameras.messages.base import Message
from safety.clock import Instant
from safety.types import MachineState, ObjectClass, SharedZone


class ReportedVehicle(BaseModel):
    """Where a vehicle said it was, so many seconds before the message; the plan's metres."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vehicle_id: str
    kind: ObjectClass
    age_s: float
    x_m: float
    y_m: float
    heading_rad: float
    velocity_mps: tuple[float, float]
    yaw_rate_radps: float
    covariance_m2: tuple[float, float, float]
    footprint_m: tuple[tuple[float, float], ...]
    stopping: tuple[float, float, float] | None = None
    """As in ``VehiclePose``."""


class PlantUpdate(Message):
    """Engine → shard: what the plant says; on change and every half second.

    Ages instead of instants: the two may run on machines with different clocks.
    """

    type: Literal["plant_update"] = "plant_update"
    machines: dict[str, MachineState]
    vehicles: tuple[ReportedVehicle, ...]
    lost_vehicles: tuple[str, ...]
    muted_zones: tuple[str, ...]
    open_rules: tuple[str, ...] | None
    """None: not known."""
    active_shifts: tuple[str, ...] | None
    """None: not known."""
    shared_zones: dict[str, SharedZone] = {}
    """Zones in which people are counted and that several cameras see, by id."""


class MachineInfo(BaseModel):
    """A machine for people to look at; ``reason`` says why it is unknown, if it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine_id: str
    state: MachineState
    value: str
    age_s: float | None
    reason: str
    feed_id: str | None


class FeedNotice(BaseModel):
    """Something odd about a feed; ``feed.notice.KEY`` is its sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    subject: str
    params: dict[str, str | int | float]


class FeedInfo(BaseModel):
    """How well a feed does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feed_id: str
    kind: str
    connected: bool
    problem_key: str | None
    problem: str | None
    """In English; ``problem_key`` and ``problem_params`` give it in other languages."""
    problem_params: dict[str, str]
    messages: int
    refused: dict[str, int]
    last_refusal: str
    age_s: float | None
    """Since its newest message."""
    notices: tuple[FeedNotice, ...]
    map_residuals_m: dict[str, float] = {}
    """How well the maps of its vehicles fit the floor plan, by map id."""


class PlantStatus(Message):
    """Engine → dashboard: machines, vehicles and feeds; every half second."""

    type: Literal["plant_status"] = "plant_status"
    at: Instant
    machines: tuple[MachineInfo, ...]
    vehicles: tuple[ReportedVehicle, ...]
    """As they are now: positions are extrapolated, ages are those of the reports."""
    lost_vehicles: dict[str, str]
    """Vehicle id → why nobody knows where it is; ``vehicle.lost.REASON`` is its sentence."""
    feeds: tuple[FeedInfo, ...]
    active_shifts: tuple[str, ...]
    muted_zones: tuple[str, ...]
