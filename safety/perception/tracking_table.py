"""The tracks of one camera as arrays, and how persons are expected to move.

Lengths are in picture heights (x is multiplied by the aspect beforehand), times in seconds.
Motion is a Kalman filter for constant velocity with white acceleration (Bar-Shalom, Li and
Kirubarajan, 2001, 6.2.2); its noises are in body heights, so that near and far persons are
treated alike. Velocity fades while nobody confirms it: people stop, filters do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from safety.types import FloatArray, IntArray

ACCELERATION = 0.5
"""Standard deviation of the acceleration, body heights per s^2, per sqrt(Hz)."""

FIRST_SPEED = 0.8
"""Standard deviation of an unknown velocity, body heights per second."""

BOX_NOISE = 0.08
"""Standard deviation of a box's centre, body heights."""

FADING_S = 3.0
"""Time constant with which an unconfirmed velocity fades, seconds."""


SCORE_S = 1.0
"""Time constant of the average of a track's scores, seconds."""


@dataclass(slots=True, kw_only=True)
class TrackTable:
    """Row i of every array is one track.

    Attributes:
        ids: (T,) int64.
        centre, velocity: (T, 2) expected position and velocity of the box's centre.
        variance: (T, 3) of position, of position with velocity, of velocity; the same for
            both axes.
        size: (T, 2) width and height of the last box.
        seen_centre: (T, 2) centre of the last box.
        keypoints: (T, 17, 3) as last seen: x, y, confidence.
        born_at, seen_at: (T,) monotonic seconds.
        confirmed: (T,) bool: surely a person, not a flicker.
        score: (T,) of its detections, averaged over the last moments.
        best: (T,) the highest of them.
    """

    ids: IntArray
    centre: NDArray[np.float64]
    velocity: NDArray[np.float64]
    variance: NDArray[np.float64]
    size: NDArray[np.float64]
    seen_centre: NDArray[np.float64]
    keypoints: FloatArray
    born_at: NDArray[np.float64]
    seen_at: NDArray[np.float64]
    confirmed: NDArray[np.bool_]
    score: NDArray[np.float64]
    best: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def empty(cls) -> "TrackTable":
        """No tracks."""
        return cls(
            ids=np.zeros(0, np.int64),
            centre=np.zeros((0, 2)),
            velocity=np.zeros((0, 2)),
            variance=np.zeros((0, 3)),
            size=np.zeros((0, 2)),
            seen_centre=np.zeros((0, 2)),
            keypoints=np.zeros((0, 17, 3), np.float32),
            born_at=np.zeros(0),
            seen_at=np.zeros(0),
            confirmed=np.zeros(0, bool),
            score=np.zeros(0),
            best=np.zeros(0),
        )

    def take(self, rows: NDArray[np.bool_]) -> "TrackTable":
        """Only these tracks."""
        return TrackTable(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def predict(self, seconds: float) -> None:
        """Move every track on in time."""
        if not len(self) or seconds <= 0:
            return
        fading = float(np.exp(-seconds / FADING_S))
        reach = FADING_S * (1 - fading)
        noise = (ACCELERATION * self.size[:, 1]) ** 2
        position, cross, speed = self.variance.T
        self.centre = self.centre + self.velocity * reach
        self.velocity = self.velocity * fading
        variance = np.empty_like(self.variance)
        variance[:, 0] = position + 2 * reach * cross + reach**2 * speed + seconds**3 / 3 * noise
        variance[:, 1] = (cross + reach * speed) * fading + seconds**2 / 2 * noise
        variance[:, 2] = fading**2 * speed + seconds * noise
        self.variance = variance

    def correct(
        self,
        rows: NDArray[np.intp],
        boxes: FloatArray,
        keypoints: FloatArray,
        scores: FloatArray,
        now: float,
    ) -> None:
        """Take what was seen of the tracks in ``rows``: boxes (N, 2, 2), keypoints (N, 17, 3)."""
        if not len(rows):
            return
        centre, size = _centre_and_size(boxes)
        position, cross, speed = self.variance[rows].T
        trust = position + (BOX_NOISE * size[:, 1]) ** 2
        gain, speed_gain = position / trust, cross / trust
        surprise = centre - self.centre[rows]
        self.centre[rows] += gain[:, None] * surprise
        self.velocity[rows] += speed_gain[:, None] * surprise
        self.variance[rows] = np.stack(
            [(1 - gain) * position, (1 - gain) * cross, speed - speed_gain * cross], axis=1
        )
        self.size[rows] = size
        self.seen_centre[rows] = centre
        self.keypoints[rows] = keypoints
        share = 1 - np.exp((self.seen_at[rows] - now) / SCORE_S)
        self.score[rows] += share * (scores - self.score[rows])
        self.best[rows] = np.maximum(self.best[rows], scores)
        self.seen_at[rows] = now
        self.confirmed[rows] = True

    def add(
        self,
        ids: Sequence[int],
        boxes: FloatArray,
        keypoints: FloatArray,
        scores: FloatArray,
        *,
        confirmed: NDArray[np.bool_],
        now: float,
    ) -> NDArray[np.intp]:
        """Begin tracks; return their rows."""
        first = len(self)
        count = len(ids)
        if not count:
            return np.zeros(0, np.intp)
        centre, size = _centre_and_size(boxes)
        height = size[:, 1]
        variance = np.zeros((count, 3))
        variance[:, 0] = (BOX_NOISE * height) ** 2
        variance[:, 2] = (FIRST_SPEED * height) ** 2
        added: dict[str, NDArray[np.generic]] = {
            "ids": np.asarray(ids, np.int64),
            "centre": centre,
            "velocity": np.zeros((count, 2)),
            "variance": variance,
            "size": size,
            "seen_centre": centre,
            "keypoints": keypoints,
            "born_at": np.full(count, now),
            "seen_at": np.full(count, now),
            "confirmed": confirmed,
            "score": scores,
            "best": scores,
        }
        for name, rows in added.items():
            setattr(self, name, np.concatenate([getattr(self, name), rows]))
        return np.arange(first, first + count, dtype=np.intp)


def _centre_and_size(boxes: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    corners = boxes.astype(np.float64)
    return (corners[:, 0] + corners[:, 1]) / 2, corners[:, 1] - corners[:, 0]
