"""The persons of a frame as arrays, stacked once for everybody who computes with them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from safety.types import FloatArray, TrackedPerson


@dataclass(frozen=True, slots=True)
class Stack:
    """Row i of every array is person i.

    Attributes:
        ids: Track ids.
        boxes: (N, 4) left, top, right, bottom, normalised.
        keypoints: (N, 17, 3) x, y, normalised, and confidence.
    """

    ids: list[int]
    boxes: FloatArray
    keypoints: FloatArray

    @classmethod
    def of(cls, persons: Sequence[TrackedPerson]) -> "Stack":
        """These persons."""
        return cls(
            [person.track_id for person in persons],
            np.array([person.box for person in persons], np.float32).reshape(-1, 4),
            np.array([person.keypoints for person in persons], np.float32).reshape(-1, 17, 3),
        )
