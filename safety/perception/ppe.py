"""Looks at persons for their protective equipment: crops, findings, and whose they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from safety.perception.detector import ObjectDetector, Objects
from safety.perception.ppe_binding import Evidence, Finding, bind
from safety.types import FloatArray, Picture, PpeItem, TrackedPerson

CROP_PX = 256
"""Width and height of the network's input for crops."""

LEAST_CONFIDENCE = 0.2
"""The network is asked for everything above this; ``ppe_binding`` decides what it is worth."""

SIDE, TOP, BOTTOM = 0.12, 0.12, 0.06
"""How much a person's box is grown for the crop, as shares of its width and height."""

_EDGE = 0.01
"""What lies so near to the left or right side of a crop, as a share of it, is cut off there."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a picture, in pixels: left and top belong to it, right and bottom do not."""

    left: int
    top: int
    right: int
    bottom: int


def crop_of(box: FloatArray, width_px: int, height_px: int) -> Crop:
    """What to cut out of the picture to look at the person with this normalised box."""
    left, top, right, bottom = (box * np.array([width_px, height_px] * 2)).tolist()
    side, height = SIDE * (right - left), bottom - top
    first = max(0, int(left - side)), max(0, int(top - TOP * height))
    last = (
        min(width_px, int(np.ceil(right + side))),
        min(height_px, int(np.ceil(bottom + BOTTOM * height))),
    )
    # A box of no extent still gives a pixel.
    return Crop(
        min(first[0], width_px - 1),
        min(first[1], height_px - 1),
        max(last[0], min(first[0], width_px - 1) + 1),
        max(last[1], min(first[1], height_px - 1) + 1),
    )


def meanings(names: Sequence[str]) -> tuple[tuple[PpeItem, bool] | None, ...]:
    """What each class of a network says: the item, and whether it is worn; None: nothing."""
    known = {item.value: (item, True) for item in PpeItem}
    known |= {f"no-{item.value}": (item, False) for item in PpeItem}
    return tuple(known.get(name.lower()) for name in names)


def items_missing_can_be_told(names: Sequence[str]) -> frozenset[PpeItem]:
    """The items of which a network with these classes can say that they are missing."""
    return frozenset(
        meaning[0] for meaning in meanings(names) if meaning is not None and not meaning[1]
    )


def findings_in_crop(
    objects: Objects, names: Sequence[str], crop: Crop, width_px: int, height_px: int
) -> list[Finding]:
    """What was found in a crop, in coordinates of the whole picture.

    Things that a side of the crop cuts off are left out: they are a neighbour's, and half seen.
    """
    found: list[Finding] = []
    known = meanings(names)
    origin = np.array([crop.left, crop.top] * 2, np.float64)
    extent = np.array([crop.right - crop.left, crop.bottom - crop.top] * 2, np.float64)
    whole = np.array([width_px, height_px] * 2, np.float64)
    for box, score, index in zip(objects.boxes, objects.scores, objects.classes, strict=True):
        meaning = known[int(index)]
        if meaning is None or box[0] < _EDGE or box[2] > 1 - _EDGE:
            continue
        place = ((box * extent + origin) / whole).astype(np.float32)
        found.append(Finding(item=meaning[0], worn=meaning[1], box=place, score=float(score)))
    return found


def findings_in_picture(objects: Objects, names: Sequence[str]) -> list[Finding]:
    """What was found in a whole picture."""
    known = meanings(names)
    return [
        Finding(item=meaning[0], worn=meaning[1], box=box, score=float(score))
        for box, score, index in zip(objects.boxes, objects.scores, objects.classes, strict=True)
        if (meaning := known[int(index)]) is not None
    ]


def look(
    detector: ObjectDetector,
    picture: Picture,
    persons: Sequence[TrackedPerson],
    items: Iterable[PpeItem],
) -> dict[int, dict[PpeItem, Evidence]]:
    """Look once at everybody in a picture, each in a crop of its own.

    Args:
        detector: Network for crops; loaded with ``LEAST_CONFIDENCE``.
        picture: The full-resolution picture.
        persons: Everybody in it; track ids must differ.
        items: Which items matter.

    Raises:
        ModelError: The network failed.
    """
    height, width = picture.shape[:2]
    crops = [crop_of(person.box, width, height) for person in persons]
    pictures = [
        np.ascontiguousarray(picture[crop.top : crop.bottom, crop.left : crop.right])
        for crop in crops
    ]
    found = [
        finding
        for crop, objects in zip(crops, detector.detect(pictures) if pictures else [], strict=True)
        for finding in findings_in_crop(objects, detector.names, crop, width, height)
    ]
    return bind(persons, found, items, aspect=width / height, height_px=height)
