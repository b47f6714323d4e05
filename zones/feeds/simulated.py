"""Feed ``simulated``: machines that keep a rhythm and vehicles that drive a round, for trying out.

It needs no network. Everything it says is made up: never bind real zones to it.
"""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, FiniteFloat, field_validator, model_validator
from pydantic_core import PydanticCustomError

from safety.clock import Clock, Instant
from safety.config import Slug, Spec
from safety.types import MachineState, VehiclePose
from zones.feeds.base import Feed, FeedBase
from zones.feeds.port import FeedPort
from zones.feeds.twins.route import Place, place_at, place_on
from zones.feeds.vehicles import VehicleSpec

STEP_S = 0.1


class CycleStep(Spec):
    """A state and how long it lasts."""

    state: MachineState
    """The state."""
    seconds: float = Field(gt=0, le=86_400)
    """How long it lasts."""


class SimulatedMachine(Spec):
    """A machine that repeats a cycle of states."""

    machine_id: Slug
    """The machine."""
    cycle: tuple[CycleStep, ...] = Field(
        default=(
            CycleStep(state=MachineState.RUNNING, seconds=20),
            CycleStep(state=MachineState.IDLE, seconds=10),
        ),
        min_length=1,
        max_length=100,
    )
    """Its states, one after the other, for ever."""

    def at(self, seconds: float) -> MachineState:
        """Its state so many seconds after the beginning."""
        rest = seconds % sum(step.seconds for step in self.cycle)
        for step in self.cycle:
            if rest < step.seconds:
                return step.state
            rest -= step.seconds
        return self.cycle[-1].state


class SimulatedVehicle(Spec):
    """A vehicle that drives a round."""

    vehicle_id: Slug
    """The vehicle."""
    route_m: tuple[tuple[FiniteFloat, FiniteFloat], ...] = Field(min_length=2, max_length=500)
    """Corners of the round on the floor plan, metres."""
    speed_mps: float = Field(default=1.0, gt=0, le=5)
    """Its speed."""
    passes_s: tuple[FiniteFloat, ...] = ()
    """When it is at each corner, seconds of a run that ends with the last one and begins anew at
    the first; not given: it drives at its speed, and back to the first corner."""

    @field_validator("route_m")
    @classmethod
    def _has_length(cls, route: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if max(math.dist(route[0], point) for point in route) < 0.1:
            raise ValueError("must be longer than 0.1 m")
        return route

    @model_validator(mode="after")
    def _passes_each_corner(self) -> Self:
        times = self.passes_s
        if times and (
            len(times) != len(self.route_m)
            or times[0] < 0
            or any(later <= earlier for earlier, later in pairwise(times))
        ):
            raise PydanticCustomError(
                "feed.passes",
                "passes_s needs one rising time for every corner of the route",
            )
        return self

    def at(self, seconds: float) -> tuple[Place, float]:
        """Where it is so many seconds after the beginning, and how fast."""
        if not self.passes_s:
            return place_on(self.route_m, seconds * self.speed_mps), self.speed_mps
        return place_at(self.route_m, self.passes_s, seconds)


class SimulatedSpec(FeedBase):
    """Machines and vehicles that are made up, for demonstrations and drills."""

    kind: Literal["simulated"] = "simulated"
    machines: tuple[SimulatedMachine, ...] = Field(default=(), max_length=100)
    """Machines with a rhythm."""
    vehicles: tuple[SimulatedVehicle, ...] = Field(default=(), max_length=100)
    """Vehicles on a round."""
    begins_at: FiniteFloat | None = None
    """Unix time of the beginning, to keep in step with films that begin then; not given: when it
    is connected."""

    @property
    def machine_ids(self) -> tuple[str, ...]:
        return tuple(machine.machine_id for machine in self.machines)

    @property
    def vehicle_ids(self) -> tuple[str, ...]:
        return tuple(vehicle.vehicle_id for vehicle in self.vehicles)


class SimulatedFeed(Feed):
    """Makes states and poses up."""

    def __init__(
        self,
        spec: SimulatedSpec,
        port: FeedPort,
        *,
        vehicles: Mapping[str, VehicleSpec],
        clock: Clock,
    ) -> None:
        super().__init__(port, clock=clock)
        self._spec = spec
        self._vehicles = vehicles

    async def session(self) -> None:
        began = self.clock.now()
        before_s = began.wall - (self._spec.begins_at or began.wall)
        self.port.is_connected()
        while True:
            now = self.clock.now()
            self.port.received()
            self.tell(now, before_s + now.monotonic - began.monotonic)
            await self.clock.sleep_async(STEP_S)

    def tell(self, now: Instant, seconds: float) -> None:
        """Report everything as it is so many seconds after the beginning."""
        for machine in self._spec.machines:
            state = machine.at(seconds)
            self.port.machine(machine.machine_id, state, state.value)
        for each in self._spec.vehicles:
            place, speed_mps = each.at(seconds)
            vehicle = self._vehicles[each.vehicle_id]
            self.port.vehicle(
                VehiclePose(
                    vehicle_id=each.vehicle_id,
                    kind=vehicle.object_class,
                    at=now,
                    x_m=place.x_m,
                    y_m=place.y_m,
                    heading_rad=place.heading_rad,
                    velocity_mps=(
                        speed_mps * math.cos(place.heading_rad),
                        speed_mps * math.sin(place.heading_rad),
                    ),
                    footprint_m=vehicle.footprint_m or vehicle.assumed_footprint_m,
                )
            )
