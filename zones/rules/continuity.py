"""Whether somebody who appears is the one who was lost a moment ago, near by."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from safety.types import FloatArray
from zones.people import Subject

K = TypeVar("K", bound=Hashable)

STANDING_REACH = 0.5
"""Body heights by which the box of a still person may shift when part of the body is hidden."""

WALKING_SPEED = 1.0
"""Body heights per second: 1.6 m/s, the walking speed of ISO 13855, for 1.6 m of body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A subject as it was when last seen, at ``seen_at`` monotonic seconds."""

    seen_at: float
    box: FloatArray
    partner: str


def find_successors(
    lost: Mapping[K, Lost],
    new: Mapping[K, Subject],
    *,
    now: float,
    aspect: float,
) -> list[tuple[K, K]]:
    """Pair lost subjects with new ones that can be the same, nearest first, one to one.

    A new subject can continue a lost one only if it was first seen after the other was last
    seen (two who were visible together are two), if it has the same partner, and if the way
    between the two boxes can have been walked in the time between.

    Args:
        lost: Subjects that the frame does not show, by key.
        new: Subjects that the frame before did not show, by key.
        now: Monotonic seconds of this frame.
        aspect: Width / height of the picture.

    Returns:
        Pairs of keys (lost, new).
    """
    pairs: list[tuple[float, K, K]] = []
    for old_key, old in lost.items():
        reach = STANDING_REACH + WALKING_SPEED * (now - old.seen_at)
        for new_key, subject in new.items():
            if subject.box is None or subject.born_at <= old.seen_at:
                continue
            way = _body_heights_between(old.box, subject.box, aspect)
            if way <= reach and subject.partner == old.partner:
                pairs.append((way, old_key, new_key))
    chosen: list[tuple[K, K]] = []
    for _, old_key, new_key in sorted(pairs, key=lambda pair: pair[0]):
        if all(old_key != old and new_key != newer for old, newer in chosen):
            chosen.append((old_key, new_key))
    return chosen


def _body_heights_between(one: FloatArray, other: FloatArray, aspect: float) -> float:
    """Distance of two boxes' centres in heights of the taller (nearer or less hidden) one."""
    height = float(max(one[3] - one[1], other[3] - other[1], 1e-6))
    across = float(one[0] + one[2] - other[0] - other[2]) / 2 * aspect
    down = float(one[1] + one[3] - other[1] - other[3]) / 2
    return math.hypot(across, down) / height
