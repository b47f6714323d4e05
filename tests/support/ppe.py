"""Persons with the proportions of people, and what a perfect network would find on them."""

from collections.abc import Iterable, Sequence

import numpy as np

from safety.perception.ppe_binding import Finding
from safety.types import KEYPOINTS, FloatArray, PpeItem, TrackedPerson

ASPECT = 16 / 9
HEIGHT_PX = 1080

_JOINTS = np.array(
    [(0.5, 0.08), (0.53, 0.065), (0.47, 0.065), (0.57, 0.075), (0.43, 0.075),
     (0.72, 0.2), (0.28, 0.2), (0.8, 0.36), (0.2, 0.36), (0.82, 0.5), (0.18, 0.5),
     (0.63, 0.52), (0.37, 0.52), (0.63, 0.74), (0.37, 0.74), (0.63, 0.96), (0.37, 0.96)]
)  # fmt: skip
"""COCO joints of somebody who stands and faces the camera, as shares of the box."""


def standing(
    track_id: int,
    x: float,
    foot: float,
    *,
    height: float = 0.4,
    hidden: Iterable[str] = (),
    aspect: float = ASPECT,
) -> TrackedPerson:
    """Somebody who stands, feet at (x, foot), in a picture of ``aspect``.

    Args:
        track_id: The track's id.
        x: Middle, normalised.
        foot: Bottom of the box, normalised.
        height: Height of the box, normalised.
        hidden: Names of the keypoints that are not seen.
        aspect: Width / height of the picture.
    """
    width = height * 0.3 / aspect
    box = np.array([x - width / 2, foot - height, x + width / 2, foot], np.float32)
    keypoints = np.full((17, 3), 0.9, np.float32)
    keypoints[:, :2] = box[:2] + _JOINTS * (box[2:] - box[:2])
    for name in hidden:
        keypoints[KEYPOINTS.index(name), 2] = 0.1
    return TrackedPerson(track_id=track_id, box=box.clip(0, 1), score=0.9, keypoints=keypoints,
                         age_s=5.0)  # fmt: skip


def head_of(person: TrackedPerson) -> FloatArray:
    """Where a perfect network draws the box of a hat or of a bare head."""
    height = person.keypoints[15, 1] - person.keypoints[0, 1]
    x, y = person.keypoints[:5, :2].mean(axis=0).tolist()
    across, up, down = 0.05 * height / ASPECT, 0.09 * height, 0.05 * height
    return np.array([x - across, y - up, x + across, y + down], np.float32)


def torso_of(person: TrackedPerson) -> FloatArray:
    """Where a perfect network draws the box of a vest or of a torso without one."""
    points = person.keypoints[[5, 6, 11, 12], :2]
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def found(
    item: PpeItem, worn: bool, box: FloatArray | Sequence[float], score: float = 0.8
) -> Finding:
    """One thing found."""
    return Finding(item=item, worn=worn, box=np.asarray(box, np.float32), score=score)


def hat(person: TrackedPerson, *, worn: bool = True, score: float = 0.8) -> Finding:
    """A hat on the person's head, or the bare head."""
    return found(PpeItem.HARDHAT, worn, head_of(person), score)


def vest(person: TrackedPerson, *, worn: bool = True, score: float = 0.8) -> Finding:
    """A vest on the person, or none."""
    return found(PpeItem.VEST, worn, torso_of(person), score)
