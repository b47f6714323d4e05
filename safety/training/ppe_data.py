"""Builds the data set of person crops that the PPE network learns from.

Three sources, each labelled in its own way (see ``safety/models/ppe.md``):

- photographs of building sites: what is worn and what is missing, but not everywhere;
- photographs of workers: only what is worn, so what is missing comes from a teacher network;
- rendered stills: exact.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from safety.training.ppe_crops import Items, grown, items_inside, overlaps, write_crop
from safety.types import FloatArray, IntArray, Picture

Finder = Callable[[Picture], FloatArray]
"""Boxes (N, 4) in pixels of the persons that the base network finds in an RGB picture."""

Teacher = Callable[[Sequence[Picture]], Sequence[tuple[Items, FloatArray]]]
"""What a network that knows the classes already finds in RGB crops, with its scores."""

_CONSTRUCTION = {0: 0, 2: 1, 7: 2, 4: 3}
_SYOOK = {1: 0, 6: 2}
_SYOOK_SUIT = 7

SAME_PERSON_IOU = 0.5
TEACHER_SURE = 0.5
TEACHER_UNSURE = 0.2
SAME_ITEM_IOU = 0.2
JITTER = 0.06
LEAST_HEIGHT_PX = {"construction": 40, "syook": 40, "rendered": 26}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One labelled picture: boxes in pixels.

    Attributes:
        suits: (N, 4) overalls of which nobody said whether they count as a vest.
    """

    source: str
    path: Path
    picture: Picture
    persons: FloatArray
    items: Items
    suits: FloatArray = field(default_factory=lambda: np.zeros((0, 4), np.float32))


def construction(folder: Path, split: str) -> Iterator[Labelled]:
    """Pictures of ``ppe-construction``, ``train`` or ``val``."""
    for path in sorted((folder / "images" / split).glob("*.webp")):
        picture = read_picture(path)
        classes, boxes = read_boxes(folder / "labels" / split / f"{path.stem}.txt", picture)
        yield Labelled(
            source="construction",
            path=path,
            picture=picture,
            persons=boxes[classes == 5],
            items=_items(classes, boxes, _CONSTRUCTION),
        )


def syook(folder: Path) -> Iterator[Labelled]:
    """Pictures of ``ppe-syook``."""
    for path in sorted((folder / "images").glob("*.webp")):
        picture = read_picture(path)
        classes, boxes = read_boxes(folder / "labels" / f"{path.stem}.txt", picture)
        yield Labelled(
            source="syook",
            path=path,
            picture=picture,
            persons=boxes[classes == 0],
            items=_items(classes, boxes, _SYOOK),
            suits=boxes[classes == _SYOOK_SUIT],
        )


def rendered(folder: Path, split: str) -> Iterator[Labelled]:
    """Stills of ``rendered``, ``train`` or ``val``."""
    for line in (folder / f"{split}.txt").read_text(encoding="utf-8").split():
        path = folder / line
        picture = read_picture(path)
        kinds, people = read_boxes(folder / "labels_pose" / f"{path.stem}.txt", picture)
        classes, boxes = read_boxes(folder / "labels_ppe" / f"{path.stem}.txt", picture)
        yield Labelled(
            source="rendered",
            path=path,
            picture=picture,
            persons=people[kinds == 0],
            items=_items(classes, boxes, {i: i for i in range(4)}),
        )


