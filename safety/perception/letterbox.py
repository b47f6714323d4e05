"""Fits pictures of any size into a network's input, and coordinates back out of it.

The geometry is Ultralytics' own, rounding included, so that results agree: scale to fit,
centre, and fill the rest with grey 114.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safety.types import FloatArray, Picture

PAD = 114
"""Grey level around the picture; what the networks were trained with."""

STRIDE = 32
"""Network sizes are multiples of this: the coarsest feature map's cell in pixels."""


def network_size(width: int, aspect: float) -> tuple[int, int]:
    """Width and height in pixels of the network for pictures of one aspect.

    Args:
        width: Network width, a multiple of 32.
        aspect: Width / height of the pictures.

    >>> network_size(640, 16 / 9)
    (640, 384)
    """
    if width <= 0 or width % STRIDE or not (math.isfinite(aspect) and aspect > 0):
        raise ValueError(f"network width {width} and aspect {aspect} make no network size")
    rows = max(round(width / aspect), 1)
    return width, math.ceil(rows / STRIDE) * STRIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a picture lies inside the network's input, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def normalised(self, points_px: FloatArray) -> FloatArray:
        """Points (…, 2) in network pixels as 0-1 of the picture, clipped to it."""
        origin = np.array([self.left, self.top], np.float32)
        extent = np.array([self.width, self.height], np.float32)
        scaled: FloatArray = (points_px - origin) / extent
        return scaled.clip(0.0, 1.0)


def fit(picture: Picture, network_px: tuple[int, int]) -> Placement:
    """Where this picture goes in a network of this width and height.

    Raises:
        ValueError: The array is no RGB uint8 picture.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise ValueError(
            f"a picture is uint8 (height, width, 3), not {picture.dtype} {picture.shape}"
        )
    height, width = picture.shape[:2]
    scale = min(network_px[0] / width, network_px[1] / height)
    fitted_width, fitted_height = max(round(width * scale), 1), max(round(height * scale), 1)
    return Placement(
        left=round((network_px[0] - fitted_width) / 2 - 0.1),
        top=round((network_px[1] - fitted_height) / 2 - 0.1),
        width=fitted_width,
        height=fitted_height,
    )


def place(picture: Picture, canvas: NDArray[np.uint8], at: Placement) -> None:
    """Draw a picture into the network's input (height, width, 3), grey around it.

    A picture that already has the right size is copied, not resampled.
    """
    bottom, right = at.top + at.height, at.left + at.width
    canvas[: at.top] = PAD
    canvas[bottom:] = PAD
    canvas[at.top : bottom, : at.left] = PAD
    canvas[at.top : bottom, right:] = PAD
    inside = canvas[at.top : bottom, at.left : right]
    if picture.shape == inside.shape:
        inside[:] = picture
    else:
        size = (at.width, at.height)
        inside[:] = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_LINEAR)
