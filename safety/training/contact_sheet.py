"""Sheets of small labelled pictures, to look at before trusting a data set."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from safety.types import FloatArray, Picture

_COLOURS = ((255, 60, 60), (60, 200, 255), (255, 200, 0), (120, 255, 120))


def drawn(
    pixels: Picture, classes: FloatArray, boxes: FloatArray, keypoints: FloatArray
) -> Picture:
    """A copy with boxes (left, top, right, bottom, in pixels) and keypoints; white: unknown."""
    sheet = pixels.copy()
    for kind, box, points in zip(classes, boxes, keypoints, strict=True):
        unknown = points[0, 2] < 0
        colour = (255, 255, 255) if unknown else _COLOURS[int(kind) % len(_COLOURS)]
        left, top, right, bottom = (int(value) for value in box)
        cv2.rectangle(sheet, (left, top), (right, bottom), colour, 1)
        for x, y, visibility in points:
            if visibility > 0:
                green = (0, 255, 0) if visibility > 1 else (255, 0, 255)
                cv2.circle(sheet, (int(x), int(y)), 1, green, -1)
    return sheet


def write_sheet(path: Path, pictures: Sequence[Picture], columns: int = 3) -> None:
    """Pictures of one size beside and below each other, as one file."""
    empty = np.zeros_like(pictures[0])
    rows = [list(pictures[i : i + columns]) for i in range(0, len(pictures), columns)]
    rows[-1] += [empty] * (columns - len(rows[-1]))
    sheet = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.ascontiguousarray(sheet[..., ::-1]))
