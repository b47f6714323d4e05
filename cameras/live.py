"""The shard's own socket: dashboards fetch live video, metadata and stills here."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import structlog

from cameras.analysis import Analysis
from cameras.drawn import drawn_vehicles
from cameras.lane import Lane
from cameras.messages import (
    AnyMessage,
    Metadata,
    SeenPerson,
    Snapshot,
    SnapshotRequest,
    Unwatch,
    Watch,
)
from cameras.outlet import Outlet
from cameras.overlay import jpeg
from cameras.packets import EncodedPacket
from cameras.sockets import listening_socket
from cameras.wire import read_frame
from safety.clock import Instant
from safety.errors import WireError
from safety.types import CameraState, Frame, TrackedPerson, Violation

log = structlog.get_logger(__name__)

MAX_SNAPSHOTS = 8
"""Stills that one connection may have asked for and not got yet."""

REMEMBERED = 128
"""Packets per watched camera whose times are kept: more than an analysis can lag."""


@dataclass(slots=True, kw_only=True)
class _Subscription:
    """A camera that somebody watches.

    Attributes:
        times: When its last packets arrived, and their presentation times: boxes are drawn
            over the picture that they belong to.
    """

    lane: Lane
    end: Callable[[], None]
    times: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def pts_s(self, at: Instant) -> float | None:
        """The presentation time of the packet that arrived at ``at``, if it is remembered."""
        for arrived, pts_s in reversed(self.times):
            if arrived == at.monotonic:
                return pts_s
        return None


class LiveServer:
    """Serves the cameras of this shard to dashboards.

    Nothing is sent, copied or even looked at for a camera that nobody watches.

    Args:
        path: Where to listen.
        lane: Finds a camera of this shard.
    """

    def __init__(self, path: Path, *, lane: Callable[[str], Lane | None]) -> None:
        self._path = path
        self._lane = lane
        self._outlets: set[Outlet] = set()
        self._watched: frozenset[str] = frozenset()
        self._subscriptions: dict[str, _Subscription] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.refused_messages = 0

    async def start(self) -> None:
        """Listen.

        Raises:
            ConfigError: The socket cannot be made.
        """
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_unix_server(
            self._serve, sock=listening_socket(self._path)
        )

    async def close(self) -> None:
        """Cut all connections and remove the socket."""
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    def analysed(self, lane: Lane, analysis: Analysis) -> None:
        """A frame was analysed; from any thread."""
        if lane.spec.id in self._watched and self._loop is not None:
            self._loop.call_soon_threadsafe(self._show, analysis)

    def rewire(self) -> None:
        """Take packets from exactly the cameras that are watched and exist now."""
        self._watched = frozenset[str]().union(*(outlet.cameras for outlet in self._outlets))
        for camera_id, subscription in list(self._subscriptions.items()):
            if camera_id not in self._watched or self._lane(camera_id) is not subscription.lane:
                subscription.end()
                del self._subscriptions[camera_id]
        for camera_id in self._watched - self._subscriptions.keys():
            lane = self._lane(camera_id)
            if lane is not None:
                self._subscribe(camera_id, lane)

    def _subscribe(self, camera_id: str, lane: Lane) -> None:
        loop = asyncio.get_running_loop()

        def forward(packet: EncodedPacket) -> None:
            loop.call_soon_threadsafe(self._forward, camera_id, packet)

        self._subscriptions[camera_id] = _Subscription(
            lane=lane, end=lane.worker.on_packet(forward)
        )

    def _forward(self, camera_id: str, packet: EncodedPacket) -> None:
        subscription = self._subscriptions.get(camera_id)
        if subscription is not None:
            subscription.times.append((packet.at.monotonic, packet.pts_s))
        for outlet in self._outlets:
            outlet.packet(camera_id, packet)

    def _show(self, analysis: Analysis) -> None:
        frame = analysis.frame
        subscription = self._subscriptions.get(frame.camera_id)
        pts_s = subscription.pts_s(frame.captured_at) if subscription else None
        message = metadata(analysis, pts_s)
        for outlet in self._outlets:
            outlet.metadata(message)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        outlet = Outlet()
        self._outlets.add(outlet)
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        sender = asyncio.create_task(self._send(outlet, writer))
        try:
            await self._read(reader, outlet)
        except asyncio.CancelledError:
            log.debug("live_connection_cut")
        finally:
            sender.cancel()
            self._outlets.discard(outlet)
            self.rewire()
            writer.close()
            if task is not None:
                self._tasks.discard(task)

    async def _send(self, outlet: Outlet, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                writer.write(await outlet.next())
                await writer.drain()

    async def _read(self, reader: asyncio.StreamReader, outlet: Outlet) -> None:
        snapshots = asyncio.Semaphore(MAX_SNAPSHOTS)
        while True:
            try:
                message, _ = await read_frame(reader)
            except WireError as error:
                self._refuse(error)
                if error.key != "wire.malformed":
                    return
            except (asyncio.IncompleteReadError, OSError):
                return
            else:
                await self._obey(message, outlet, snapshots)

    async def _obey(
        self, message: AnyMessage, outlet: Outlet, snapshots: asyncio.Semaphore
    ) -> None:
        match message:
            case Watch():
                began = outlet.watch(message.camera_id, video=message.video)
                self.rewire()
                lane = self._lane(message.camera_id)
                for packet in lane.worker.ring.latest_group() if lane and began else ():
                    outlet.packet(message.camera_id, packet)
            case Unwatch():
                outlet.unwatch(message.camera_id)
                self.rewire()
            case SnapshotRequest():
                await snapshots.acquire()
                task = asyncio.create_task(self._snapshot(message, outlet))
                task.add_done_callback(lambda _: snapshots.release())
            case _:
                self._refuse(
                    WireError("wire.unexpected", "{type} is not for a shard", type=message.type)
                )

    async def _snapshot(self, request: SnapshotRequest, outlet: Outlet) -> None:
        lane = self._lane(request.camera_id)
        frame = lane.newest if lane else None
        body, reason = b"", "not_found"
        if lane is not None and frame is not None:
            health = lane.worker.health()
            reason = health.reason if health.state is CameraState.BLIND else "ok"
            body = await asyncio.to_thread(still, frame, request.width_px)
        header = Snapshot(
            request_id=request.request_id,
            camera_id=request.camera_id,
            at=frame.captured_at if frame else None,
            reason=reason,
        )
        outlet.reply(header, body)

    def _refuse(self, error: WireError) -> None:
        self.refused_messages += 1
        log.warning("message_refused", error=str(error))


def still(frame: Frame, width_px: int) -> bytes:
    """The frame as JPEG, no wider than asked for."""
    picture = frame.full.rgb()
    height, width = picture.shape[:2]
    if width_px < width:
        size = (width_px, max(1, round(height * width_px / width)))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        picture = small.astype(np.uint8, copy=False)
    return jpeg(picture)


def metadata(analysis: Analysis, pts_s: float | None) -> Metadata:
    """What to draw over an analysed frame, whose packet had this presentation time."""
    frame, violations = analysis.frame, [v for v in analysis.open_violations if not v.shadow]
    zones = {v.zone_id for v in violations if v.zone_id is not None}
    return Metadata(
        camera_id=frame.camera_id,
        at=frame.captured_at,
        pts_s=pts_s,
        persons=tuple(_seen(person) for person in (*analysis.persons, *analysis.beside)),
        violated_zones=tuple(sorted(zones)),
        violating_subjects=tuple(sorted({each for v in violations for each in _subjects(v)})),
        vehicles=drawn_vehicles(analysis),
    )


def _subjects(violation: Violation) -> list[str]:
    """Everybody in it: both of a pair."""
    return str(violation.details.get("seen_as", violation.subject)).split("+")


def _seen(person: TrackedPerson) -> SeenPerson:
    left, top, right, bottom = person.box.astype(float).round(4).tolist()
    keypoints = tuple((x, y, c) for x, y, c in person.keypoints.astype(float).round(4).tolist())
    return SeenPerson(
        track_id=person.track_id,
        box=(left, top, right, bottom),
        keypoints=keypoints,
        ppe=dict(person.ppe),
    )
