"""From encoded packets to pictures, and which of them can be trusted."""

from dataclasses import dataclass
from fractions import Fraction

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from cameras.annexb import Codec
from cameras.packets import EncodedPacket
from safety.clock import Instant
from safety.types import Picture

_DECODERS: dict[Codec, str] = {"h264": "h264", "h265": "hevc"}
_TIME_BASE = Fraction(1, 90_000)
# H.264 and H.265 hold back 16 pictures at most; a few more cover those that were lost.
_LONGEST_REORDERING = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPicture:
    """One picture out of the decoder.

    Attributes:
        at: When its packet reached this machine.
        good: Nothing in it, nor in the pictures it builds on, was damaged.
    """

    frame: VideoFrame
    at: Instant
    good: bool


class Decoder:
    """Decodes one connection's packets, beginning with a key frame.

    Slice threads only: frame threads would hold back one picture per thread.
    A picture counts as damaged if the decoder says so, and so does every later one up to the
    next sound key frame, since they are built upon it.
    """

    def __init__(self, codec: Codec) -> None:
        context = av.CodecContext.create(_DECODERS[codec], "r")
        assert isinstance(context, VideoCodecContext)
        context.thread_type = "SLICE"
        context.thread_count = 2
        context.flags |= Flags.low_delay
        self._context = context
        self._arrivals: dict[int, Instant] = {}
        self._sound = False

    def decode(self, packet: EncodedPacket) -> list[DecodedPicture]:
        """The pictures that this packet completes: usually one.

        Raises:
            av.error.FFmpegError: The packet cannot be decoded at all; go on with the next.
        """
        encoded = av.Packet(packet.data)
        encoded.time_base = _TIME_BASE
        encoded.pts = round(packet.pts_s / _TIME_BASE)
        self._remember(encoded.pts, packet.at)
        try:
            frames = self._context.decode(encoded)
        except av.error.FFmpegError:
            self._sound = False
            raise
        return [self._judged(frame, packet.at) for frame in frames]

    def _remember(self, pts: int, at: Instant) -> None:
        self._arrivals[pts] = at
        while len(self._arrivals) > _LONGEST_REORDERING:
            del self._arrivals[next(iter(self._arrivals))]

    def _judged(self, frame: VideoFrame, newest: Instant) -> DecodedPicture:
        self._sound = not frame.is_corrupt and (self._sound or frame.key_frame)
        at = self._arrivals.pop(frame.pts, newest) if frame.pts is not None else newest
        return DecodedPicture(frame=frame, at=at, good=self._sound)


class Scaler:
    """Turns decoded frames into RGB pictures of one width, keeping their aspect.

    Args:
        width_px: Width of the pictures.
    """

    def __init__(self, width_px: int) -> None:
        self._width = width_px
        # One per camera: it keeps FFmpeg's scaling tables from frame to frame.
        self._reformatter = VideoReformatter()

    def scale(self, frame: VideoFrame) -> Picture:
        """The frame as (height, width_px, 3) uint8 RGB."""
        shrinks = frame.width > self._width
        scaled = self._reformatter.reformat(
            frame,
            width=self._width,
            height=max(1, round(frame.height * self._width / frame.width)),
            format="rgb24",
            interpolation=Interpolation.AREA if shrinks else Interpolation.BILINEAR,
            threads=1,
        )
        return _array(scaled)


class WholeFrame:
    """A decoded frame at its own resolution; becomes a picture only if somebody asks."""

    __slots__ = ("_frame",)

    def __init__(self, frame: VideoFrame) -> None:
        self._frame = frame

    def rgb(self) -> Picture:
        """The frame as (height, width, 3) uint8 RGB."""
        # A reformatter of its own: the frame's is shared, and two threads may ask at once.
        return _array(VideoReformatter().reformat(self._frame, format="rgb24", threads=1))


def _array(frame: VideoFrame) -> Picture:
    picture: Picture = frame.to_ndarray()  # type: ignore[assignment]  # rgb24 is always uint8
    return picture
