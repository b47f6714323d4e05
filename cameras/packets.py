"""Encoded packets of one camera, and the ring that remembers the last of them."""

import threading
from collections import deque
from dataclasses import dataclass

from cameras.annexb import Codec
from safety.clock import Instant


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EncodedPacket:
    """One encoded picture as the camera sent it.

    Attributes:
        data: Annex B; in a key frame the parameter sets stand in front.
        pts_s: Presentation time in seconds; that of the connection's first packet is 0. Not in
            order where the stream has B-frames.
        at: When the last of it reached this machine.
        connection: Counts the connections to the camera; timestamps restart with each.
    """

    codec: Codec
    data: bytes
    keyframe: bool
    pts_s: float
    at: Instant
    connection: int


class PacketRing:
    """The last seconds of a camera, beginning with a key frame; safe to use from any thread.

    Args:
        seconds: How much it remembers at least, as far as ``max_bytes`` allows. It holds up to
            one group of pictures more, since it lets go of whole groups only.
        max_bytes: How many encoded bytes it holds at most.
    """

    def __init__(self, *, seconds: float, max_bytes: int) -> None:
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._packets: deque[EncodedPacket] = deque()
        self._keyframes: deque[Instant] = deque()
        self._bytes = 0

    def append(self, packet: EncodedPacket) -> None:
        """Remember a packet; one that nobody could decode from, for want of a key frame, is not."""
        with self._lock:
            if not self._packets and not packet.keyframe:
                return
            self._packets.append(packet)
            self._bytes += len(packet.data)
            if packet.keyframe:
                self._keyframes.append(packet.at)
            while self._first_group_is_spare(packet.at) or self._bytes > self._max_bytes:
                self._forget_first_group()

    def window(self, start: Instant, end: Instant) -> list[EncodedPacket]:
        """The packets that arrived from ``start`` to ``end``.

        Begins with the last key frame that is not after ``start``, or the oldest there is.
        Times are compared on the monotonic clock.
        """
        with self._lock:
            packets = list(self._packets)
        begin = 0
        for index, packet in enumerate(packets):
            if packet.keyframe and packet.at.monotonic <= start.monotonic:
                begin = index
        return [p for p in packets[begin:] if p.at.monotonic <= end.monotonic]

    def latest_group(self) -> list[EncodedPacket]:
        """The packets from the newest key frame on: what a new viewer is sent first."""
        with self._lock:
            group: list[EncodedPacket] = []
            for packet in reversed(self._packets):
                group.append(packet)
                if packet.keyframe:
                    break
        return group[::-1]

    @property
    def size_bytes(self) -> int:
        """Encoded bytes held now."""
        return self._bytes

    @property
    def seconds(self) -> float:
        """Seconds from the oldest to the newest packet."""
        with self._lock:
            if not self._packets:
                return 0.0
            return self._packets[-1].at.monotonic - self._packets[0].at.monotonic

    def _first_group_is_spare(self, newest: Instant) -> bool:
        """Whether the second group alone reaches back far enough."""
        return (
            len(self._keyframes) > 1
            and newest.monotonic - self._keyframes[1].monotonic >= self._seconds
        )

    def _forget_first_group(self) -> None:
        self._keyframes.popleft()
        while self._packets:
            self._bytes -= len(self._packets.popleft().data)
            if self._packets and self._packets[0].keyframe:
                return
