"""Person crops and the labels of what is worn in them, cut as the running product cuts them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from safety.perception.ppe import Crop, crop_of
from safety.training.dataset import Faults, read_labels, read_picture
from safety.training.people_pseudo import to_corners
from safety.types import FloatArray, IntArray, Picture

NAMES: tuple[str, ...] = ("hardhat", "no-hardhat", "vest", "no-vest")
"""Classes of the network, in its order."""

_LEAST_INSIDE = 0.4
"""An item of which less than this share lies in the crop is not labelled there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Labelled items of one picture or crop; row i of both arrays is one item.

    Attributes:
        boxes: (N, 4) left, top, right, bottom in pixels.
        classes: (N,) index into ``NAMES``.
    """

    boxes: FloatArray
    classes: IntArray

    def __len__(self) -> int:
        return len(self.classes)

    def kept(self, rows: NDArray[np.bool_]) -> "Items":
        """Those that ``rows`` selects."""
        return Items(boxes=self.boxes[rows], classes=self.classes[rows])

    def scaled(self, width: float, height: float) -> "Items":
        """The same with x multiplied by ``width`` and y by ``height``."""
        scale = np.array([width, height] * 2, np.float32)
        return Items(boxes=self.boxes * scale, classes=self.classes)


def cuts(picture: Picture, boxes: FloatArray) -> list[Crop]:
    """What the product would cut for persons with these boxes (N, 4), in pixels."""
    height, width = picture.shape[:2]
    scale = np.array([width, height] * 2, np.float32)
    return [crop_of(box / scale, width, height) for box in boxes]


def pixels(picture: Picture, cut: Crop) -> Picture:
    """A view of one part of a picture."""
    return picture[cut.top : cut.bottom, cut.left : cut.right]


def items_inside(items: Items, cut: Crop) -> Items:
    """Items of a picture as they lie in one part of it, cut at its edge."""
    origin = np.array([cut.left, cut.top] * 2, np.float32)
    size = np.array([cut.right - cut.left, cut.bottom - cut.top] * 2, np.float32)
    inside = (items.boxes - origin).clip(0, size)
    share = areas(inside) / areas(items.boxes).clip(min=1e-6)
    return Items(boxes=inside, classes=items.classes).kept(share >= _LEAST_INSIDE)


def areas(boxes: FloatArray) -> FloatArray:
    """(N,) of boxes (N, 4)."""
    sides = (boxes[:, 2:] - boxes[:, :2]).clip(min=0)
    area: FloatArray = sides[:, 0] * sides[:, 1]
    return area


def write_crop(folder: Path, name: str, crop: Picture, items: Items) -> None:
    """Save a crop (RGB) and its labels as YOLO text under ``images`` and ``labels``."""
    height, width = crop.shape[:2]
    shares = items.scaled(1 / width, 1 / height)
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    lines = []
    for box, kind in zip(shares.boxes, shares.classes, strict=True):
        middle, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        lines.append(f"{kind} {middle[0]:.6f} {middle[1]:.6f} {size[0]:.6f} {size[1]:.6f}")
    image = folder / "images" / f"{name}.jpg"
    cv2.imwrite(str(image), cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
    (folder / "labels" / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")


def read_crop(path: Path) -> tuple[Picture, Items]:
    """A crop that ``write_crop`` wrote, and its items in pixels.

    Raises:
        TrainingError: The picture or its labels are missing or damaged.
    """
    faults = Faults()
    rows = read_labels(path.parent.parent / "labels" / f"{path.stem}.txt", len(NAMES), faults)
    crop = read_picture(path)
    if crop is None:
        faults.add(path, "cannot be decoded (empty, damaged or no picture)")
    faults.check()
    assert crop is not None
    height, width = crop.shape[:2]
    items = Items(boxes=to_corners(rows[:, 1:5]), classes=rows[:, 0].astype(np.int64))
    return crop, items.scaled(width, height)


def crops_in(folder: Path) -> Sequence[Path]:
    """The crop files of a folder, in a fixed order."""
    return sorted((folder / "images").glob("*.jpg"))
