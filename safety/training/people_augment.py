"""Training pictures for deployment's shape: 640x384, small people, lying people, poor light.

Ultralytics' own augmentation makes squares. One or four pictures are scaled, turned and cropped
onto a canvas that has the shape of the pictures that cameras give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from safety.perception.letterbox import PAD
from safety.training.dataset import Sample, read_picture
from safety.training.people_clutter import clutter
from safety.types import FloatArray, Picture

FLIPPED = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
"""COCO keypoints of a mirrored person."""


@dataclass(slots=True)
class Piece:
    """A picture on its way to the canvas; coordinates in its own pixels.

    Attributes:
        boxes: (N, 4) left, top, right, bottom.
        keypoints: (N, 17, 3).
    """

    pixels: Picture
    classes: FloatArray
    boxes: FloatArray
    keypoints: FloatArray


def piece(sample: Sample, pixels: Picture) -> Piece:
    """A sample in pixels."""
    size = np.array(pixels.shape[1::-1], np.float32)
    half = sample.boxes[:, 2:] / 2
    boxes = np.concatenate([sample.boxes[:, :2] - half, sample.boxes[:, :2] + half], axis=1)
    keypoints = sample.keypoints.copy()
    keypoints[..., :2] *= size
    return Piece(pixels, sample.classes, boxes * np.tile(size, 2), keypoints)


def scaled(source: Piece, scale: float, interpolation: int) -> Piece:
    """Larger or smaller."""
    height, width = source.pixels.shape[:2]
    size = (max(round(width * scale), 2), max(round(height * scale), 2))
    pixels = cv2.resize(source.pixels, size, interpolation=interpolation).astype(np.uint8)
    factor = np.array([size[0] / width, size[1] / height], np.float32)
    keypoints = source.keypoints.copy()
    keypoints[..., :2] *= factor
    return Piece(pixels, source.classes, source.boxes * np.tile(factor, 2), keypoints)


def mirrored(source: Piece) -> Piece:
    """Left and right exchanged, also in the keypoints' names."""
    width = source.pixels.shape[1]
    boxes = source.boxes.copy()
    boxes[:, [0, 2]] = width - source.boxes[:, [2, 0]]
    keypoints = source.keypoints[:, FLIPPED].copy()
    keypoints[..., 0] = width - keypoints[..., 0]
    return Piece(np.ascontiguousarray(source.pixels[:, ::-1]), source.classes, boxes, keypoints)


def turned(source: Piece) -> Piece:
    """A quarter turn anticlockwise: x, y become y, width - x."""
    width = source.pixels.shape[1]
    left, top, right, bottom = source.boxes.T
    boxes = np.stack([top, width - right, bottom, width - left], axis=1)
    keypoints = source.keypoints.copy()
    keypoints[..., 0] = source.keypoints[..., 1]
    keypoints[..., 1] = width - source.keypoints[..., 0]
    return Piece(np.ascontiguousarray(np.rot90(source.pixels)), source.classes, boxes, keypoints)


class Composer:
    """Draws augmented canvases.

    Args:
        samples: What to draw from; canvas i shows sample i, alone or with three others.
        size_px: Width and height of the canvas.
        chances: The recipe's ``augmentation``.
    """

    def __init__(
        self, samples: Sequence[Sample], size_px: tuple[int, int], chances: Mapping[str, float]
    ) -> None:
        self._samples = samples
        self._size_px = size_px
        self._chances = chances
        # Kept small and decoded: reading WebP costs as much as a training step.
        self._pictures = {path: self._read(path) for path in {s.picture for s in samples}}

    def _read(self, path: Path) -> Picture:
        pixels = read_picture(path)
        assert pixels is not None, f"{path} was decoded when the list was made"
        shrink = self._largest() / float(np.sqrt(pixels.shape[0] * pixels.shape[1]))
        if shrink >= 1:
            return pixels
        size = (round(pixels.shape[1] * shrink), round(pixels.shape[0] * shrink))
        return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8)

    def _largest(self) -> float:
        """Root of the area beyond which pixels would never reach a canvas."""
        return float(np.sqrt(self._size_px[0] * self._size_px[1])) * self._chances["scale_high"]

    def compose(self, index: int, rng: np.random.Generator) -> Piece:
        """One augmented canvas."""
        width, height = self._size_px
        pixels = np.full((height, width, 3), PAD, np.uint8)
        parts: list[Piece] = []
        if rng.random() < self._chances["collage"]:
            x, y = int(width * rng.uniform(0.3, 0.7)), int(height * rng.uniform(0.3, 0.7))
            frames = [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]
            chosen = [index, *rng.integers(0, len(self._samples), 3).tolist()]
            low, high = self._chances["collage_scale_low"], self._chances["collage_scale_high"]
            rng.shuffle(frames)
        else:
            frames, chosen = [(0, 0, width, height)], [index]
            low, high = self._chances["scale_low"], self._chances["scale_high"]
        for frame, number in zip(frames, chosen, strict=True):
            source = self._shaped(self._samples[number], low, high, rng)
            parts.append(_pasted(source, pixels, frame, self._chances, rng))
        boxes = np.concatenate([part.boxes for part in parts])
        if rng.random() < self._chances["clutter"]:
            clutter(pixels, boxes, rng)
        pixels = degraded(pixels, self._chances, rng)
        return Piece(
            pixels,
            np.concatenate([part.classes for part in parts]),
            boxes,
            np.concatenate([part.keypoints for part in parts]),
        )

    def _shaped(self, sample: Sample, low: float, high: float, rng: np.random.Generator) -> Piece:
        source = piece(sample, self._pictures[sample.picture])
        area = source.pixels.shape[0] * source.pixels.shape[1]
        whole = float(np.sqrt(self._size_px[0] * self._size_px[1] / area))
        scale = whole * float(np.exp(rng.uniform(np.log(low), np.log(high))))
        # Cameras' own scalers alias, photographs do not: both belong to the world.
        smooth = cv2.INTER_AREA if scale < 1 and rng.random() < 0.5 else cv2.INTER_LINEAR
        source = scaled(source, scale, smooth)
        for _ in range(self._turns(sample, rng)):
            source = turned(source)
        return mirrored(source) if rng.random() < self._chances["flip"] else source

    def _turns(self, sample: Sample, rng: np.random.Generator) -> int:
        """Quarters; the forklifts' data set has turned its photographs and does not say how."""
        if sample.source == "forklift" and rng.random() < self._chances["forklift_turns"]:
            return int(rng.integers(1, 4))
        return int(rng.random() < self._chances["quarter_turn"])


