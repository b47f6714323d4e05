"""Tries a camera once: for set-up, and for finding out why it stays blind."""

import threading
from dataclasses import dataclass

import av
import numpy as np
from av.video.frame import VideoFrame

from cameras import failures
from cameras.annexb import Codec
from cameras.decoder import DecodedPicture, Decoder
from cameras.packets import EncodedPacket
from cameras.rtsp import RtspSource
from cameras.source import Source, open_source
from cameras.specs import FileSpec, RtspSpec, SourceSpec
from safety.clock import Clock
from safety.errors import AnjeonError
from safety.types import Picture

LARGEST_PX = 1280
"""A larger picture is made smaller; it is for people to look at."""

_ENOUGH_PACKETS = 15
_ENOUGH_S = 2.0
_CLOCK_S = 5.0
"""Within this time most cameras have told what time it is by their clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What a camera sends.

    Attributes:
        fps: Frames per second as the stream says, else as its first packets came; None if
            too few came to tell.
        reordered: Pictures come in another order than they are shown: the camera uses B-frames.
            None: it was not looked at for long enough.
        clock_ahead_s: How far the camera's clock is ahead of ours; None if it does not say.
        picture: The first sound picture, not larger than ``LARGEST_PX`` across.
    """

    codec: Codec
    width_px: int
    height_px: int
    fps: float | None
    reordered: bool | None
    clock_ahead_s: float | None
    picture: Picture


def probe(
    spec: SourceSpec, *, timeout_s: float, clock: Clock, thorough: bool = False
) -> ProbeResult:
    """Open a camera, decode its first picture, close it.

    Args:
        thorough: Go on for some seconds, to see what the first picture does not tell.

    Blocks for ``timeout_s`` at the most; FFmpeg may go on for a few seconds more in a thread
    of its own before it notices.

    Raises:
        CameraError: It cannot be read, and why.
        ConfigError: Its password is not where the specification says.
    """
    attempt = _Attempt(spec, clock, thorough=thorough)
    attempt.thread.start()
    attempt.thread.join(timeout_s)
    attempt.cancelled.set()
    if attempt.error is not None:
        raise attempt.error
    if attempt.result is None and attempt.connected:
        raise failures.no_frames(place_of(spec))
    if attempt.result is None:
        raise failures.unreachable(place_of(spec), f"no answer in {timeout_s:g} s")
    return attempt.result


def place_of(spec: SourceSpec) -> str:
    """Where a source is, without password or query: for people to read."""
    if isinstance(spec, RtspSpec):
        return spec.url.split("//", 1)[1].split("/", 1)[0]
    return str(spec.path) if isinstance(spec, FileSpec) else spec.kind


class _Attempt:
    """One try, in a thread that can be left alone."""

    def __init__(self, spec: SourceSpec, clock: Clock, *, thorough: bool) -> None:
        self._spec = spec
        self._thorough = thorough
        self._clock = clock
        self.cancelled = threading.Event()
        self.connected = False
        self.result: ProbeResult | None = None
        self.error: AnjeonError | None = None
        self.thread = threading.Thread(target=self._run, name="camera-probe", daemon=True)

    def _run(self) -> None:
        try:
            source = open_source(self._spec, clock=self._clock, cancelled=self.cancelled)
            self.connected = True
            try:
                self.result = self._look(source)
            finally:
                source.close()
        except AnjeonError as error:
            self.error = error

    def _look(self, source: Source) -> ProbeResult:
        decoder = Decoder(source.codec)
        shown: list[float] = []
        picture: DecodedPicture | None = None
        for packet in source.packets():
            shown.append(packet.pts_s)
            picture = picture or _first_sound(decoder, packet)
            long_enough = len(shown) >= _ENOUGH_PACKETS or shown[-1] >= _ENOUGH_S
            if picture and self._enough(source, shown, long_enough):
                break
        if picture is None:
            raise failures.no_frames(place_of(self._spec))
        frame = picture.frame
        return ProbeResult(
            codec=source.codec,
            width_px=frame.width,
            height_px=frame.height,
            fps=source.announced_fps or _rate(shown),
            reordered=None if len(shown) < _ENOUGH_PACKETS else shown != sorted(shown),
            clock_ahead_s=_ahead(source),
            picture=_shown(frame),
        )

    def _enough(self, source: Source, shown: list[float], long_enough: bool) -> bool:
        if not self._thorough:
            return long_enough or source.announced_fps is not None
        told = not isinstance(source, RtspSource) or source.clock_ahead_s is not None
        return long_enough and (told or shown[-1] >= _CLOCK_S)


def _shown(frame: VideoFrame) -> Picture:
    width = min(frame.width, LARGEST_PX)
    height = max(1, round(frame.height * width / frame.width))
    pixels = frame.reformat(width=width, height=height, format="bgr24").to_ndarray()
    return np.asarray(pixels, dtype=np.uint8)


def _ahead(source: Source) -> float | None:
    return source.clock_ahead_s if isinstance(source, RtspSource) else None


def _first_sound(decoder: Decoder, packet: EncodedPacket) -> DecodedPicture | None:
    try:
        return next((p for p in decoder.decode(packet) if p.good), None)
    except av.error.FFmpegError:
        return None


def _rate(shown: list[float]) -> float | None:
    span = max(shown) - min(shown)
    return (len(shown) - 1) / span if span > 0 else None
