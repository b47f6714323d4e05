"""What becomes of a camera's packets: ring, viewers, decoder, and the slot for analysis."""

import threading
from collections.abc import Callable

import av
import structlog

from cameras.decoder import DecodedPicture, Decoder, Scaler, WholeFrame
from cameras.frozen import FrozenPicture
from cameras.health import HealthMonitor
from cameras.packets import EncodedPacket, PacketRing
from cameras.slot import FrameSlot
from cameras.specs import CameraSpec
from cameras.thinning import Thinning
from safety.types import Frame

_log = structlog.get_logger(__name__)

PacketSubscriber = Callable[[EncodedPacket], None]
"""Called in the camera's thread with every packet; must return at once."""


class Intake:
    """Takes one camera's packets, from whichever connection is the newest."""

    def __init__(
        self,
        spec: CameraSpec,
        *,
        ring: PacketRing,
        slot: FrameSlot,
        health: HealthMonitor,
        phase: float = 0.0,
    ) -> None:
        self._spec = spec
        self._ring = ring
        self._slot = slot
        self._health = health
        self._lock = threading.Lock()
        self._subscribers: tuple[PacketSubscriber, ...] = ()
        self._connection = -1
        self._decoder: Decoder | None = None
        self._scaler = Scaler(spec.network_width)
        self._frozen = FrozenPicture(spec.frozen_after_s)
        self._key_frame_since_scaled = False
        self._thinning = Thinning(spec.max_fps, phase=phase)

    def subscribe(self, subscriber: PacketSubscriber) -> Callable[[], None]:
        """Hand every further packet to ``subscriber`` too; returns how to end that."""
        self._subscribers = (*self._subscribers, subscriber)

        def unsubscribe() -> None:
            self._subscribers = tuple(s for s in self._subscribers if s is not subscriber)

        return unsubscribe

    def take(self, packet: EncodedPacket) -> None:
        """Keep, hand on and decode one packet; one of an abandoned connection is ignored."""
        with self._lock:
            if packet.connection < self._connection:
                return
            if packet.connection > self._connection or self._decoder is None:
                self._begin(packet)
            self._ring.append(packet)
            self._hand_on(packet)
            self._decode(packet, self._decoder or self._begin(packet))

    def _begin(self, packet: EncodedPacket) -> Decoder:
        self._connection = packet.connection
        self._decoder = Decoder(packet.codec)
        self._frozen = FrozenPicture(self._spec.frozen_after_s)
        self._health.judged_frozen(False)
        self._health.connected(packet.codec)
        return self._decoder

    def _hand_on(self, packet: EncodedPacket) -> None:
        for subscriber in self._subscribers:
            try:
                subscriber(packet)
            except Exception:
                _log.exception("packet_subscriber_failed", camera=self._spec.id)

    def _decode(self, packet: EncodedPacket, decoder: Decoder) -> None:
        try:
            pictures = decoder.decode(packet)
        except av.error.FFmpegError:
            self._health.could_not_decode(packet.at)
            return
        for picture in pictures:
            if picture.good:
                self._see(picture)
            else:
                self._health.saw_damage(picture.at)

    def _see(self, picture: DecodedPicture) -> None:
        frame = picture.frame
        sequence = self._health.saw(frame.width, frame.height, picture.at)
        self._key_frame_since_scaled |= frame.key_frame
        if not self._thinning.wants(picture.at):
            return
        scaled = self._scaler.scale(frame)
        self._health.judged_frozen(
            self._frozen.update(scaled, picture.at, key_frame=self._key_frame_since_scaled)
        )
        self._key_frame_since_scaled = False
        self._slot.put(
            Frame(
                camera_id=self._spec.id,
                sequence=sequence,
                captured_at=picture.at,
                width_px=frame.width,
                height_px=frame.height,
                picture=scaled,
                full=WholeFrame(frame),
            )
        )
