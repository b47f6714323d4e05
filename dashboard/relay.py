"""Encoded video on its way to one viewer: bounded, and never a picture after a gap.

A viewer that cannot keep up loses whole groups of pictures, not single packets: after
anything was left out, delivery resumes at a key frame, so a decoder is never handed a
picture whose reference it has not got.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from safety.clock import Clock, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePacket:
    """One encoded frame of a camera.

    Attributes:
        codec: ``"h264"`` or ``"hevc"``.
        keyframe: Can be decoded without what came before it.
        pts_s: Presentation time in seconds since the camera was connected.
        at: When it reached the machine that reads the camera.
        data: Annex B, SPS and PPS in front of key frames.
    """

    codec: str
    keyframe: bool
    pts_s: float
    at: Instant
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayLimits:
    """What may wait for one viewer."""

    packets: int = 240
    bytes: int = 8 * 1024 * 1024
    seconds: float = 2.0


class RelayClosed(Exception):
    """The relay was closed and is empty."""


class PacketRelay:
    """A queue of packets with one reader; ``push`` never blocks and never grows past the limits.

    Attributes:
        dropped: Packets that the viewer was not given.
    """

    def __init__(self, clock: Clock, *, limits: RelayLimits | None = None) -> None:
        self.dropped = 0
        self._clock = clock
        self._limits = limits or RelayLimits()
        self._waiting: deque[tuple[float, LivePacket]] = deque()
        self._bytes = 0
        self._needs_keyframe = True
        self._closed = False
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of video that wait for the viewer."""
        return self._bytes

    def push(self, packet: LivePacket) -> None:
        """Queue a packet, or leave it out if it could not be decoded or there is no room."""
        if self._closed:
            return
        if self._needs_keyframe and not packet.keyframe:
            self.dropped += 1
            return
        self._needs_keyframe = False
        self._waiting.append((self._clock.now().monotonic, packet))
        self._bytes += len(packet.data)
        if self._overfull():
            self._skip_to_newest_keyframe()
        self._wake.set()

    def gap(self) -> None:
        """Packets were lost before they got here: deliver nothing more until a key frame."""
        self._needs_keyframe = True

    async def next(self) -> LivePacket:
        """The next packet, waiting for it.

        Raises:
            RelayClosed: There will be no more.
        """
        while not self._waiting:
            if self._closed:
                raise RelayClosed
            self._wake.clear()
            await self._wake.wait()
        _, packet = self._waiting.popleft()
        self._bytes -= len(packet.data)
        return packet

    def close(self) -> None:
        """End the relay; a waiting reader is released."""
        self._closed = True
        self._waiting.clear()
        self._bytes = 0
        self._wake.set()

    def _overfull(self) -> bool:
        waited = self._waiting[-1][0] - self._waiting[0][0]
        return (
            len(self._waiting) > self._limits.packets
            or self._bytes > self._limits.bytes
            or waited > self._limits.seconds
        )

    def _skip_to_newest_keyframe(self) -> None:
        keyframes = [i for i, (_, packet) in enumerate(self._waiting) if packet.keyframe]
        self._drop(keyframes[-1] if keyframes else len(self._waiting))
        if self._waiting and self._overfull():
            self._drop(len(self._waiting))
        self._needs_keyframe = not self._waiting

    def _drop(self, count: int) -> None:
        for _ in range(count):
            _, packet = self._waiting.popleft()
            self._bytes -= len(packet.data)
        self.dropped += count
