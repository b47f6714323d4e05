"""A scene as a given camera would send it: its codec, its size, its rate.

Where the camera is looked at through close-ups, the scene lies in the first of them, so that it
goes the way that people in the camera's zones go; the rest of the picture is grey.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from cameras.annexb import Codec
from cameras.film import frames_of
from cameras.regions import WHOLE, Region
from safety.clock import Instant
from safety.perception.letterbox import PAD
from safety.types import Picture
from zones.geometry import Polygon

_ENCODERS: dict[Codec, str] = {"h264": "libx264", "h265": "libx265"}
_OPTIONS: dict[Codec, dict[str, str]] = {
    "h264": {"preset": "ultrafast", "tune": "zerolatency", "crf": "23"},
    "h265": {"preset": "ultrafast", "tune": "zerolatency", "x265-params": "log-level=none:crf=25"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The picture that the scene is drawn in.

    Attributes:
        width_px, height_px: Of the camera; odd ones are made even.
        codec: As the camera sends.
        fps: As the camera sends.
        region: The part of the picture that is looked at most closely.
    """

    width_px: int
    height_px: int
    codec: Codec = "h264"
    fps: float = 10.0
    region: Region = WHOLE

    def place(self, aspect: float) -> tuple[int, int, int, int]:
        """Left, top, width and height in pixels of a scene of this aspect, as large as may be."""
        left, top = self.region.left * self.width_px, self.region.top * self.height_px
        width = (self.region.right - self.region.left) * self.width_px
        height = (self.region.bottom - self.region.top) * self.height_px
        shown = min(width, height * aspect)
        return (
            round(left + (width - shown) / 2),
            round(top + (height - shown / aspect) / 2),
            max(2, round(shown)),
            max(2, round(shown / aspect)),
        )

    def polygon(self, polygon: Polygon, aspect: float) -> Polygon:
        """A zone of the scene, where it lies in the picture."""
        left, top, width, height = self.place(aspect)
        return tuple(
            (
                min((left + x * width) / self.width_px, 1.0),
                min((top + y * height) / self.height_px, 1.0),
            )
            for x, y in polygon
        )


def write_drill_film(
    scene: Path, target: Path, screen: Screen, *, start_s: float, end_s: float
) -> None:
    """Draw a part of a scene as the camera would show it, in a Matroska file.

    Args:
        start_s, end_s: Seconds of the scene.

    Raises:
        CameraError: The scene cannot be read.
        OSError: The film cannot be written.
    """
    width, height = screen.width_px // 2 * 2, screen.height_px // 2 * 2
    with av.open(target, "w", format="matroska") as container:
        rate = Fraction(screen.fps).limit_denominator(100)
        stream = container.add_stream(
            _ENCODERS[screen.codec], rate=rate, options=_OPTIONS[screen.codec]
        )
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.gop_size = max(1, round(screen.fps))
        stream.codec_context.thread_count = 1  # cameras are watched meanwhile
        number = 0
        beginning = Instant(wall=0.0, monotonic=0.0)
        for frame in frames_of(scene, camera_id="drill", width_px=width, starts=beginning):
            at_s = frame.captured_at.wall
            if at_s < start_s:
                continue
            if at_s >= end_s:
                break
            picture = av.VideoFrame.from_ndarray(
                _drawn(frame.full.rgb(), screen)[:height, :width], format="rgb24"
            )
            # A slower scene is shown at the camera's rate: some pictures come twice.
            while start_s + number / screen.fps <= at_s:
                picture.pts, picture.time_base = number, 1 / rate
                container.mux(stream.encode(picture))
                number += 1
        container.mux(stream.encode(None))


def _drawn(picture: Picture, screen: Screen) -> NDArray[np.uint8]:
    canvas = np.full((screen.height_px, screen.width_px, 3), PAD, np.uint8)
    left, top, width, height = screen.place(picture.shape[1] / picture.shape[0])
    way = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_LINEAR
    shown = cv2.resize(picture, (width, height), interpolation=way)
    inside = canvas[top : top + height, left : left + width]
    inside[:] = shown[: inside.shape[0], : inside.shape[1]]
    return canvas
