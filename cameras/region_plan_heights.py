"""How tall a standing person looks at every place of a picture.

From the calibration, or, without one, learned from the people who walk there.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from safety.types import KEYPOINTS, TrackedPerson
from zones.calibration import FloorCalibration

Array = NDArray[np.float64]

STATURE_M = 1.70
"""The person whom all heights are about."""

SEEN_AT_MOST = 4000
"""The newest people that are kept."""

EVERY_S = 1.0
"""Somebody counts this often at the most: who stands about is one person."""

LEAST_SEEN = 8
"""People in a row of the picture below which that row says nothing."""

ROWS = 24
"""Rows into which the picture is cut."""

LEAST_SPAN = 0.15
"""Share of the picture over which people must have been seen before anything is said."""

MOST_ERROR = 0.2
"""The rows may differ from a straight line by this share of the height, root mean square."""

UPRIGHT = 1.6
"""Somebody upright is taller than wide by this."""

SURE = 0.5
"""Confidence from which on a joint is seen."""

_ANKLES = [KEYPOINTS.index("left_ankle"), KEYPOINTS.index("right_ankle")]
_SHOULDERS = [KEYPOINTS.index("left_shoulder"), KEYPOINTS.index("right_shoulder")]


class Heights(Protocol):
    """How tall a standing person looks, by where the feet are."""

    def of(self, feet: Array) -> Array:
        """Heights as shares of the picture's.

        Args:
            feet: (N, 2), normalised to the picture.

        Returns:
            (N,); NaN where that is not known; 0 where there is no floor.
        """
        ...


@dataclass(frozen=True, slots=True)
class CalibratedHeights:
    """By the calibration of the floor."""

    calibration: FloorCalibration

    def of(self, feet: Array) -> Array:
        """As ``Heights``."""
        if self.calibration.pose is None:
            return np.full(len(feet), np.nan)
        places = self.calibration.places(np.asarray(feet, np.float64))
        heights = self.calibration.heights(places, STATURE_M)
        return np.where(np.isnan(heights), 0.0, heights)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedHeights:
    """On a level floor heights grow evenly from the horizon down, whatever the lens's width.

    Attributes:
        horizon: Row of the picture in which people would vanish, may lie above it.
        growth: Height gained per row, both as shares of the picture's height.
    """

    horizon: float
    growth: float

    def of(self, feet: Array) -> Array:
        """As ``Heights``."""
        heights: Array = ((feet[:, 1] - self.horizon) * self.growth).clip(min=0.0)
        return heights


class HeightsSeen:
    """Learns how tall people look from those who are followed."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque(maxlen=SEEN_AT_MOST)
        self._counted: dict[int, float] = {}

    def add(self, persons: Sequence[TrackedPerson], aspect: float, at: float) -> None:
        """Take one frame.

        Args:
            persons: Who is followed in it.
            aspect: Width / height of the picture.
            at: When it was captured, monotonic seconds.
        """
        for person in persons:
            if at - self._counted.get(person.track_id, -EVERY_S) < EVERY_S:
                continue
            if _stands_in_full_view(person, aspect):
                self._counted[person.track_id] = at
                _, top, _, bottom = (float(edge) for edge in person.box)
                self._seen.append((bottom, bottom - top))
        if len(self._counted) > SEEN_AT_MOST:
            self._counted = {key: t for key, t in self._counted.items() if at - t < EVERY_S}

    def heights(self) -> LearnedHeights | None:
        """What has been learned; None while that is not enough, or not like a level floor."""
        seen = np.array(tuple(self._seen), np.float64).reshape(-1, 2)
        rows, heights = _medians(seen)
        if len(rows) < 3 or rows[-1] - rows[0] < LEAST_SPAN:
            return None
        growth, offset = (float(each) for each in np.polyfit(rows, heights, 1))
        error = (growth * rows + offset - heights) / heights
        if growth <= 0 or float(np.sqrt(np.mean(error**2))) > MOST_ERROR:
            return None
        # Rounded: a little more or less is no reason to plan anew.
        return LearnedHeights(
            horizon=round(-offset / growth / 0.02) * 0.02, growth=round(growth / 0.05) * 0.05
        )


def _medians(seen: Array) -> tuple[Array, Array]:
    """Rows in which enough people were seen, and their median heights."""
    numbers = (seen[:, 0] * ROWS).astype(np.int64)
    known = [seen[numbers == row] for row in np.unique(numbers)]
    medians = [np.median(people, axis=0) for people in known if len(people) >= LEAST_SEEN]
    return np.array([row for row, _ in medians]), np.array([height for _, height in medians])


def _stands_in_full_view(person: TrackedPerson, aspect: float) -> bool:
    left, top, right, bottom = (float(edge) for edge in person.box)
    inside = top > 0.02 and bottom < 0.98
    upright = bottom - top > UPRIGHT * (right - left) * aspect
    joints = person.keypoints[[*_ANKLES, *_SHOULDERS], 2]
    return inside and upright and bool((joints >= SURE).all())
