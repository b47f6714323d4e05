"""Two persons whose track ids changed places: seen by their boxes, not believed."""

import math

import numpy as np

from safety.types import FloatArray
from zones.stack import Stack

JUMP = 0.3
"""Body heights by which a box may shift between two frames because limbs move or hide,"""

SPEED = 1.5
"""and body heights per second by which its owner may walk."""

LIKELIER = 0.5
"""Two have exchanged ids when both ways are at most this share of the jumps they explain."""

LONGEST_S = 1.0
"""After a longer gap nobody can tell."""


class Exchanges:
    """Looks from frame to frame for ids that changed places.

    A tracker that follows two who pass each other may afterwards call each by the other's id.
    Each then seems to leap to where the other was.
    """

    def __init__(self) -> None:
        self._before = Stack.of(())
        self._at = -math.inf

    def update(self, stack: Stack, now: float, aspect: float) -> list[tuple[int, int]]:
        """Take a frame at ``now``, monotonic seconds; return the pairs that exchanged ids."""
        before, elapsed = self._before, now - self._at
        self._before, self._at = stack, now
        if elapsed > LONGEST_S or min(len(before.ids), len(stack.ids)) < 2:
            return []
        ids, old, new = stack.ids, before.boxes, stack.boxes
        if ids != before.ids:
            rows = {track_id: row for row, track_id in enumerate(before.ids)}
            ids = [track_id for track_id in stack.ids if track_id in rows]
            old = old[[rows[track_id] for track_id in ids]]
            new = new[[row for row, track_id in enumerate(stack.ids) if track_id in rows]]
        heights = new[:, 3] - new[:, 1]
        if (
            not len(ids)
            or float(np.abs(new - old).max()) * math.hypot(aspect, 1) < JUMP * heights.min()
        ):
            return []  # nobody's box moved by as much; the usual case, at a third of the price
        way = (new[:, :2] + new[:, 2:] - old[:, :2] - old[:, 2:]) / 2 * [aspect, 1.0]
        heights = np.maximum(heights, old[:, 3] - old[:, 1])
        leapt = np.flatnonzero(np.hypot(*way.T) > (JUMP + SPEED * elapsed) * heights).tolist()
        return [
            (ids[one], ids[other])
            for number, one in enumerate(leapt)
            for other in leapt[number + 1 :]
            if _explains(old[one], new[other], new[one], aspect)
            and _explains(old[other], new[one], new[other], aspect)
        ]


def _explains(was: FloatArray, other_is: FloatArray, is_now: FloatArray, aspect: float) -> bool:
    """Whether somebody is rather where the other one is said to be than where he is."""
    return _way(was, other_is, aspect) <= LIKELIER * _way(was, is_now, aspect)


def _way(one: FloatArray, other: FloatArray, aspect: float) -> float:
    across = float(one[0] + one[2] - other[0] - other[2]) / 2 * aspect
    return math.hypot(across, float(one[1] + one[3] - other[1] - other[3]) / 2)
