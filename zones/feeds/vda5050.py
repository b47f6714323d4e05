"""Feed ``vda5050``: where AMRs are, by VDA 5050 2.0, 2.1 and 3.0 over MQTT."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from safety.clock import Clock, Instant
from safety.config import Slug, Spec
from safety.types import VehiclePose
from zones.feeds.mqtt import MqttFeed, MqttFeedBase, check_topic
from zones.feeds.numbering import Numbering
from zones.feeds.payload import Refused
from zones.feeds.plan import OutsidePlan, PlanArea
from zones.feeds.port import FeedPort
from zones.feeds.poses import wrapped
from zones.feeds.vda5050_map import MapTransform, VdaMap, fit
from zones.feeds.vda5050_messages import Position, Topic, VdaMessage, read_message
from zones.feeds.vda5050_pause import PauseDesk
from zones.feeds.vehicles import VehicleSpec

QOS: Mapping[Topic, int] = {
    "state": 0,
    "visualization": 0,
    "connection": 1,
    "factsheet": 0,
    "instantActions": 0,
}

Footprint = tuple[tuple[float, float], ...]


class VdaVehicle(Spec):
    """One vehicle and its name in VDA 5050."""

    vehicle_id: Slug
    """The vehicle."""
    manufacturer: str = Field(min_length=1, max_length=100)
    """Manufacturer, as in its topic."""
    serial: str = Field(min_length=1, max_length=100)
    """Serial number, as in its topic."""

    @field_validator("manufacturer", "serial")
    @classmethod
    def _plain(cls, name: str) -> str:
        if any(c in name for c in "/+#\0"):
            raise ValueError("must not contain /, +, # or NUL")
        return name


class Vda5050Spec(MqttFeedBase):
    """Vehicles that speak VDA 5050."""

    kind: Literal["vda5050"] = "vda5050"
    topic_prefix: str = Field(default="uagv/v2", min_length=1, max_length=200)
    """Topic in front of manufacturer and serial number, such as uagv/v2 or vda5050/v3."""
    vehicles: tuple[VdaVehicle, ...] = Field(min_length=1, max_length=200)
    """The vehicles."""
    maps: tuple[VdaMap, ...] = Field(min_length=1, max_length=50)
    """Their maps, tied to the floor plan."""

    @field_validator("topic_prefix")
    @classmethod
    def _plain_prefix(cls, topic: str) -> str:
        return check_topic(topic)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        named = [(each.manufacturer, each.serial) for each in self.vehicles]
        maps = [each.map_id for each in self.maps]
        if len(set(named)) < len(named) or len(set(maps)) < len(maps):
            raise PydanticCustomError(
                "feed.vda_repeated", "a vehicle or a map is listed twice; list each once"
            )
        return self

    @property
    def vehicle_ids(self) -> tuple[str, ...]:
        return tuple(vehicle.vehicle_id for vehicle in self.vehicles)


@dataclass(slots=True, kw_only=True)
class _Tracked:
    """One vehicle as followed."""

    name: VdaVehicle
    spec: VehicleSpec
    factsheet_m: Footprint | None = None
    velocity: tuple[float, float, float] | None = None
    previous: tuple[Instant, Position] | None = None
    numbers: dict[Topic, Numbering] = field(default_factory=dict)

    def disputed(self, now: Instant) -> bool:
        own = (self.numbers.get(topic) for topic in ("state", "visualization"))
        return any(numbers is not None and numbers.disputed(now) for numbers in own)


class Vda5050Feed(MqttFeed):
    """Follows vehicles; asks one to pause where that is allowed, and never to go on.

    Args:
        vehicles: What the site says of them, by id.
        area: The floor plan; a position far outside is refused.
    """

    def __init__(
        self,
        spec: Vda5050Spec,
        port: FeedPort,
        *,
        vehicles: Mapping[str, VehicleSpec],
        area: PlanArea,
        clock: Clock,
    ) -> None:
        super().__init__(port, clock=clock)
        self.broker = spec
        self.maps: Mapping[str, MapTransform] = {
            each.map_id: fit(each.points) for each in spec.maps
        }
        port.residuals_m = {name: each.residual_m for name, each in self.maps.items()}
        self.pauses = PauseDesk(clock=clock)
        self._prefix = spec.topic_prefix
        self._area = area
        self._tracked = {
            f"{spec.topic_prefix}/{name.manufacturer}/{name.serial}": _Tracked(
                name=name, spec=vehicles[name.vehicle_id]
            )
            for name in spec.vehicles
        }

    def topics(self) -> Sequence[tuple[str, int]]:
        return [(f"{start}/{name}", qos) for start in self._tracked for name, qos in QOS.items()]

    def take(self, topic: str, payload: bytes, *, retained: bool) -> None:
        start, _, name = topic.rpartition("/")
        tracked = self._tracked[start]
        kind = next(each for each in QOS if each == name)
        vehicle_id = tracked.name.vehicle_id
        if retained and kind in {"state", "visualization"}:
            raise Refused("retained", "a retained position says nothing of the present")
        sender = {"manufacturer": tracked.name.manufacturer, "serial": tracked.name.serial}
        if kind == "instantActions" and self.pauses.is_own(payload):
            return
        message = read_message(kind, payload, **sender)
        now = self.clock.now()
        if message.header_id is not None and not retained:
            tracked.numbers.setdefault(kind, Numbering()).take(message.header_id, now)
        match kind:
            case "connection":
                self._connection(vehicle_id, message.connection)
            case "factsheet":
                tracked.factsheet_m = message.footprint_m or tracked.factsheet_m
            case "instantActions":
                self._other_master(tracked, now)
            case _:
                self.pauses.heard(vehicle_id, message)
                self._moved(tracked, message, now)

    async def pause(self, vehicle_id: str) -> bool:
        """Ask a vehicle to pause, and wait for its confirmation.

        Returns:
            Whether it confirmed in time that it has paused.
        """
        start, tracked = next(
            (start, each)
            for start, each in self._tracked.items()
            if each.name.vehicle_id == vehicle_id
        )
        numbers = tracked.numbers.get("instantActions")
        return await self.pauses.ask(
            self.client,
            f"{start}/instantActions",
            vehicle_id=vehicle_id,
            manufacturer=tracked.name.manufacturer,
            serial=tracked.name.serial,
            version="3.0.0" if "v3" in self._prefix.split("/") else "2.1.0",
            after=numbers.newest if numbers else None,
        )

    def _connection(self, vehicle_id: str, state: str) -> None:
        if state in {"OFFLINE", "HIBERNATING"}:
            self.port.vehicle_lost(vehicle_id, "offline")
        elif state != "ONLINE":
            self.port.vehicle_lost(vehicle_id, "silent")

    def _other_master(self, tracked: _Tracked, now: Instant) -> None:
        """Somebody else gives this vehicle instant actions: a fleet manager usually does."""
        vehicle_id = tracked.name.vehicle_id
        if tracked.numbers["instantActions"].disputed(now):
            self.port.notice("two_masters", vehicle_id)
        elif tracked.spec.may_pause:
            self.port.notice("other_master", vehicle_id)

    def _moved(self, tracked: _Tracked, message: VdaMessage, now: Instant) -> None:
        vehicle_id = tracked.name.vehicle_id
        age_s = 0.0 if message.sent_at is None else self.port.age_s(vehicle_id, message.sent_at)
        if tracked.disputed(now):
            self.port.notice("two_publishers", vehicle_id)
            self.port.vehicle_lost(vehicle_id, "two_publishers")
            raise Refused("two_publishers", "header ids jump back and forth")
        self.port.settle("two_publishers", vehicle_id)
        if message.velocity is not None:
            tracked.velocity = message.velocity
        if message.position is None:
            return
        if not message.position.localised:
            self.port.vehicle_lost(vehicle_id, "not_localised")
            return
        self._place(tracked, message.position, message.velocity, now.shifted(-age_s))

    def _place(
        self,
        tracked: _Tracked,
        position: Position,
        velocity: tuple[float, float, float] | None,
        at: Instant,
    ) -> None:
        vehicle_id = tracked.name.vehicle_id
        transform = self.maps.get(position.map_id)
        if transform is None:
            self.port.notice("unknown_map", vehicle_id, map=position.map_id[:80])
            self.port.vehicle_lost(vehicle_id, "unknown_map")
            raise Refused("unknown_map", f"the map {position.map_id[:80]!r} is not in the settings")
        self.port.settle("unknown_map", vehicle_id)
        x_m, y_m = transform.point(position.x_m, position.y_m)
        try:
            self._area.check(x_m, y_m)
        except OutsidePlan as error:
            self.port.vehicle_lost(vehicle_id, "refused")
            raise Refused("off_plan", str(error)) from None
        vx, vy, omega = velocity or _derived(tracked, position, at)
        tracked.previous = at, position
        heading = position.theta_rad
        along = vx * math.cos(heading) - vy * math.sin(heading)
        across = vx * math.sin(heading) + vy * math.cos(heading)
        # A stated deviation is taken as two standard deviations of each axis.
        variance = (position.deviation_m / 2) ** 2 + transform.residual_m**2
        self.port.vehicle(
            VehiclePose(
                vehicle_id=vehicle_id,
                kind=tracked.spec.object_class,
                at=at,
                x_m=x_m,
                y_m=y_m,
                heading_rad=wrapped(heading + transform.rotation_rad),
                velocity_mps=transform.vector(along, across),
                yaw_rate_radps=omega,
                covariance_m2=(variance, 0.0, variance),
                footprint_m=self._footprint(tracked),
            )
        )

    def _footprint(self, tracked: _Tracked) -> Footprint:
        vehicle_id = tracked.name.vehicle_id
        known = tracked.spec.footprint_m or tracked.factsheet_m
        if known is None:
            self.port.notice("no_footprint", vehicle_id)
            return tracked.spec.assumed_footprint_m
        self.port.settle("no_footprint", vehicle_id)
        return known


def _derived(tracked: _Tracked, position: Position, at: Instant) -> tuple[float, float, float]:
    """The velocity of a vehicle that does not say it: from its last two positions."""
    if tracked.velocity is not None:
        return tracked.velocity
    if tracked.previous is None or tracked.previous[1].map_id != position.map_id:
        return 0.0, 0.0, 0.0
    before, was = tracked.previous
    dt = at.monotonic - before.monotonic
    if not 0.02 <= dt <= 2.0:
        return 0.0, 0.0, 0.0
    dx, dy = (position.x_m - was.x_m) / dt, (position.y_m - was.y_m) / dt
    cos, sin = math.cos(position.theta_rad), math.sin(position.theta_rad)
    omega = wrapped(position.theta_rad - was.theta_rad) / dt
    return dx * cos + dy * sin, -dx * sin + dy * cos, omega
