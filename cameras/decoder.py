"""From encoded packets to pictures, and which of them can be trusted."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from cameras.annexb import Codec
from cameras.packets import EncodedPacket
from safety.clock import Instant
from safety.types import Picture

_DECODERS: dict[Codec, str] = {"h264": "h264", "h265": "hevc"}
_TIME_BASE = Fraction(1, 90_000)
# H.264 and H.265 hold back 16 pictures at most; a few more cover those that were lost.
_LONGEST_REORDERING = 32
_CHROMA_STEP = {
    "yuv420p": (2, 2), "yuvj420p": (2, 2), "yuv422p": (2, 1), "yuvj422p": (2, 1),
    "yuv444p": (1, 1), "yuvj444p": (1, 1),
}  # fmt: skip
"""Pixels across and down per colour sample, of the formats that cameras send."""


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

    def crop(self, left: int, top: int, right: int, bottom: int) -> Picture:
        """A part of ``rgb()``: 0.03 ms for a person where a whole 1080p frame takes 0.6 ms."""
        step = _CHROMA_STEP.get(self._frame.format.name)
        if step is None:
            return np.ascontiguousarray(self.rgb()[top:bottom, left:right])
        # Whole colour samples only: FFmpeg converts odd sizes in another, coarser way.
        first = left - left % step[0], top - top % step[1]
        end = (
            min(right + right % step[0], self._frame.width),
            min(bottom + bottom % step[1], self._frame.height),
        )
        part = _part(self._frame, first, end, step)
        picture = _array(VideoReformatter().reformat(part, format="rgb24", threads=1))
        down, across = top - first[1], left - first[0]
        return np.ascontiguousarray(
            picture[down : down + bottom - top, across : across + right - left]
        )


def _part(
    frame: VideoFrame, first: tuple[int, int], end: tuple[int, int], step: tuple[int, int]
) -> VideoFrame:
    """A copy of the rectangle from ``first`` to ``end``, multiples of ``step``."""
    part = VideoFrame(end[0] - first[0], end[1] - first[1], frame.format.name)
    part.colorspace, part.color_range = frame.colorspace, frame.color_range
    for number, (source, target) in enumerate(zip(frame.planes, part.planes, strict=True)):
        across, down = step if number else (1, 1)
        top, left = first[1] // down, first[0] // across
        rows = _rows(source)[top : top + target.height, left : left + target.width]
        _rows(target)[: target.height, : target.width] = rows
    return part


def _rows(plane: VideoPlane) -> NDArray[np.uint8]:
    """One plane's bytes, (rows, line size), not copied."""
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload,no-any-return]


def _array(frame: VideoFrame) -> Picture:
    picture: Picture = frame.to_ndarray()  # type: ignore[assignment]  # rgb24 is always uint8
    return picture
