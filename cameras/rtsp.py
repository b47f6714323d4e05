"""Network cameras: RTSP over TCP."""

import struct
from collections.abc import Iterator
from fractions import Fraction
from urllib.parse import quote, urlsplit

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from cameras import failures
from cameras.annexb import ParameterSets
from cameras.assembly import AssembledPicture, PictureAssembly
from cameras.containers import rate_of, video_of
from cameras.packets import EncodedPacket
from cameras.specs import RtspSpec
from cameras.timeline import Timeline
from safety.clock import Clock
from safety.config import read_secret
from safety.errors import CameraError

OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 4.0

_OPTIONS = {
    # UDP loses packets on a busy floor network and does not pass most firewalls.
    "rtsp_transport": "tcp",
    # FFmpeg would watch the stream for 2-3 s to guess what it says itself; measured with these
    # two: first packet after 0.1 s instead of 2.8 s, and none is held back.
    "fpsprobesize": "0",
    "probesize": "32",
    # Every RTP packet as it comes: pictures are put together in cameras.assembly.
    "fflags": "+noparse+nofillin",
}
# Sound is nobody's business here, so it is not even asked for.
_NO_SOUND = {"allowed_media_types": "video"}


class RtspSource:
    """One connection to a network camera."""

    def __init__(self, spec: RtspSpec, *, clock: Clock, connection: int = 0) -> None:
        """Connect.

        Raises:
            CameraError: unauthorized, not_found, not_video or unreachable.
            ConfigError: The password is not where the specification says.
        """
        self._clock = clock
        self._connection = connection
        self._place = urlsplit(spec.url).netloc
        self._began_at = clock.now()
        self.clock_ahead_s: float | None = None
        """How far the camera's own clock is ahead of ours, once it has said (RTCP)."""
        self._container = self._connect(spec)
        try:
            self._stream, self.codec = video_of(self._container, self._place)
        except BaseException:
            self._container.close()
            raise
        self.announced_fps = rate_of(self._stream)
        self._time_base = self._stream.time_base or Fraction(1, 90_000)

    def packets(self) -> Iterator[EncodedPacket]:
        """Pictures as they arrive, from the first key frame on; see ``cameras.source.Source``."""
        parameter_sets = ParameterSets(self.codec, self._stream.codec_context.extradata or b"")
        timeline = Timeline()
        begun = False
        for picture in self._pictures():
            begun = begun or picture.keyframe
            if not begun:
                continue
            data = picture.data
            yield EncodedPacket(
                codec=self.codec,
                data=parameter_sets.complete(data) if picture.keyframe else data,
                keyframe=picture.keyframe,
                pts_s=timeline.place(float(picture.pts * self._time_base), picture.at),
                at=picture.at,
                connection=self._connection,
            )
        # FFmpeg takes a server that went away for the end of a film.
        raise failures.unreachable(self._place, "it closed the connection")

    def close(self) -> None:
        """End the connection."""
        self._container.close()

    def _pictures(self) -> Iterator[AssembledPicture]:
        assembly = PictureAssembly(self.codec)
        for piece in self._demux():
            if piece.pts is not None:
                yield from assembly.add(bytes(piece), piece.pts, self._clock.now())

    def _demux(self) -> Iterator["av.Packet[VideoStream]"]:
        try:
            for packet in self._container.demux(self._stream):
                if self.clock_ahead_s is None and packet.has_sidedata("prft"):
                    self.clock_ahead_s = _sent_at(packet) - self._clock.now().wall
                if packet.size:
                    yield packet
        except (av.error.ExitError, av.error.TimeoutError):
            raise failures.no_frames(self._place) from None
        except av.error.FFmpegError as error:
            raise self._error(error) from None

    def _connect(self, spec: RtspSpec) -> InputContainer:
        try:
            return _open(spec, _OPTIONS | _NO_SOUND)
        except av.error.HTTPOtherClientError as error:
            if _sends_only_sound(spec):
                raise failures.not_video(self._place, "sound only") from None
            raise self._error(error) from None
        except av.error.FFmpegError as error:
            raise self._error(error) from None

    def _error(self, error: av.error.FFmpegError) -> CameraError:
        waited_s = self._clock.now().monotonic - self._began_at.monotonic
        if isinstance(error, av.error.InvalidDataError) and waited_s >= OPEN_TIMEOUT_S:
            return failures.unreachable(self._place, "no answer in time")
        if isinstance(error, av.error.InvalidDataError):
            return failures.unreachable(self._place, "its answer is not RTSP")
        return failures.from_ffmpeg(error, self._place)


def _sent_at(packet: "av.Packet[VideoStream]") -> float:
    """When the camera says that it took a picture, Unix seconds (AVProducerReferenceTime)."""
    (microseconds,) = struct.unpack_from("<q", bytes(packet.get_sidedata("prft")))
    return float(microseconds) / 1e6


def _open(spec: RtspSpec, options: dict[str, str]) -> InputContainer:
    timeout = (OPEN_TIMEOUT_S, READ_TIMEOUT_S)
    return av.open(_address(spec), options=options, timeout=timeout)


def _sends_only_sound(spec: RtspSpec) -> bool:
    """Whether the camera plays when it may send sound, which is not listened to."""
    try:
        with _open(spec, _OPTIONS) as container:
            return not container.streams.video
    except av.error.FFmpegError:
        return False


def _address(spec: RtspSpec) -> str:
    """The address with user name and password in it: never log it, never put it in an error."""
    if spec.username is None:
        return spec.url
    login = quote(spec.username, safe="")
    if spec.password is not None:
        login += ":" + quote(read_secret(spec.password), safe="")
    scheme, _, rest = spec.url.partition("://")
    return f"{scheme}://{login}@{rest}"
