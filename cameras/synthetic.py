"""The synthetic twin: a drawn room, encoded like a camera's so that all consumers work alike."""

import threading
from collections.abc import Iterator
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from cameras.annexb import Codec
from cameras.pace import Pace
from cameras.packets import EncodedPacket
from cameras.room import Room
from cameras.specs import SyntheticSpec
from safety.clock import Clock

_KEYFRAME_EVERY_S = 2.0


class SyntheticSource:
    """A camera that needs no camera; the same picture number always shows the same."""

    codec: Codec = "h264"

    def __init__(
        self, spec: SyntheticSpec, *, clock: Clock, cancelled: threading.Event, connection: int = 0
    ) -> None:
        self._clock = clock
        self._pace = Pace(clock, cancelled)
        self._connection = connection
        # 4:2:0 video has an even number of rows and columns.
        self._room = Room(spec.width_px // 2 * 2, spec.height_px // 2 * 2)
        self._rate = Fraction(spec.fps).limit_denominator(1000)
        self.announced_fps: float | None = float(self._rate)
        self._encoder = self._open_encoder(spec)

    def packets(self) -> Iterator[EncodedPacket]:
        """One picture after another, for ever."""
        number = 0
        while self._pace.wait_for(float(number / self._rate)):
            for packet in self._encode(number):
                yield EncodedPacket(
                    codec=self.codec,
                    data=bytes(packet),
                    keyframe=packet.is_keyframe,
                    pts_s=float(number / self._rate),
                    at=self._clock.now(),
                    connection=self._connection,
                )
            number += 1

    def close(self) -> None:
        """Nothing to let go of."""

    def _open_encoder(self, spec: SyntheticSpec) -> VideoCodecContext:
        encoder = av.CodecContext.create("libx264", "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height = spec.width_px // 2 * 2, spec.height_px // 2 * 2
        encoder.pix_fmt = "yuv420p"
        encoder.framerate = self._rate
        encoder.time_base = 1 / self._rate
        encoder.gop_size = max(1, round(_KEYFRAME_EVERY_S * self._rate))
        # No look-ahead: every picture comes out of the encoder as it goes in.
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "24"}
        encoder.thread_count = 1
        return encoder

    def _encode(self, number: int) -> "list[av.Packet[VideoStream]]":
        picture = self._room.picture(float(number / self._rate))
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = number
        return self._encoder.encode(frame)