def read_picture(path: Path) -> Picture:
    """A picture file as RGB.

    Raises:
        ValueError: It cannot be decoded.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{path} is no picture that can be read; copy it again or remove it")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def read_boxes(path: Path, picture: Picture) -> tuple[IntArray, FloatArray]:
    """Classes (N,) and boxes (N, 4) in pixels of a YOLO label file."""
    height, width = picture.shape[:2]
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [[float(v) for v in line.split()[:5]] for line in lines if line.strip()]
    table = np.array(rows, np.float32).reshape(-1, 5)
    middle, half = table[:, 1:3], table[:, 3:5] / 2
    boxes = np.concatenate([middle - half, middle + half], axis=1).clip(0, 1)
    return table[:, 0].astype(np.int64), boxes * np.array([width, height] * 2, np.float32)


def _items(classes: IntArray, boxes: FloatArray, mapping: dict[int, int]) -> Items:
    known = np.isin(classes, list(mapping))
    ours = np.array([mapping[int(c)] for c in classes[known]], np.int64)
    return Items(boxes=boxes[known], classes=ours)


class CropBuilder:
    """Cuts and writes the crops of labelled pictures.

    Attributes:
        counts: What happened to the crops, for the log and the card.
        weights: How often each crop is to be drawn, by its name.

    Args:
        folder: Gets ``images`` and ``labels``.
        find: Finds persons, so that crops look as the product cuts them.
        teach: Completes or doubts labels.
        seed: Of the jitter.
    """

    def __init__(self, folder: Path, *, find: Finder, teach: Teacher, seed: int) -> None:
        self._folder = folder
        self._find = find
        self._teach = teach
        self._random = np.random.default_rng(seed)
        self.counts: Counter[str] = Counter()
        self.weights: dict[str, float] = {}
        for name in ("images", "labels"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def add(self, labelled: Labelled) -> None:
        """Cut every person of a picture."""
        height, width = labelled.picture.shape[:2]
        boxes = self._boxes(labelled)
        parts = [grown(box, width, height) for box in boxes]
        crops = [labelled.picture[t:b, left:r] for left, t, r, b in parts]
        if not crops:
            return
        opinions = self._teach(crops) if labelled.source != "rendered" else [None] * len(crops)
        for number, (part, crop, opinion) in enumerate(zip(parts, crops, opinions, strict=True)):
            items = items_inside(labelled.items, part)
            checked = items if opinion is None else _checked(labelled, part, items, *opinion)
            self.counts[f"{labelled.source} cut"] += 1
            if checked is None:
                self.counts[f"{labelled.source} dropped: labels in doubt"] += 1
                continue
            name = f"{labelled.source}_{labelled.path.stem}_{number}"
            write_crop(self._folder, name, crop, checked)
            self._note(labelled.source, name, checked)

    def _boxes(self, labelled: Labelled) -> FloatArray:
        """Persons' boxes to cut: as labelled, and as the base network or a jitter has them."""
        tall = labelled.persons[:, 3] - labelled.persons[:, 1]
        persons = labelled.persons[tall >= LEAST_HEIGHT_PX[labelled.source]]
        if labelled.source == "rendered":
            return np.concatenate([persons, self._jittered(persons)])
        found = self._find(labelled.picture)
        if not len(found) or not len(persons):
            return persons
        iou = overlaps(persons, found)
        matched = iou.max(axis=1) >= SAME_PERSON_IOU
        return np.concatenate([persons, found[iou.argmax(axis=1)[matched]]])

    def _jittered(self, boxes: FloatArray) -> FloatArray:
        sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        shifts = self._random.uniform(-JITTER, JITTER, boxes.shape)
        return (boxes + shifts * sides).astype(np.float32)

    def _note(self, source: str, name: str, items: Items) -> None:
        kinds = Counter(items.classes.tolist())
        self.counts[f"{source} written"] += 1
        self.counts.update({f"{source} class {kind}": n for kind, n in kinds.items()})
        # The rare class is drawn more often, crops without anything less.
        self.weights[name] = 1.6 if 1 in kinds else 1.0 if kinds else 0.3

    def save_weights(self, shares: dict[str, float]) -> None:
        """Write ``weights.json``; every source gets its share of the draws."""
        totals: Counter[str] = Counter()
        for name, weight in self.weights.items():
            totals[name.split("_")[0]] += weight  # type: ignore[assignment]
        scaled = {
            name: weight * shares[name.split("_")[0]] / totals[name.split("_")[0]]
            for name, weight in self.weights.items()
        }
        (self._folder / "weights.json").write_text(json.dumps(scaled), encoding="utf-8")
        counts = json.dumps(dict(sorted(self.counts.items())), indent=1)
        (self._folder / "counts.json").write_text(counts, encoding="utf-8")


def _checked(
    labelled: Labelled,
    part: tuple[int, int, int, int],
    items: Items,
    taught: Items,
    scores: FloatArray,
) -> Items | None:
    """The labels of a crop after the teacher saw it; None if they are in doubt."""
    if len(items):
        same_group = items.classes[None, :] // 2 == taught.classes[:, None] // 2
        known = ((overlaps(taught.boxes, items.boxes) >= SAME_ITEM_IOU) & same_group).any(axis=1)
    else:
        known = np.zeros(len(taught), np.bool_)
    missing = taught.classes % 2 == 1
    sure = ~known & (scores >= TEACHER_SURE)
    if labelled.source == "construction":
        return None if sure.any() else items
    if _holds_suit(labelled.suits, part) or not _vests_confirmed(items, taught, scores):
        return None
    doubtful = ~known & missing & (scores >= TEACHER_UNSURE) & (scores < TEACHER_SURE)
    if doubtful.any() or (sure & ~missing).any():
        return None
    added = taught.kept(sure)
    return Items(
        boxes=np.concatenate([items.boxes, added.boxes]),
        classes=np.concatenate([items.classes, added.classes]),
    )


def _vests_confirmed(items: Items, taught: Items, scores: FloatArray) -> bool:
    """Whether the teacher sees a vest wherever one is labelled: some are plain work jackets."""
    vests = items.boxes[items.classes == 2]
    seen = taught.boxes[(taught.classes == 2) & (scores >= TEACHER_UNSURE)]
    if not len(vests):
        return True
    return len(seen) > 0 and bool((overlaps(vests, seen).max(axis=1) >= SAME_ITEM_IOU).all())


def _holds_suit(suits: FloatArray, part: tuple[int, int, int, int]) -> bool:
    return len(items_inside(Items(boxes=suits, classes=np.zeros(len(suits), np.int64)), part)) > 0
