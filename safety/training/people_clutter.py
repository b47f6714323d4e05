"""Upright things that are nobody, drawn into training pictures: posts, racks, ladders, stacks.

A network that learned small people from few halls takes the leg of a rack for one. Things are
drawn where nothing is labelled, as high as people are, and may be cut by the picture's edge.
"""

from collections.abc import Callable

import cv2
import numpy as np

from safety.types import FloatArray, Picture

_MOST = 4
"""Things in one picture."""

_TRIES = 8
"""Places that are tried for one thing."""

_LEAST_PX, _SHARE = 16, 0.5
"""Heights: from so many pixels to this share of the picture's."""

_CLEAR_PX = 3
"""Free space around labels."""

_Draw = Callable[[Picture, np.random.Generator], None]


def clutter(pixels: Picture, boxes: FloatArray, rng: np.random.Generator) -> None:
    """Draw one to four things into a picture, in place.

    Args:
        boxes: (N, 4) corners in pixels that stay as they are.
    """
    for _ in range(int(rng.integers(1, _MOST + 1))):
        narrow, wide, draw = _KINDS[int(rng.integers(len(_KINDS)))]
        for _ in range(_TRIES):
            frame = _frame(pixels, narrow, wide, rng)
            if _free(frame, boxes):
                _draw(pixels, frame, draw, rng)
                break


def _frame(
    pixels: Picture, narrow: float, wide: float, rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a thing whose middle lies in the picture."""
    height, width = pixels.shape[:2]
    # Even in the logarithm: people are small more often than large.
    high = float(np.exp(rng.uniform(np.log(_LEAST_PX), np.log(height * _SHARE))))
    broad = max(high * rng.uniform(narrow, wide), 2)
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    return round(x - broad / 2), round(y - high / 2), round(x + broad / 2), round(y + high / 2)


def _free(frame: tuple[int, int, int, int], boxes: FloatArray) -> bool:
    left, top, right, bottom = frame
    apart = (boxes[:, 0] - _CLEAR_PX > right) | (boxes[:, 2] + _CLEAR_PX < left)
    apart |= (boxes[:, 1] - _CLEAR_PX > bottom) | (boxes[:, 3] + _CLEAR_PX < top)
    return bool(apart.all())


def _draw(
    pixels: Picture, frame: tuple[int, int, int, int], draw: _Draw, rng: np.random.Generator
) -> None:
    """One thing over what is there, its edges as soft as a camera's."""
    left, top, right, bottom = frame
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    # Beyond the picture's edge it goes on: what stands there is drawn and cut.
    outside = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    around = cv2.copyMakeBorder(pixels[y0:y1, x0:x1], *outside, cv2.BORDER_REPLICATE)
    thing = around.astype(np.uint8)
    draw(thing, rng)
    soft = cv2.GaussianBlur(thing, (3, 3), float(rng.uniform(0.3, 0.8)))
    light = rng.uniform(0.5, 1.1)
    lit = (soft * light).clip(0, 255).astype(np.uint8)
    pixels[y0:y1, x0:x1] = lit[y0 - top : y1 - top, x0 - left : x1 - left]


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    """Grey, brown or bright, as halls are painted."""
    grey = rng.uniform(15, 235)
    paint = rng.uniform(0, 255, 3)
    red, green, blue = (float(v) for v in grey + (paint - paint.mean()) * rng.choice([0.1, 0.5, 1]))
    return (
        round(min(max(red, 0), 255)),
        round(min(max(green, 0), 255)),
        round(min(max(blue, 0), 255)),
    )


def _post(thing: Picture, rng: np.random.Generator) -> None:
    """A pipe or a pillar, darker towards its sides, perhaps with bands."""
    height, width = thing.shape[:2]
    thing[:] = _colour(rng)
    if rng.random() < 0.3:
        band = max(int(height * rng.uniform(0.05, 0.2)), 2)
        colour = _colour(rng)
        for top in range(0, height, 2 * band):
            thing[top : top + band] = colour
    side = np.abs(np.linspace(-1, 1, width) - rng.uniform(-0.5, 0.5))
    thing[:] = (thing * (1 - rng.uniform(0, 0.5) * side)[None, :, None]).clip(0, 255)


def _rack(thing: Picture, rng: np.random.Generator) -> None:
    """Legs, shelves, goods, and dark gaps between them."""
    height, width = thing.shape[:2]
    if rng.random() < 0.7:
        thing[:] = _colour(rng)
        thing[:] = thing * rng.uniform(0.2, 0.9)
    shelf, leg = _colour(rng), _colour(rng)
    thick = max(int(height * rng.uniform(0.02, 0.07)), 1)
    step = max(int(height * rng.uniform(0.25, 0.5)), 4)
    for bottom in range(height, 0, -step):
        x = 0
        while x < width:
            wide, high = (max(int(step * rng.uniform(0.2, 0.8)), 2) for _ in "wh")
            if rng.random() < 0.7:
                thing[max(bottom - thick - high, 0) : max(bottom - thick, 0), x : x + wide] = (
                    _colour(rng)
                )
            x += wide + int(step * rng.uniform(0, 0.4))
        thing[max(bottom - thick, 0) : bottom] = shelf
    broad = max(int(height * rng.uniform(0.02, 0.08)), 1)
    behind = int(height * rng.uniform(0.05, 0.25))
    for x in (0, behind, width - broad - behind, width - broad):
        thing[:, max(x, 0) : max(x, 0) + broad] = leg


def _ladder(thing: Picture, rng: np.random.Generator) -> None:
    height, width = thing.shape[:2]
    colour = _colour(rng)
    thick = max(int(height * rng.uniform(0.015, 0.05)), 1)
    for top in range(0, height, max(int(height * rng.uniform(0.08, 0.2)), 2 * thick)):
        thing[top : top + thick] = colour
    thing[:, :thick], thing[:, width - thick :] = colour, colour


def _stack(thing: Picture, rng: np.random.Generator) -> None:
    """Boxes on one another."""
    height, width = thing.shape[:2]
    top = 0
    while top < height:
        high = max(int(height * rng.uniform(0.15, 0.5)), 3)
        left = int(width * rng.uniform(0, 0.3))
        right = int(width * rng.uniform(0.7, 1)) + 1
        thing[top : top + high, left:right] = _colour(rng)
        top += high


_KINDS: tuple[tuple[float, float, _Draw], ...] = (
    (0.04, 0.35, _post),
    (0.3, 2.0, _rack),
    (0.15, 0.45, _ladder),
    (0.25, 0.6, _stack),
)
"""Least and largest width as a share of the height, and how it is drawn."""
