"""All feeds of a site: opened and closed as configured, their word put together."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from safety.clock import Clock, Instant
from safety.errors import AnjeonError
from safety.types import MachineState, VehiclePose
from zones.feeds.base import Feed
from zones.feeds.http_push import HttpPushFeed
from zones.feeds.open import open_feed
from zones.feeds.plan import PlanArea
from zones.feeds.port import FeedPort
from zones.feeds.specs import AnyFeedSpec
from zones.feeds.vda5050 import Vda5050Feed
from zones.feeds.vehicles import VehicleSpec
from zones.plant import PlantSpec

log = structlog.get_logger(__name__)

LEAVE_S = 3.0
"""How long the end of a feed is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """A feed with everything it was made from."""

    spec: AnyFeedSpec
    vehicles: Mapping[str, VehicleSpec]
    area: PlanArea
    port: FeedPort
    feed: Feed | None
    task: "asyncio.Task[None] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineNow:
    """A machine as it counts now.

    Attributes:
        value: As the machine put it; empty if it never said anything.
        age_s: Since it was last confirmed; None if never.
        reason: Why it is unknown, if it is: ``never_heard``, ``stale``, ``flapping``, ``value``
            (the machine says something that is in no list) or ``no_feed``.
    """

    machine_id: str
    state: MachineState
    value: str = ""
    age_s: float | None = None
    reason: str = ""
    feed_id: str | None = None


class FeedHub:
    """Runs the feeds; used in one event loop.

    Args:
        changed: Called when a state or a pose is another one than before.
    """

    def __init__(self, *, clock: Clock, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._plant = PlantSpec()
        self._running: dict[str, _Running] = {}

    @property
    def ports(self) -> Mapping[str, FeedPort]:
        """Every enabled feed's port, by feed id."""
        return {feed_id: running.port for feed_id, running in self._running.items()}

    async def configure(self, plant: PlantSpec) -> None:
        """Use these feeds; one whose settings are the same goes on undisturbed.

        A feed that cannot be opened (a missing secret) says so in its port; the others work.
        """
        self._plant = plant
        former, self._running = self._running, {}
        for spec in plant.feeds:
            if spec.enabled:
                self._running[spec.id] = self._take(spec, former.get(spec.id))
        kept = {id(running) for running in self._running.values()}
        await _cancel([running for running in former.values() if id(running) not in kept])
        self._changed()

    async def close(self) -> None:
        """End all feeds."""
        former, self._running = self._running, {}
        await _cancel(list(former.values()))

    def machines(self, now: Instant) -> list[MachineNow]:
        """Every machine of the site; one that nobody reports is unknown."""
        ports = {name: port for port in self.ports.values() for name in port.machine_ids}
        return [_machine(each.id, ports.get(each.id), now) for each in self._plant.machines]

    def poses(self, now: Instant) -> dict[str, VehiclePose]:
        """The newest pose of every vehicle that is not lost, as it was reported."""
        found = {}
        stops = {each.id: each.stops for each in self._plant.vehicles}
        for vehicle_id, port in self._vehicle_ports().items():
            if port is not None and (pose := port.pose(vehicle_id, now)) is not None:
                found[vehicle_id] = replace(pose, stopping=stops[vehicle_id])
        return found

    def lost(self, now: Instant) -> dict[str, str]:
        """Vehicles that should report and do not, with the reason."""
        return {
            vehicle_id: port.lost_reason(vehicle_id) if port is not None else "no_feed"
            for vehicle_id, port in self._vehicle_ports().items()
            if port is None or port.pose(vehicle_id, now) is None
        }

    def pusher(self, feed_id: str) -> HttpPushFeed | None:
        """The feed that takes what is posted under this id."""
        running = self._running.get(feed_id)
        return running.feed if running and isinstance(running.feed, HttpPushFeed) else None

    async def pause(self, vehicle_id: str) -> bool | None:
        """Ask a vehicle to pause.

        Returns:
            Whether it confirmed in time; None if it may not be asked.
        """
        vehicle = next((each for each in self._plant.vehicles if each.id == vehicle_id), None)
        if vehicle is None or not vehicle.may_pause:
            return None
        for running in self._running.values():
            if vehicle_id in running.port.vehicle_ids and isinstance(running.feed, Vda5050Feed):
                return await running.feed.pause(vehicle_id)
        return None

    def _vehicle_ports(self) -> dict[str, FeedPort | None]:
        ports = {name: port for port in self.ports.values() for name in port.vehicle_ids}
        return {each.id: ports.get(each.id) for each in self._plant.vehicles if each.enabled}

    def _take(self, spec: AnyFeedSpec, known: _Running | None) -> _Running:
        wanted = set(spec.vehicle_ids)
        vehicles = {each.id: each for each in self._plant.vehicles if each.id in wanted}
        area = _area(self._plant)
        if known is not None and (known.spec, known.vehicles, known.area) == (
            spec,
            vehicles,
            area,
        ):
            return known
        port = FeedPort(
            spec.id,
            spec.kind,
            machine_ids=spec.machine_ids,
            vehicle_ids=spec.vehicle_ids,
            stale_after_s=spec.stale_after_s,
            clock=self._clock,
            changed=self._changed,
        )
        feed, task = None, None
        try:
            feed = open_feed(spec, port, vehicles=vehicles, area=area, clock=self._clock)
            task = asyncio.create_task(feed.run(), name=f"feed-{spec.id}")
        except AnjeonError as error:
            log.error("feed_unusable", feed=spec.id, why=str(error))
            port.disconnected(error)
        return _Running(spec=spec, vehicles=vehicles, area=area, port=port, feed=feed, task=task)


def _machine(machine_id: str, port: FeedPort | None, now: Instant) -> MachineNow:
    if port is None:
        return MachineNow(machine_id=machine_id, state=MachineState.UNKNOWN, reason="no_feed")
    state, reason = port.state(machine_id, now)
    reading = port.readings().get(machine_id)
    return MachineNow(
        machine_id=machine_id,
        state=state,
        value=reading.value if reading else "",
        age_s=max(0.0, now.monotonic - reading.at.monotonic) if reading else None,
        reason=reason,
        feed_id=port.feed_id,
    )


def _area(plant: PlantSpec) -> PlanArea:
    if plant.plan is None:
        return PlanArea()
    left, bottom = plant.plan.origin_m
    return PlanArea(
        left_m=left,
        bottom_m=bottom,
        right_m=left + plant.plan.width_m,
        top_m=bottom + plant.plan.height_m,
    )


async def _cancel(gone: list[_Running]) -> None:
    tasks = [running.task for running in gone if running.task is not None]
    for task in tasks:
        task.cancel()
    if tasks:
        # A library may wait long for a server that is gone; nobody waits for it here.
        await asyncio.wait(tasks, timeout=LEAVE_S)
