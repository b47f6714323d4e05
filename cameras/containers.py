"""What network streams and files have in common: FFmpeg opens both."""

from av.container import InputContainer
from av.video.stream import VideoStream

from cameras import failures
from cameras.annexb import Codec

_CODECS: dict[str, Codec] = {"h264": "h264", "hevc": "h265"}


def video_of(container: InputContainer, place: str) -> tuple[VideoStream, Codec]:
    """The first video stream and its codec.

    Raises:
        CameraError: ``camera.not_video``: there is none, or it is neither H.264 nor H.265.
    """
    if not container.streams.video:
        raise failures.not_video(place, "no video at all")
    stream = container.streams.video[0]
    codec = _CODECS.get(stream.codec_context.name)
    if codec is None:
        raise failures.not_video(place, stream.codec_context.name)
    return stream, codec


def rate_of(stream: VideoStream) -> float | None:
    """Frames per second as the stream says, if it says."""
    rate = stream.average_rate or stream.codec_context.framerate
    return float(rate) if rate else None
