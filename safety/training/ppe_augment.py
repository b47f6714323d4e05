"""Random changes to person crops: distance, place, light."""

# ruff: noqa: S311 - chance, not secrets

import math
import random
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from safety.perception.letterbox import PAD
from safety.training.ppe_crops import Items, areas
from safety.types import FloatArray, Picture


class Augmentation:
    """Changes crops as a recipe's ``augmentation`` says. Draws from ``random`` and ``np.random``.

    Args:
        spec: Chances and ranges by name, see the recipe ``ppe``.
        size_px: Side of the network's input.
    """

    def __init__(self, spec: Mapping[str, float], size_px: int) -> None:
        self._spec = spec
        self._size = size_px

    def __call__(self, crop: Picture, items: Items) -> tuple[Picture, Items]:
        """A crop of any size and its items as one input of the network."""
        if _chance(self._spec["degrade"]):
            crop = self._further_away(crop)
        placed, moved = self._placed(crop, items)
        return self._lit(placed), moved

    def _further_away(self, crop: Picture) -> Picture:
        """Shrunk, disturbed as a camera would, and enlarged again."""
        height, width = crop.shape[:2]
        # Even in the logarithm: 30 px differ from 60 as 60 from 120.
        low, high = (math.log(self._spec[f"degrade_{end}_px"]) for end in ("low", "high"))
        scale = min(math.exp(random.uniform(low, high)) / height, 1.0)
        small = (max(round(width * scale), 4), max(round(height * scale), 4))
        result = np.asarray(cv2.resize(crop, small, interpolation=cv2.INTER_AREA), np.uint8)
        if _chance(self._spec["blur"]):
            blurred = cv2.GaussianBlur(result, (3, 3), random.uniform(0.3, 1.0))
            result = np.asarray(blurred, np.uint8)
        if _chance(self._spec["noise"]):
            noise = np.random.normal(0, random.uniform(2, 10), result.shape)
            result = (result + noise).clip(0, 255).astype(np.uint8)
        if _chance(self._spec["jpeg"]):
            result = _recompressed(result, random.randint(30, 85))
        enlarged = cv2.resize(result, (width, height), interpolation=cv2.INTER_LINEAR)
        return enlarged.astype(np.uint8, copy=False)

    def _placed(self, crop: Picture, items: Items) -> tuple[Picture, Items]:
        matrix = self._placement(*crop.shape[1::-1])
        size = (self._size, self._size)
        placed = cv2.warpAffine(crop, matrix, size, borderValue=(PAD, PAD, PAD))
        boxes = _moved(items.boxes, matrix)
        inside = boxes.clip(0, self._size)
        seen = areas(inside) / areas(boxes).clip(min=1e-6) >= self._spec["least_visible"]
        large = (inside[:, 2:] - inside[:, :2]).min(axis=1, initial=1e6) >= self._spec["least_px"]
        return placed.astype(np.uint8, copy=False), Items(boxes=inside, classes=items.classes).kept(
            seen & large
        )

    def _placement(self, width: int, height: int) -> NDArray[np.float64]:
        """(2, 3) from crop pixels to input pixels."""
        spec = self._spec
        scale = self._size / max(width, height)
        scale *= random.uniform(spec["scale_low"], spec["scale_high"])
        degrees = random.uniform(-spec["turn_degrees"], spec["turn_degrees"])
        if _chance(spec["quarter_turn"]):
            degrees += random.choice((-90, 90))
        turned = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
        matrix = np.asarray(turned, np.float64)
        shift = [random.uniform(-spec["shift"], spec["shift"]) for _ in "xy"]
        matrix[:, 2] += (np.array(shift) + 0.5) * self._size - np.array([width, height]) / 2
        if _chance(spec["flip"]):
            matrix[0] = -matrix[0]
            matrix[0, 2] += self._size
        return matrix

    def _lit(self, picture: Picture) -> Picture:
        spec = self._spec
        gains = [1 + random.uniform(-1, 1) * spec[k] for k in ("hue", "saturation", "brightness")]
        tones = np.arange(256, dtype=np.float32)
        hue, saturation, value = cv2.split(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV))
        tables = (
            ((tones * gains[0]) % 180).astype(np.uint8),
            (tones * gains[1]).clip(0, 255).astype(np.uint8),
            (tones * gains[2]).clip(0, 255).astype(np.uint8),
        )
        channels = [
            cv2.LUT(channel, table)
            for channel, table in zip((hue, saturation, value), tables, strict=True)
        ]
        lit = cv2.cvtColor(cv2.merge(channels), cv2.COLOR_HSV2RGB)
        if _chance(spec["grey"]):
            lit = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        return lit.astype(np.uint8, copy=False)


def _recompressed(picture: Picture, quality: int) -> Picture:
    """With the traces of JPEG compression."""
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def _moved(boxes: FloatArray, matrix: NDArray[np.float64]) -> FloatArray:
    """Upright boxes (N, 4) around moved boxes."""
    left, top, right, bottom = boxes.T
    corners = np.stack([left, top, right, top, right, bottom, left, bottom], axis=1)
    points = corners.reshape(-1, 4, 2) @ matrix[:, :2].T + matrix[:, 2]
    return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1).astype(np.float32)


def _chance(share: float) -> bool:
    return random.random() < share
