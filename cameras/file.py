"""Video files, played at their own pace as if they were cameras."""

import threading
from collections.abc import Iterator

import av
from av.video.stream import VideoStream

from cameras import failures
from cameras.annexb import ParameterSets
from cameras.containers import rate_of, video_of
from cameras.pace import Pace
from cameras.packets import EncodedPacket
from cameras.specs import FileSpec
from safety.clock import Clock

_TO_ANNEX_B = {"h264": "h264_mp4toannexb", "h265": "hevc_mp4toannexb"}


class FileSource:
    """One run of a video file, once or for ever."""

    def __init__(
        self, spec: FileSpec, *, clock: Clock, cancelled: threading.Event, connection: int = 0
    ) -> None:
        """Open the file.

        Raises:
            CameraError: not_found, not_video or unreachable (no permission).
        """
        self._loop = spec.loop
        self._begins_at = spec.begins_at
        self._played_s: float | None = None
        self._clock = clock
        self._pace = Pace(clock, cancelled)
        self._connection = connection
        self._place = str(spec.path)
        try:
            self._container = av.open(spec.path)
        except av.error.FFmpegError as error:
            raise failures.from_ffmpeg(error, self._place) from None
        try:
            self._stream, self.codec = video_of(self._container, self._place)
        except BaseException:
            self._container.close()
            raise
        self.announced_fps = rate_of(self._stream)

    def packets(self) -> Iterator[EncodedPacket]:
        """Pictures when they are due; timestamps go on rising when the file starts again."""
        lap_starts_s = 0.0
        self._fall_in()
        while True:
            lap_ends_s = lap_starts_s
            for packet in self._lap(lap_starts_s):
                yield packet
                lap_ends_s = max(lap_ends_s, packet.pts_s + 1 / (self.announced_fps or 25.0))
            if self._pace.cancelled or not self._loop:
                return
            if lap_ends_s == lap_starts_s:
                raise failures.not_video(self._place, "no pictures in the file")
            lap_starts_s = lap_ends_s
            self._container.seek(0)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _fall_in(self) -> None:
        """Go to where the film is by now, if it has a beginning; the key frame before that."""
        length_s = _length_s(self._stream)
        if self._begins_at is None or length_s is None:
            return
        played_s = self._clock.now().wall - self._begins_at
        self._played_s = played_s % length_s if self._loop else min(max(0, played_s), length_s)
        ticks = int(self._played_s / (self._stream.time_base or 1))
        self._container.seek((self._stream.start_time or 0) + ticks, stream=self._stream)

    def _lap(self, starts_s: float) -> Iterator[EncodedPacket]:
        try:
            yield from self._pictures(starts_s)
        except av.error.FFmpegError as error:
            raise failures.from_ffmpeg(error, self._place) from None

    def _catch_up(self, first_s: float) -> None:
        """Show at once what lies between the first key frame and where the film is by now."""
        if self._played_s is not None:
            begun_s = float((self._stream.start_time or 0) * (self._stream.time_base or 0))
            self._pace.begin(max(0.0, self._played_s - (first_s - begun_s)))
            self._played_s = None

    def _pictures(self, starts_s: float) -> Iterator[EncodedPacket]:
        # A new filter per lap: it puts the parameter sets in front of the first key frame again.
        annex_b = av.BitStreamFilterContext(_TO_ANNEX_B[self.codec], self._stream)
        parameter_sets = ParameterSets(self.codec)
        first: tuple[float, float] | None = None
        for raw in self._container.demux(self._stream):
            for packet in annex_b.filter(raw) if raw.size else ():
                pts_s, dts_s = _times(packet)
                if first is None and not packet.is_keyframe:
                    continue
                if first is None:
                    first = pts_s, dts_s
                    self._catch_up(dts_s)
                if not self._pace.wait_for(starts_s + dts_s - first[1]):
                    return
                data = bytes(packet)
                yield EncodedPacket(
                    codec=self.codec,
                    data=parameter_sets.complete(data) if packet.is_keyframe else data,
                    keyframe=packet.is_keyframe,
                    pts_s=starts_s + pts_s - first[0],
                    at=self._clock.now(),
                    connection=self._connection,
                )


def _length_s(stream: VideoStream) -> float | None:
    """How long a film is; None if it does not say."""
    if not stream.duration or not stream.time_base:
        return None
    return float(stream.duration * stream.time_base)


def _times(packet: "av.Packet[VideoStream]") -> tuple[float, float]:
    """Presentation and decoding time in seconds; a file without one has the other."""
    pts = packet.pts if packet.pts is not None else packet.dts
    dts = packet.dts if packet.dts is not None else packet.pts
    base = packet.time_base
    return float((pts or 0) * base), float((dts or 0) * base)
