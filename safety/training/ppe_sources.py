"""Where the pictures that the PPE network learns from come from.

Three sources, each labelled in its own way (see ``safety/models/ppe.md``):

- photographs of building sites: what is worn and what is missing, with gaps;
- photographs of workers: only what is worn;
- rendered stills: exact.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from safety.training.dataset import Sample, read_folder, read_picture
from safety.training.people_pseudo import to_corners
from safety.training.ppe_crops import NAMES, Items
from safety.types import FloatArray, Picture

CONSTRUCTION, SYOOK, RENDERED = "construction", "syook", "rendered"
SOURCES = (CONSTRUCTION, SYOOK, RENDERED)

_CONSTRUCTION_ITEMS = {0: 0, 2: 1, 7: 2, 4: 3}
_CONSTRUCTION_PERSON = 5
_SYOOK_ITEMS = {1: 0, 6: 2}
_SYOOK_PERSON, _SYOOK_SUIT = 0, 7
_TEN_CLASSES = 10
_RENDERED_PERSON, _RENDERED_CLASSES = 0, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One labelled picture; boxes (N, 4) are left, top, right, bottom in pixels.

    Attributes:
        name: Unique within the source.
        suits: Overalls of which nobody said whether they count as a vest.
    """

    source: str
    name: str
    picture: Picture
    persons: FloatArray
    items: Items
    suits: FloatArray


def labelled_pictures(data: Path, source: str, part: str) -> Iterator[Labelled]:
    """The pictures of one source that belong to ``train`` or ``val``; none if it is not there.

    Raises:
        TrainingError: Pictures or labels are missing or damaged; names all of them.
    """
    match source:
        case "construction":
            yield from _construction(data / "ppe-construction", part)
        case "syook":
            yield from _syook(data / "ppe-syook") if part == "train" else ()
        case _:
            yield from _rendered(data / "rendered", part)


def _construction(folder: Path, part: str) -> Iterator[Labelled]:
    pictures = sorted((folder / "images" / part).glob("*.*"))
    for sample in _samples(pictures, folder / "labels" / part, _TEN_CLASSES):
        yield _labelled(CONSTRUCTION, sample, _CONSTRUCTION_PERSON, _CONSTRUCTION_ITEMS)


def _syook(folder: Path) -> Iterator[Labelled]:
    pictures = sorted((folder / "images").glob("*.*"))
    for sample in _samples(pictures, folder / "labels", _TEN_CLASSES):
        yield _labelled(SYOOK, sample, _SYOOK_PERSON, _SYOOK_ITEMS, suit=_SYOOK_SUIT)


def _rendered(folder: Path, part: str) -> Iterator[Labelled]:
    """Persons and items lie in label folders of their own."""
    if not folder.is_dir():
        return
    names = (folder / f"{part}.txt").read_text(encoding="utf-8").split()
    pictures = [folder / name for name in names]
    people = _samples(pictures, folder / "labels_pose", _RENDERED_CLASSES)
    worn = _samples(pictures, folder / "labels_ppe", len(NAMES))
    for persons, items in zip(people, worn, strict=True):
        both = Sample(
            picture=persons.picture,
            source=RENDERED,
            classes=np.concatenate([persons.classes + len(NAMES), items.classes]),
            boxes=np.concatenate([persons.boxes, items.boxes]),
            keypoints=np.concatenate([persons.keypoints, items.keypoints]),
        )
        yield _labelled(
            RENDERED, both, _RENDERED_PERSON + len(NAMES), {i: i for i in range(len(NAMES))}
        )


def _samples(pictures: Sequence[Path], labels: Path, classes: int) -> Sequence[Sample]:
    files = [labels / f"{path.stem}.txt" for path in pictures]
    return read_folder(pictures, files, classes, labels.name) if pictures else ()


def _labelled(
    source: str, sample: Sample, person: int, items: Mapping[int, int], suit: int = -1
) -> Labelled:
    picture = read_picture(sample.picture)
    assert picture is not None, "read_folder has decoded it before"
    height, width = picture.shape[:2]
    scale = np.array([width, height] * 2, np.float32)
    boxes = (to_corners(sample.boxes).clip(0, 1) * scale).astype(np.float32)
    known = np.isin(sample.classes, list(items))
    classes = np.array([items[int(kind)] for kind in sample.classes[known]], np.int64)
    return Labelled(
        source=source,
        name=sample.picture.stem,
        picture=picture,
        persons=boxes[sample.classes == person],
        items=Items(boxes=boxes[known], classes=classes),
        suits=boxes[sample.classes == suit],
    )
