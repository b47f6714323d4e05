"""A film as frames, as fast as they are wanted: what replay and scoring analyse."""

from collections.abc import Iterator
from pathlib import Path

import av
from av.video.frame import VideoFrame

from cameras import failures
from cameras.containers import video_of
from cameras.decoder import Scaler, WholeFrame
from safety.clock import Instant
from safety.types import Frame


def frames_of(path: Path, *, camera_id: str, width_px: int, starts: Instant) -> Iterator[Frame]:
    """The frames of a video file, in order of presentation.

    Args:
        path: H.264 or H.265 video.
        camera_id: The camera that the frames are said to come from.
        width_px: Width of the frames' pictures, the network's.
        starts: When the first frame is said to have been captured.

    Raises:
        CameraError: The file is missing, no video, or cannot be decoded; frames before the
            damage have been given by then.
    """
    try:
        container = av.open(path)
    except av.error.FFmpegError as error:
        raise failures.from_ffmpeg(error, str(path)) from None
    with container:
        stream, _ = video_of(container, str(path))
        scaler = Scaler(width_px)
        first: float | None = None
        sequence = 0
        try:
            for decoded in container.decode(stream):
                at_s = decoded.time or 0.0
                first = at_s if first is None else first
                sequence += 1
                yield _frame(decoded, scaler, camera_id, sequence, starts.shifted(at_s - first))
        except av.error.FFmpegError as error:
            raise failures.from_ffmpeg(error, str(path)) from None


def _frame(
    decoded: VideoFrame, scaler: Scaler, camera_id: str, sequence: int, at: Instant
) -> Frame:
    return Frame(
        camera_id=camera_id,
        sequence=sequence,
        captured_at=at,
        width_px=decoded.width,
        height_px=decoded.height,
        picture=scaler.scale(decoded),
        full=WholeFrame(decoded),
    )
