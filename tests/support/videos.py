"""Small video files made on the spot, so that tests need nobody else's."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from safety.types import Picture

_ENCODERS = {"h264": "libx264", "h265": "libx265"}
_OPTIONS = {
    "h264": {"preset": "ultrafast", "tune": "zerolatency", "crf": "26"},
    "h265": {"preset": "ultrafast", "tune": "zerolatency", "x265-params": "log-level=none:crf=28"},
}


def moving_square(
    seconds: float, *, fps: int = 10, width_px: int = 320, height_px: int = 180
) -> Iterator[Picture]:
    """A bright square that crosses a patterned room."""
    rows, columns = np.mgrid[0:height_px, 0:width_px]
    room = np.stack([(rows + columns) % 97, rows % 61, columns % 83], axis=-1).astype(np.uint8)
    for number in range(round(seconds * fps)):
        picture = room.copy()
        left = (number * 7) % (width_px - 60)
        picture[height_px // 2 - 30 : height_px // 2 + 30, left : left + 60] = 230
        yield picture


def still_room(
    seconds: float,
    *,
    fps: int = 10,
    width_px: int = 640,
    height_px: int = 360,
    noise: float = 0.0,
    clock: bool = False,
) -> Iterator[Picture]:
    """A room where nothing moves, with sensor noise (standard deviation) and a running clock."""
    random = np.random.default_rng(1)
    rows, columns = np.mgrid[0:height_px, 0:width_px]
    shade = 90 + 50 * np.sin(columns / 40) + 30 * np.cos(rows / 25)
    room = np.repeat(shade[..., None], 3, axis=2).astype(np.uint8)
    cv2.rectangle(room, (width_px // 3, height_px // 3), (width_px // 2, height_px - 40), 40, -1)
    for number in range(round(seconds * fps)):
        picture = room.copy()
        if noise:
            grain = random.normal(0.0, noise, picture.shape)
            picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
        if clock:
            text = f"2026-01-05 09:00:{number / fps:05.2f}"
            cv2.putText(picture, text, (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255,) * 3, 2)
        yield picture


def write_film(
    path: Path,
    pictures: Iterable[Picture],
    *,
    fps: int = 10,
    codec: str = "h264",
    keyframe_every: int = 10,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode pictures into an MP4 or Matroska file, named by its ending.

    Args:
        codec: ``h264`` or ``h265``.
        keyframe_every: Distance of key frames in pictures.
        options: Encoder options that replace or join the defaults.
    """
    with av.open(path, "w") as container:
        stream = container.add_stream(
            _ENCODERS[codec], rate=fps, options=_OPTIONS[codec] | (options or {})
        )
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = "yuv420p"
        stream.gop_size = keyframe_every
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
