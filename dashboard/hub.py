"""What the dashboard knows of the running system: the engine's word, and live video on demand.

Everything here lives in the event loop; ``camera_status``, ``engine_status`` and ``nudge``
may be called from any thread. The dashboard works without engine and shards: then nothing
is known, and what is not known is NOT MONITORED.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from cameras.messages import (
    AnyMessage,
    CameraStatus,
    EngineStatus,
    Hello,
    Nudge,
    PlantStatus,
    PlanUpdate,
    Snapshot,
)
from dashboard.links import Link
from dashboard.overlay import Overlay
from dashboard.relay import PacketRelay
from dashboard.watching import ShardWatch, Watcher
from safety.clock import Clock, Instant
from safety.config import Settings

STALE_AFTER_S = 3.0
"""Older word than this is no word: the camera counts as NOT MONITORED."""


class Hub:
    """Connections of one dashboard process to the engine and to the shards."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._statuses: dict[str, tuple[float, CameraStatus]] = {}
        self._engine: tuple[float, EngineStatus] | None = None
        self._plan: tuple[float, PlanUpdate] | None = None
        self._plant: tuple[float, PlantStatus] | None = None
        self._shards: dict[str, ShardWatch] = {}
        self._homes: dict[Watcher, str | None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._misplaced_messages = 0
        self._link = Link(
            settings.engine_socket,
            clock,
            greet=lambda: [Hello(role="dashboard", name="dashboard", pid=os.getpid())],
            receive=self._receive,
        )

    async def start(self) -> None:
        """Begin connecting to the engine; returns at once and never fails."""
        self._loop = asyncio.get_running_loop()
        self._link.open()

    async def stop(self) -> None:
        """Leave every connection."""
        await self._link.close()
        for shard in self._shards.values():
            await shard.link.close()

    @property
    def engine_connected(self) -> bool:
        """Whether the engine's socket is connected now."""
        return self._link.connected

    @property
    def refused_messages(self) -> int:
        """Messages from engine and shards that were malformed or not meant for a dashboard."""
        links = [self._link, *(shard.link for shard in self._shards.values())]
        return self._misplaced_messages + sum(link.refused_messages for link in links)

    def camera_status(self) -> dict[str, CameraStatus]:
        """The newest word on every camera, by camera id, without what is stale."""
        oldest = self._clock.now().monotonic - STALE_AFTER_S
        known = list(self._statuses.items())
        return {camera_id: status for camera_id, (at, status) in known if at >= oldest}

    def last_heard(self, camera_id: str) -> Instant | None:
        """When a camera last reported anything, however long ago; None if never."""
        entry = self._statuses.get(camera_id)
        return entry[1].at if entry else None

    def engine_status(self) -> EngineStatus | None:
        """The engine's newest word, or None if it is silent."""
        if self._engine is None:
            return None
        at, status = self._engine
        return status if self._clock.now().monotonic - at <= STALE_AFTER_S else None

    def plant_status(self) -> PlantStatus | None:
        """Machines, vehicles and feeds by the engine's newest word, or None if it is silent."""
        if self._plant is None:
            return None
        at, status = self._plant
        return status if self._clock.now().monotonic - at <= STALE_AFTER_S else None

    def plan(self) -> PlanUpdate | None:
        """Who and what is on the floor plan now; None if nobody is, or the engine is silent."""
        if self._plan is None:
            return None
        at, update = self._plan
        return update if self._clock.now().monotonic - at <= STALE_AFTER_S else None

    def nudge(self, what: Literal["config", "alerts", "mutes"]) -> None:
        """Ask the engine to look at the database now; harmless if it is away."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._link.send, Nudge(what=what))

    async def snapshot(self, camera_id: str, width_px: int = 960) -> tuple[bytes | None, str]:
        """The newest picture of a camera as JPEG, or None and the reason why not."""
        picture, header = await self.still(camera_id, width_px)
        return picture, header.reason

    async def still(self, camera_id: str, width_px: int) -> tuple[bytes | None, Snapshot]:
        """The newest picture of a camera with its time."""
        shard = self._shard_of(camera_id)
        if shard is None:
            none = Snapshot(request_id="", camera_id=camera_id, at=None, reason="shard_lost")
            return None, none
        await shard.link.ready(within_s=1.0)
        return await shard.snapshot(camera_id, width_px)

    @contextmanager
    def watch(
        self,
        camera_id: str,
        *,
        relay: PacketRelay | None,
        on_overlay: Callable[[Overlay], None] = lambda _: None,
    ) -> Iterator[None]:
        """Receive a camera's packets and overlays for as long as the context lasts.

        The camera need not exist or run yet: packets come when it does, also after its
        shard was restarted or it moved to another one.
        """
        watcher = Watcher(camera_id=camera_id, relay=relay, on_overlay=on_overlay)
        self._homes[watcher] = None
        self._settle(watcher)
        try:
            yield
        finally:
            home = self._homes.pop(watcher)
            if home is not None:
                self._shards[home].remove(watcher)

    def overlay_at(self, camera_id: str, at: Instant) -> Overlay | None:
        """What was seen in the frame nearest to ``at``, if somebody watches the camera."""
        shard = self._shard_of(camera_id)
        camera = shard.cameras.get(camera_id) if shard else None
        if camera is None or not camera.overlays:
            return None
        return min(camera.overlays, key=lambda o: abs(o.seen.at.monotonic - at.monotonic))

    def _shard_of(self, camera_id: str) -> ShardWatch | None:
        entry = self._statuses.get(camera_id)
        return self._shard(entry[1].shard) if entry else None

    def _shard(self, shard_id: str) -> ShardWatch:
        if shard_id not in self._shards:
            self._shards[shard_id] = ShardWatch(self._settings, shard_id, self._clock)
            self._shards[shard_id].link.open()
        return self._shards[shard_id]

    def _settle(self, watcher: Watcher) -> None:
        """Attach a watcher to the shard that now has its camera."""
        entry = self._statuses.get(watcher.camera_id)
        if entry is None:
            return
        before, now = self._homes[watcher], entry[1].shard
        if before == now:
            return
        if before is not None:
            self._shards[before].remove(watcher)
            if watcher.relay is not None:
                watcher.relay.gap()
        self._shard(now).add(watcher)
        self._homes[watcher] = now

    def _receive(self, message: AnyMessage, body: bytes) -> None:
        now = self._clock.now().monotonic
        match message:
            case CameraStatus():
                self._statuses[message.camera_id] = (now, message)
                for watcher in list(self._homes):
                    if watcher.camera_id == message.camera_id:
                        self._settle(watcher)
            case EngineStatus():
                self._engine = (now, message)
            case PlanUpdate():
                self._plan = (now, message)
            case PlantStatus():
                self._plant = (now, message)
            case _:
                self._misplaced_messages += 1
