"""A film as frames, as fast as they are wanted: what replay and scoring analyse."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from cameras import failures
from cameras.containers import rate_of, video_of
from cameras.decoder import Scaler, WholeFrame
from safety.clock import Instant
from safety.types import Frame

ENDS_EARLY_S = 1.5
"""A film whose last picture comes so much before the end that the file states was cut off."""

GAP_S = 0.5
"""Where nothing comes for so long, and for five pictures, the file has lost some."""


@dataclass(slots=True)
class Damage:
    """What of a film could not be shown.

    Attributes:
        pictures: How many pictures or packets were damaged, or built upon damaged ones.
        first_s: Where the damage begins, seconds from the film's beginning.
    """

    pictures: int = 0
    first_s: float = 0.0

    def note(self, at_s: float) -> None:
        """One more."""
        if not self.pictures:
            self.first_s = at_s
        self.pictures += 1


def frames_of(
    path: Path,
    *,
    camera_id: str,
    width_px: int,
    starts: Instant,
    damage: Damage | None = None,
) -> Iterator[Frame]:
    """The sound frames of a video file, in order of presentation.

    As with a camera, damaged pictures and those that build upon them are left out, up to the
    next sound key frame.

    Args:
        path: H.264 or H.265 video.
        camera_id: The camera that the frames are said to come from.
        width_px: Width of the frames' pictures.
        starts: When the first frame is said to have been captured.
        damage: Where it is noted what was left out.

    Raises:
        CameraError: The file is missing, no video, or has no sound picture at all.
    """
    try:
        container = av.open(path)
    except av.error.FFmpegError as error:
        raise failures.from_ffmpeg(error, str(path)) from None
    with container:
        stream, _ = video_of(container, str(path))
        scaler = Scaler(width_px)
        first: float | None = None
        at_s, sequence = 0.0, 0
        gap_s = max(GAP_S, 5 / (rate_of(stream) or 25.0))
        damage = damage or Damage()
        pictures = _sound(container.demux(stream), stream, damage)
        for sequence, decoded in enumerate(pictures, start=1):
            first = decoded.time or 0.0 if first is None else first
            former_s, at_s = at_s, (decoded.time or 0.0) - first
            if at_s - former_s > gap_s:
                damage.note(former_s)
            yield _frame(decoded, scaler, camera_id, sequence, starts.shifted(at_s))
        if (container.duration or 0) / av.time_base - at_s > ENDS_EARLY_S:
            damage.note(at_s)
    if not sequence:
        raise failures.not_video(str(path), "no picture in it can be decoded")


def _sound(
    packets: "Iterator[av.Packet[VideoStream]]", stream: VideoStream, damage: Damage
) -> Iterator[VideoFrame]:
    sound, reached_s = False, 0.0
    while True:
        try:
            packet = next(packets)
            pictures = stream.codec_context.decode(packet)
        except StopIteration:
            return
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            sound = False
            damage.note(reached_s)
            continue
        for picture in pictures:
            reached_s = picture.time or reached_s
            sound = not picture.is_corrupt and (sound or picture.key_frame)
            if sound:
                yield picture
            else:
                damage.note(reached_s)


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
