"""Notices a camera that keeps sending the same picture."""

import numpy as np
from numpy.typing import NDArray

from safety.clock import Instant
from safety.types import Picture

BAND = 8
"""One part in so many is left out at the top and at the bottom: cameras write the time there."""

GRID_PX = 8
"""Every so many pixels, both ways, one is compared."""

MEAN_CHANGE = 0.3
"""Mean difference in grey levels from which a picture counts as another one."""

SPOT_CHANGE = 24
"""Difference of a single point from which it does."""


class FrozenPicture:
    """Whether the picture has stood still, although its camera goes on sending.

    Encoders repeat a calm scene exactly, noise and all, from one key frame to the next: most
    pictures of a live but quiet camera equal the one before to the last bit. At a key frame
    the whole picture is encoded anew. Measured with x264 on still scenes with a running clock:
    there a picture without noise changes by 0.00-0.19 grey levels on average and 5 at most,
    with the faintest noise tried (standard deviation 0.5) by 0.40 or more. So the picture is
    frozen only if it has stood still for the whole time *and* across a key frame. Cameras with
    key frames farther apart than that are noticed correspondingly later, and so is a picture
    that freezes while the encoder's rate control is still settling (0.3-0.4 for some seconds).

    Args:
        after_s: Seconds of standing still; None never calls it frozen.
    """

    def __init__(self, after_s: float | None) -> None:
        self._after_s = after_s
        self._reference: NDArray[np.int16] | None = None
        self._changed_at: Instant | None = None
        self._stood_across_key_frame = False

    def update(self, picture: Picture, at: Instant, *, key_frame: bool) -> bool:
        """Take one picture in; whether the camera is frozen as of now.

        Args:
            picture: RGB, (height, width, 3).
            key_frame: A key frame has been decoded since the picture before, or this is one.
        """
        if self._after_s is None:
            return False
        points = _points(picture)
        if self._changed_at is None or self._differs(points):
            self._reference, self._changed_at = points, at
            self._stood_across_key_frame = False
            return False
        self._stood_across_key_frame |= key_frame
        stood_s = at.monotonic - self._changed_at.monotonic
        return self._stood_across_key_frame and stood_s >= self._after_s

    def _differs(self, points: NDArray[np.int16]) -> bool:
        if self._reference is None or self._reference.shape != points.shape:
            return True
        change = np.abs(points - self._reference)
        return bool(change.mean() > MEAN_CHANGE or change.max(initial=0) > SPOT_CHANGE)


def _points(picture: Picture) -> NDArray[np.int16]:
    height = len(picture)
    band = height // BAND
    return picture[band : height - band : GRID_PX, ::GRID_PX, 1].astype(np.int16)
