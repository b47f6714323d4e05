"""What one dashboard connection is sent: bounded, and never a picture that cannot be decoded."""

import asyncio
from collections import deque
from dataclasses import dataclass

from cameras.messages import Metadata, Snapshot, VideoPacket
from cameras.packets import EncodedPacket
from cameras.wire import encode

MAX_VIDEO_BYTES = 4 * 1024 * 1024
"""Unsent video of one camera: some seconds. Beyond it the viewer skips to the next key frame."""

MAX_METADATA = 64
"""Unsent metadata messages of one camera; beyond it the oldest is dropped."""


@dataclass(slots=True)
class _Feed:
    """One camera that this connection watches."""

    video: bool
    waiting_bytes: int = 0
    waiting_metadata: int = 0
    needs_keyframe: bool = True
    newest: tuple[int, float] = (-1, -1.0)


@dataclass(frozen=True, slots=True)
class _Item:
    camera_id: str
    data: bytes
    is_video: bool


class Outlet:
    """A queue in front of one connection; all methods are called in the event loop."""

    def __init__(self) -> None:
        self._feeds: dict[str, _Feed] = {}
        self._replies: deque[bytes] = deque()
        self._items: deque[_Item] = deque()
        self._filled = asyncio.Event()
        self.packets_dropped = 0

    def watch(self, camera_id: str, *, video: bool) -> bool:
        """Begin to take a camera; True if its video was not taken before."""
        feed = self._feeds.get(camera_id)
        if feed is None:
            self._feeds[camera_id] = _Feed(video=video)
            return video
        began, feed.video = video and not feed.video, video
        if began:
            feed.needs_keyframe, feed.newest = True, (-1, -1.0)
        return began

    def unwatch(self, camera_id: str) -> None:
        """Take it no more; what is queued of it is dropped."""
        if self._feeds.pop(camera_id, None) is not None:
            self._items = deque(item for item in self._items if item.camera_id != camera_id)

    @property
    def cameras(self) -> set[str]:
        """The cameras it takes."""
        return set(self._feeds)

    def packet(self, camera_id: str, packet: EncodedPacket) -> None:
        """Queue one encoded picture, unless it is known already or cannot be decoded."""
        feed = self._feeds.get(camera_id)
        if feed is None or not feed.video:
            return
        stamp = (packet.connection, packet.at.monotonic)
        if stamp <= feed.newest or (feed.needs_keyframe and not packet.keyframe):
            return
        if feed.waiting_bytes + len(packet.data) > MAX_VIDEO_BYTES:
            self._drop_video(camera_id, feed)
            if not packet.keyframe:
                return
        feed.newest = stamp
        feed.needs_keyframe = False
        header = VideoPacket(
            camera_id=camera_id,
            codec=packet.codec,
            keyframe=packet.keyframe,
            pts_s=packet.pts_s,
            at=packet.at,
        )
        self._put(feed, _Item(camera_id, encode(header, packet.data), is_video=True))

    def metadata(self, message: Metadata) -> None:
        """Queue what to draw over a picture."""
        feed = self._feeds.get(message.camera_id)
        if feed is None:
            return
        if feed.waiting_metadata >= MAX_METADATA:
            self._drop_oldest_metadata(message.camera_id, feed)
        self._put(feed, _Item(message.camera_id, encode(message), is_video=False))

    def reply(self, snapshot: Snapshot, body: bytes) -> None:
        """Queue the answer to a request; answers go first."""
        self._replies.append(encode(snapshot, body))
        self._filled.set()

    async def next(self) -> bytes:
        """Wait for what is to be written next."""
        while not (self._replies or self._items):
            self._filled.clear()
            await self._filled.wait()
        if self._replies:
            return self._replies.popleft()
        item = self._items.popleft()
        self._account(self._feeds[item.camera_id], item, -1)
        return item.data

    def _put(self, feed: _Feed, item: _Item) -> None:
        self._items.append(item)
        self._account(feed, item, +1)
        self._filled.set()

    def _account(self, feed: _Feed, item: _Item, sign: int) -> None:
        if item.is_video:
            feed.waiting_bytes += sign * len(item.data)
        else:
            feed.waiting_metadata += sign

    def _drop_video(self, camera_id: str, feed: _Feed) -> None:
        kept = [i for i in self._items if not (i.is_video and i.camera_id == camera_id)]
        self.packets_dropped += len(self._items) - len(kept)
        self._items = deque(kept)
        feed.waiting_bytes = 0
        feed.needs_keyframe = True

    def _drop_oldest_metadata(self, camera_id: str, feed: _Feed) -> None:
        for index, item in enumerate(self._items):
            if item.camera_id == camera_id and not item.is_video:
                del self._items[index]
                feed.waiting_metadata -= 1
                return
