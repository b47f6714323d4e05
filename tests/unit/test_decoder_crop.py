"""A part of a decoded frame is the same picture as the part of the whole, odd corners too."""

import numpy as np
import pytest
from av.video.frame import VideoFrame

from cameras.decoder import WholeFrame

FORMATS = ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "nv12", "gray"]


@pytest.mark.parametrize("pixels", FORMATS)
@pytest.mark.parametrize(
    "rectangle",
    [(0, 0, 98, 66), (10, 20, 50, 60), (11, 21, 50, 61), (97, 65, 98, 66), (3, 0, 4, 66)],
)
def test_crop(pixels: str, rectangle: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = rectangle
    random = np.random.default_rng(7)
    coarse = random.integers(0, 255, (11, 14, 3), np.uint8)
    smooth = np.ascontiguousarray(coarse.repeat(6, axis=0).repeat(7, axis=1))
    frame = VideoFrame.from_ndarray(smooth, format="rgb24").reformat(format=pixels)
    whole = WholeFrame(frame)
    part = whole.crop(*rectangle)
    wanted = whole.rgb()[top:bottom, left:right]
    assert part.shape == wanted.shape
    assert np.abs(part.astype(int) - wanted.astype(int)).max() <= 1
    assert part.flags.c_contiguous
