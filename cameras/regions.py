"""Parts of a picture for the network, and one result out of several.

A camera may be looked at through close-ups of its zones, with the whole picture now and then.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safety.types import Detections, FloatArray, Frame, ObjectClass, Picture

EDGE = 0.01
"""A box that comes so near to an inner edge of its region, as a share of it, is cut there."""

SAME_OVERLAP = 0.5
"""Boxes of two regions that overlap by more are one person."""

SAME_PART = 0.7
"""A cut box of which more lies inside another one is a part of the same person."""

_PERSON = list(ObjectClass).index(ObjectClass.PERSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of the picture; edges in 0-1 of it."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def share(self) -> float:
        """Its height as a share of the picture's."""
        return self.bottom - self.top

    def snapped(self, width_px: int, height_px: int) -> "Region":
        """The same with its edges between pixels."""
        return Region(
            left=round(self.left * width_px) / width_px,
            top=round(self.top * height_px) / height_px,
            right=round(self.right * width_px) / width_px,
            bottom=round(self.bottom * height_px) / height_px,
        )


WHOLE = Region(left=0.0, top=0.0, right=1.0, bottom=1.0)


def cut(frame: Frame, region: Region, width_px: int) -> Picture:
    """A part of a frame, scaled to the network's width in the aspect of the whole.

    Args:
        region: Snapped to the frame's pixels, and of its aspect.
        width_px: The network's width.
    """
    if region == WHOLE and frame.picture.shape[1] >= min(width_px, frame.width_px):
        return frame.picture
    part = _part(frame, region)
    height_px = max(1, round(width_px * frame.height_px / frame.width_px))
    shrinks = part.shape[1] > width_px
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(part, (width_px, height_px), interpolation=way).astype(np.uint8, copy=False)


def _part(frame: Frame, region: Region) -> Picture:
    if region == WHOLE:
        return frame.full.rgb()
    return frame.full.crop(
        round(region.left * frame.width_px),
        round(region.top * frame.height_px),
        round(region.right * frame.width_px),
        round(region.bottom * frame.height_px),
    )


def merged(parts: Sequence[tuple[Region, Detections]]) -> Detections:
    """What the regions of one frame show together, in the whole picture's coordinates.

    The closest look at somebody counts. What an edge inside the picture cuts is left to the
    other regions and to the next look at the whole picture, but for persons without their
    head: where they stand is seen, and zones are about that.
    """
    if len(parts) == 1 and parts[0][0] == WHOLE:
        return parts[0][1]
    looks: list[tuple[Detections, bool]] = []
    for region, found in sorted(parts, key=lambda part: part[0].share):
        headless, cut_off = _cut(region, found)
        placed = _placed(region, found)
        looks.append((_rows(placed, ~headless & ~cut_off), False))
        looks.append((_rows(placed, headless & ~cut_off), True))
    # Stable: the closest first, and after all whole bodies those that are cut.
    looks.sort(key=lambda look: look[1])
    kept = Detections.empty()
    for detections, partial in looks:
        kept = _with(kept, detections, partial=partial)
    return _rows(kept, np.argsort(-kept.scores, kind="stable"))


def _cut(region: Region, found: Detections) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Persons whose head is cut off, and everything that is cut otherwise."""
    left, top, right, bottom = found.boxes.T
    above = (top < EDGE) & (region.top > 0)
    aside = ((left < EDGE) & (region.left > 0)) | ((right > 1 - EDGE) & (region.right < 1))
    below = (bottom > 1 - EDGE) & (region.bottom < 1)
    person = found.classes == _PERSON
    return above & person, aside | below | (above & ~person)


def _placed(region: Region, found: Detections) -> Detections:
    """The same in coordinates of the whole picture."""
    origin = np.array([region.left, region.top], np.float32)
    extent = np.array([region.right - region.left, region.bottom - region.top], np.float32)
    boxes = found.boxes.reshape(-1, 2, 2) * extent + origin
    keypoints = found.keypoints.copy()
    keypoints[:, :, :2] = keypoints[:, :, :2] * extent + origin
    return Detections(
        boxes=boxes.reshape(-1, 4), scores=found.scores, classes=found.classes, keypoints=keypoints
    )


def _with(kept: Detections, more: Detections, *, partial: bool) -> Detections:
    """Both, without what is there already."""
    if len(kept) and len(more):
        same = kept.classes[None, :] == more.classes[:, None]
        overlap, part = _overlaps(more.boxes, kept.boxes)
        double = overlap > SAME_OVERLAP
        if partial:
            double |= part > SAME_PART
        more = _rows(more, ~(double & same).any(axis=1))
    return Detections(
        boxes=np.concatenate([kept.boxes, more.boxes]),
        scores=np.concatenate([kept.scores, more.scores]),
        classes=np.concatenate([kept.classes, more.classes]),
        keypoints=np.concatenate([kept.keypoints, more.keypoints]),
    )


def _overlaps(boxes: FloatArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(N, M): intersection over union, and the share of each of ``boxes`` inside the other."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.prod((high - low).clip(min=0), axis=2)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)[:, None]
    other = np.prod(others[:, 2:] - others[:, :2], axis=1)[None, :]
    least = np.float32(1e-12)
    return shared / np.maximum(area + other - shared, least), shared / np.maximum(area, least)


def _rows(found: Detections, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Detections:
    return Detections(
        boxes=found.boxes[rows],
        scores=found.scores[rows],
        classes=found.classes[rows],
        keypoints=found.keypoints[rows],
    )
