"""How fast things move on the floor, from where they are seen.

A Kalman filter for constant velocity with white acceleration (Bar-Shalom, Li and Kirubarajan,
2001, 6.2.2), the same variances for both axes, all tracks of a camera at once. A frame that was
lost changes nothing but the uncertainty.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

FIRST_SPEED_MPS = 1.5
"""Standard deviation of a velocity that is not known yet."""

KNOWN_FROM_MPS = 0.6
"""A velocity with a smaller standard deviation is known; above, it is not told."""

LEAST_SIGMA_M = 0.03
"""No position on the floor is known better than this, whatever its covariance says."""

FORGET_AFTER_S = 2.0
"""Tracks not seen for so long are forgotten."""

Velocity = tuple[float, float]


class FloorVelocities:
    """The velocities of one camera's tracks.

    Args:
        acceleration: Standard deviation of the acceleration, m/s² per sqrt(Hz): 0.5 for vehicles,
            which are heavy; 1 for persons, who start, stop and turn at once.
    """

    def __init__(self, acceleration: float) -> None:
        self._noise = acceleration**2
        self._ids: list[int] = []
        self._centre = np.zeros((0, 2))
        self._velocity = np.zeros((0, 2))
        self._variance = np.zeros((0, 3))  # of position, of position with velocity, of velocity
        self._seen_at = np.zeros(0)

    def update(
        self,
        ids: Sequence[int],
        places_m: NDArray[np.float64],
        variances_m2: NDArray[np.float64],
        now: float,
    ) -> Mapping[int, Velocity]:
        """Take where tracks are seen.

        Args:
            ids: The tracks.
            places_m: (N, 2) on the plan, finite.
            variances_m2: (N,) of each axis.
            now: Monotonic seconds.

        Returns:
            Track id → metres per second along x and y, of those tracks whose velocity is known.
        """
        self._forget(now, ids)
        self._add([track for track in ids if track not in self._ids], ids, places_m, now)
        if not ids:
            return {}
        rows = np.array([self._ids.index(track) for track in ids])
        self._predict(rows, now)
        self._correct(rows, places_m, np.maximum(variances_m2, LEAST_SIGMA_M**2))
        known = self._variance[rows, 2] < KNOWN_FROM_MPS**2
        return {
            track: (velocity[0], velocity[1])
            for track, velocity, sure in zip(
                ids, self._velocity[rows].tolist(), known.tolist(), strict=True
            )
            if sure
        }

    def _forget(self, now: float, ids: Sequence[int]) -> None:
        keep = now - self._seen_at <= FORGET_AFTER_S
        if keep.all():
            return
        self._ids = [track for track, kept in zip(self._ids, keep.tolist(), strict=True) if kept]
        self._centre, self._velocity = self._centre[keep], self._velocity[keep]
        self._variance, self._seen_at = self._variance[keep], self._seen_at[keep]

    def _add(
        self, new: list[int], ids: Sequence[int], places_m: NDArray[np.float64], now: float
    ) -> None:
        if not new:
            return
        where = places_m[[ids.index(track) for track in new]]
        # As good as unknown: the first position seen corrects it to itself.
        variance = np.tile([1e6, 0.0, FIRST_SPEED_MPS**2], (len(new), 1))
        self._ids += new
        self._centre = np.concatenate([self._centre, where])
        self._velocity = np.concatenate([self._velocity, np.zeros((len(new), 2))])
        self._variance = np.concatenate([self._variance, variance])
        self._seen_at = np.concatenate([self._seen_at, np.full(len(new), now)])

    def _predict(self, rows: NDArray[np.intp], now: float) -> None:
        seconds = np.maximum(now - self._seen_at[rows], 0.0)
        position, cross, speed = self._variance[rows].T
        self._centre[rows] += self._velocity[rows] * seconds[:, None]
        self._variance[rows] = np.stack(
            [
                position + 2 * cross * seconds + speed * seconds**2 + self._noise * seconds**3 / 3,
                cross + speed * seconds + self._noise * seconds**2 / 2,
                speed + self._noise * seconds,
            ],
            axis=1,
        )
        self._seen_at[rows] = now

    def _correct(
        self,
        rows: NDArray[np.intp],
        places_m: NDArray[np.float64],
        variances_m2: NDArray[np.float64],
    ) -> None:
        position, cross, speed = self._variance[rows].T
        trust = position + variances_m2
        gain, speed_gain = position / trust, cross / trust
        surprise = places_m - self._centre[rows]
        self._centre[rows] += gain[:, None] * surprise
        self._velocity[rows] += speed_gain[:, None] * surprise
        self._variance[rows] = np.stack(
            [(1 - gain) * position, (1 - gain) * cross, speed - speed_gain * cross], axis=1
        )
