"""Live cameras: what one shard is asked to send, and who in this process gets it."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from cameras.messages import (
    AnyMessage,
    Metadata,
    Snapshot,
    SnapshotRequest,
    Unwatch,
    VideoPacket,
    Watch,
)
from dashboard.links import Link
from dashboard.overlay import Overlay
from dashboard.relay import LivePacket, PacketRelay
from safety.clock import Clock
from safety.config import Settings

SNAPSHOT_TIMEOUT_S = 2.0
REMEMBERED_OVERLAYS = 32
"""About three seconds, to find the boxes that belong to a still picture."""
MAX_GROUP_BYTES = 8 * 1024 * 1024
"""A group of pictures larger than this is not kept for viewers who come later."""


@dataclass(eq=False, slots=True, kw_only=True)
class Watcher:
    """Somebody in this process who watches one camera.

    Attributes:
        relay: Takes the video; None for who wants metadata only.
        on_overlay: Called with what was seen in every analysed frame.
    """

    camera_id: str
    relay: PacketRelay | None
    on_overlay: Callable[[Overlay], None]


@dataclass(slots=True)
class WatchedCamera:
    """One camera that at least one watcher wants."""

    watchers: list[Watcher] = field(default_factory=list)
    group: list[LivePacket] = field(default_factory=list)
    """Packets from the newest key frame on, so that a further viewer starts at once."""
    group_bytes: int = 0
    overlays: deque[Overlay] = field(default_factory=lambda: deque(maxlen=REMEMBERED_OVERLAYS))

    @property
    def wants_video(self) -> bool:
        return any(watcher.relay is not None for watcher in self.watchers)

    def keep(self, packet: LivePacket) -> None:
        """Remember a packet for viewers who come later."""
        if packet.keyframe:
            self.forget()
        elif not self.group:
            return
        self.group.append(packet)
        self.group_bytes += len(packet.data)
        if self.group_bytes > MAX_GROUP_BYTES:
            self.forget()

    def forget(self) -> None:
        """Drop the remembered group of pictures."""
        self.group.clear()
        self.group_bytes = 0


class ShardWatch:
    """The connection to one shard, with the cameras that are watched through it."""

    def __init__(self, settings: Settings, shard_id: str, clock: Clock) -> None:
        self.cameras: dict[str, WatchedCamera] = {}
        self._snapshots: dict[str, asyncio.Future[tuple[bytes | None, Snapshot]]] = {}
        self.link = Link(
            settings.shard_socket(shard_id),
            clock,
            greet=self._greet,
            receive=self._receive,
            lost=self._lost,
        )

    def add(self, watcher: Watcher) -> None:
        """Let a watcher take part; video starts with the newest key frame at hand."""
        camera = self.cameras.setdefault(watcher.camera_id, WatchedCamera())
        before = camera.wants_video if camera.watchers else None
        camera.watchers.append(watcher)
        if watcher.relay is not None:
            for packet in camera.group:
                watcher.relay.push(packet)
        if before != camera.wants_video:
            self.link.send(self._watch(watcher.camera_id, camera))

    def remove(self, watcher: Watcher) -> None:
        """Let a watcher go; the shard is told when nobody is left."""
        camera = self.cameras.get(watcher.camera_id)
        if camera is None or watcher not in camera.watchers:
            return
        before = camera.wants_video
        camera.watchers.remove(watcher)
        if not camera.watchers:
            del self.cameras[watcher.camera_id]
            self.link.send(Unwatch(camera_id=watcher.camera_id))
        elif before != camera.wants_video:
            camera.forget()
            self.link.send(self._watch(watcher.camera_id, camera))

    async def snapshot(self, camera_id: str, width_px: int) -> tuple[bytes | None, Snapshot]:
        """The newest picture as JPEG.

        Returns:
            The JPEG, or None with ``Snapshot.reason`` saying why: the shard's own reason,
            ``shard_lost`` or ``timeout``.
        """
        request = SnapshotRequest(request_id=uuid4().hex, camera_id=camera_id, width_px=width_px)
        if not self.link.send(request):
            return None, self._no_snapshot(request, "shard_lost")
        future: asyncio.Future[tuple[bytes | None, Snapshot]] = asyncio.Future()
        self._snapshots[request.request_id] = future
        try:
            async with asyncio.timeout(SNAPSHOT_TIMEOUT_S):
                return await future
        except TimeoutError:
            return None, self._no_snapshot(request, "timeout")
        finally:
            del self._snapshots[request.request_id]

    @staticmethod
    def _no_snapshot(request: SnapshotRequest, reason: str) -> Snapshot:
        return Snapshot(
            request_id=request.request_id, camera_id=request.camera_id, at=None, reason=reason
        )

    @staticmethod
    def _watch(camera_id: str, camera: WatchedCamera) -> Watch:
        return Watch(camera_id=camera_id, video=camera.wants_video)

    def _greet(self) -> list[AnyMessage]:
        return [self._watch(camera_id, camera) for camera_id, camera in self.cameras.items()]

    def _lost(self) -> None:
        for camera in self.cameras.values():
            camera.forget()
            for watcher in camera.watchers:
                if watcher.relay is not None:
                    watcher.relay.gap()
        for future in self._snapshots.values():
            if not future.done():
                future.set_result(
                    (None, Snapshot(request_id="", camera_id="", at=None, reason="shard_lost"))
                )

    def _receive(self, message: AnyMessage, body: bytes) -> None:
        match message:
            case VideoPacket():
                self._packet(message, body)
            case Metadata():
                self._metadata(message)
            case Snapshot():
                future = self._snapshots.get(message.request_id)
                if future is not None and not future.done():
                    future.set_result((body or None, message))
            case _:
                self.link.refused_messages += 1

    def _packet(self, header: VideoPacket, body: bytes) -> None:
        camera = self.cameras.get(header.camera_id)
        if camera is None:
            return
        packet = LivePacket(
            codec=header.codec,
            keyframe=header.keyframe,
            pts_s=header.pts_s,
            at=header.at,
            data=body,
        )
        camera.keep(packet)
        for watcher in camera.watchers:
            if watcher.relay is not None:
                watcher.relay.push(packet)

    def _metadata(self, message: Metadata) -> None:
        camera = self.cameras.get(message.camera_id)
        if camera is None:
            return
        overlay = Overlay(message)
        camera.overlays.append(overlay)
        for watcher in camera.watchers:
            watcher.on_overlay(overlay)