def _pasted(
    source: Piece,
    canvas: Picture,
    frame: tuple[int, int, int, int],
    chances: Mapping[str, float],
    rng: np.random.Generator,
) -> Piece:
    """Draw a picture into a frame of the canvas, anywhere that fills most of it."""
    left, top, right, bottom = frame
    height, width = source.pixels.shape[:2]
    x = left - _slide(width - (right - left), rng)
    y = top - _slide(height - (bottom - top), rng)
    x0, y0, x1, y1 = max(x, left), max(y, top), min(x + width, right), min(y + height, bottom)
    canvas[y0:y1, x0:x1] = source.pixels[y0 - y : y1 - y, x0 - x : x1 - x]
    boxes = source.boxes + np.array([x, y, x, y], np.float32)
    low, high = np.array([x0, y0], np.float32), np.array([x1, y1], np.float32)
    clipped = np.concatenate([boxes[:, :2].clip(low, high), boxes[:, 2:].clip(low, high)], axis=1)
    size = clipped[:, 2:] - clipped[:, :2]
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1).clip(min=1e-6)
    kept = size.prod(axis=1) / whole >= chances["least_visible"]
    kept &= size.max(axis=1, initial=0) >= chances["least_px"]
    keypoints = source.keypoints.copy()
    keypoints[..., :2] += np.array([x, y], np.float32)
    places = keypoints[..., :2]
    gone = ((places < low) | (places >= high)).any(axis=2) & (keypoints[..., 2] > 0)
    keypoints[gone] = 0
    return Piece(canvas, source.classes[kept], clipped[kept], keypoints[kept])


def _slide(spare: int, rng: np.random.Generator) -> int:
    """How far into a longer picture a frame begins; negative: the picture lies inside."""
    return int(rng.integers(min(spare, 0), max(spare, 0) + 1))


def degraded(pixels: Picture, chances: Mapping[str, float], rng: np.random.Generator) -> Picture:
    """Other light, a worse lens, a cheaper encoder."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(-1, 1) * chances["hue"] * 180) % 180
    hsv[..., 1] *= 1 + rng.uniform(-1, 1) * chances["saturation"]
    light = 1 + rng.uniform(-1, 1) * chances["brightness"]
    if rng.random() < chances["dark"]:
        light *= rng.uniform(0.25, 0.6)
    hsv[..., 2] *= light
    pixels = cv2.cvtColor(hsv.clip(0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.uint8)
    if rng.random() < chances["grey"]:
        pixels = np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if rng.random() < chances["blur"]:
        pixels = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.4, 1.2))).astype(np.uint8)
    if rng.random() < chances["noise"]:
        noise = rng.normal(0, rng.uniform(2, 9), pixels.shape).astype(np.float32)
        pixels = (pixels + noise).clip(0, 255).astype(np.uint8)
    if rng.random() < chances["jpeg"]:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 90))]
        pixels = _encoded(pixels, quality)
    return pixels


def _encoded(pixels: Picture, quality: list[int]) -> Picture:
    decoded = cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_COLOR)
    assert decoded is not None, "what was encoded can be decoded"
    return decoded.astype(np.uint8)
