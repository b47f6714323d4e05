"""Where on a tracked person each protective item is worn, and whether that place can be judged.

Lengths are in picture heights (x multiplied by the aspect), so that both axes count alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safety.types import KEYPOINTS, PpeItem, TrackedPerson

SEEN = 0.5
"""A keypoint counts as seen from this confidence on."""

MIN_LENGTH_PX: Mapping[PpeItem, int] = {
    PpeItem.HARDHAT: 48,
    PpeItem.VEST: 48,
    PpeItem.GLOVES: 160,
    PpeItem.BOOTS: 160,
}
"""Pixels a person must measure in the full picture, along the longer side of the box, for an
item to be judged. Hard hat and vest: measured, see docs/equipment.md; gloves and boots: a hand or a
foot is about a twelfth of the body and needs a dozen pixels."""

_HEAD = [KEYPOINTS.index(name) for name in KEYPOINTS[:5]]
_SHOULDERS = [KEYPOINTS.index("left_shoulder"), KEYPOINTS.index("right_shoulder")]
_HIPS = [KEYPOINTS.index("left_hip"), KEYPOINTS.index("right_hip")]
_LIMBS: Mapping[PpeItem, tuple[str, str]] = {
    PpeItem.GLOVES: ("left_wrist", "right_wrist"),
    PpeItem.BOOTS: ("left_ankle", "right_ankle"),
}

_LEAST_TORSO = 0.2
"""Least torso as a share of the box's longer side: one that is foreshortened is longer than it
looks. Over the labelled persons of pictures and renderings the median is 0.31, nine of ten above
0.27."""

_USUAL_TORSO = 0.3
"""Torso as a share of the height of the box of somebody who stands."""

_HEAD_TO_SHOULDERS = 0.36
"""From nose, eyes and ears down to the shoulders, in torsos: the median of those persons."""

_HEAD_UP = 0.1
"""Where a hat or a bare head has its middle above that of nose, eyes and ears, in torsos."""

_HEAD_MARGIN = 0.3
"""How much picture, in torsos, there must be around that middle for the hat not to be cut off."""

_HEAD_REACH, _TORSO_REACH, _LIMB_REACH = 0.45, 0.5, 0.35
"""How far, in torsos, the middle of an item's box may be from where it is expected; 98 of 100
labelled items are nearer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place on a body where an item is worn.

    Attributes:
        middle: (2,) where the middle of the item's box is expected.
        reach: How far from there it may be.
        torso: Length of the torso, the yardstick of this body.
        judged: It is seen well enough to tell whether the item is there. If not, what is found
            there is still this body's and nobody else's.
    """

    middle: NDArray[np.float64]
    reach: float
    torso: float
    judged: bool


def places(
    person: TrackedPerson, item: PpeItem, *, aspect: float, height_px: int
) -> tuple[Place, ...]:
    """Where the person wears the item: one place for hat and vest, two for gloves and boots.

    A place is not judged if the person is too small, that part of the body is not seen, or the
    picture's edge cuts it off.

    Args:
        person: Somebody in the picture.
        item: What is looked for.
        aspect: Width / height of the picture.
        height_px: Height in pixels of the picture that is looked at.
    """
    large = length_px(person, aspect=aspect, height_px=height_px) >= MIN_LENGTH_PX[item]
    points = person.keypoints[:, :2] * np.array([aspect, 1.0])
    seen = person.keypoints[:, 2] >= SEEN
    box = person.box.reshape(2, 2) * np.array([aspect, 1.0])
    torso = _torso(box, points, seen)
    if item in _LIMBS:
        return tuple(
            Place(
                middle=points[i],
                reach=_LIMB_REACH * torso,
                torso=torso,
                judged=large and bool(seen[i]),
            )
            for i in (KEYPOINTS.index(name) for name in _LIMBS[item])
        )
    find = _head if item is PpeItem.HARDHAT else _trunk
    return (find(box, points, seen, torso, aspect, large=large),)


def length_px(person: TrackedPerson, *, aspect: float, height_px: int) -> float:
    """The longer side of the person's box: the height of who stands, the length of who lies."""
    left, top, right, bottom = person.box.tolist()
    return float(max((right - left) * aspect, bottom - top) * height_px)


def judgeable(
    person: TrackedPerson, items: frozenset[PpeItem], *, aspect: float, height_px: int
) -> bool:
    """Whether a look at the person can say anything about any of the items."""
    return any(
        place.judged
        for item in items
        for place in places(person, item, aspect=aspect, height_px=height_px)
    )


def _head(
    box: NDArray[np.float64],
    points: NDArray[np.float64],
    seen: NDArray[np.bool_],
    torso: float,
    aspect: float,
    *,
    large: bool,
) -> Place:
    known = [i for i in _HEAD if seen[i]]
    middle = points[known or _HEAD].mean(axis=0) + _up(points, seen) * _HEAD_UP * torso
    if not known and not _inside(middle, box):
        middle = box[0] + (box[1] - box[0]) * (0.5, 0.1)
    margin = _HEAD_MARGIN * torso
    whole = (middle >= margin).all() and (middle <= np.array([aspect, 1.0]) - margin).all()
    judged = large and bool(known) and bool(whole)
    return Place(middle=middle, reach=_HEAD_REACH * torso, torso=torso, judged=judged)


def _trunk(
    box: NDArray[np.float64],
    points: NDArray[np.float64],
    seen: NDArray[np.bool_],
    torso: float,
    aspect: float,
    *,
    large: bool,
) -> Place:
    shoulders, hips = _ends(points, seen)
    known = bool(seen[_SHOULDERS].any() and seen[_HIPS].any())
    middle = (shoulders + hips) / 2
    if not known and not _inside(middle, box):
        middle = box[0] + (box[1] - box[0]) * (0.5, 0.35)
    return Place(middle=middle, reach=_TORSO_REACH * torso, torso=torso, judged=large and known)


def _torso(box: NDArray[np.float64], points: NDArray[np.float64], seen: NDArray[np.bool_]) -> float:
    width, height = (box[1] - box[0]).tolist()
    least = _LEAST_TORSO * max(width, height)
    shoulders, hips = _ends(points, seen)
    if not seen[_SHOULDERS].any():
        return float(max(least, _USUAL_TORSO * height))
    if seen[_HIPS].any():
        return float(max(least, np.linalg.norm(shoulders - hips)))
    if not seen[_HEAD].any():
        return float(max(least, _USUAL_TORSO * height))
    # Close to the camera, from the chest up: the box says little about the body's size.
    head = points[[i for i in _HEAD if seen[i]]].mean(axis=0)
    return float(max(least, np.linalg.norm(head - shoulders) / _HEAD_TO_SHOULDERS))


def _up(points: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Unit vector from the hips to the shoulders; upwards in the picture if they are not seen."""
    if seen[_SHOULDERS].any() and seen[_HIPS].any():
        shoulders, hips = _ends(points, seen)
        length = float(np.linalg.norm(shoulders - hips))
        if length > 0:
            return (shoulders - hips) / length
    return np.array([0.0, -1.0])


def _ends(
    points: NDArray[np.float64], seen: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middle of the shoulders and of the hips, of those that are seen if any is."""
    shoulders, hips = (
        points[[i for i in part if seen[i]] or part].mean(axis=0) for part in (_SHOULDERS, _HIPS)
    )
    return shoulders, hips


def _inside(point: NDArray[np.float64], box: NDArray[np.float64]) -> bool:
    return bool((point >= box[0]).all() and (point <= box[1]).all())
