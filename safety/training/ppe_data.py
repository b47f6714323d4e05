"""Cuts the crops that the PPE network learns from and those it is judged by."""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from safety.training.needs import TrainingError
from safety.training.people_pseudo import overlaps
from safety.training.ppe_crops import Items, crops_in, cuts, items_inside, pixels, write_crop
from safety.training.ppe_sources import (
    CONSTRUCTION,
    RENDERED,
    SOURCES,
    Labelled,
    labelled_pictures,
)
from safety.training.ppe_teacher import Teacher
from safety.training.recipe import Recipe
from safety.types import FloatArray, Picture

VALIDATION_LEAST_PX = 60
"""Persons lower than this are not part of the photographs' validation crops."""

_NO_HARDHAT = 1
_PEOPLE_BASE = "models/yolo11n-pose.pt"


def prepare(recipe: Recipe, data: Path, out: Path) -> Path:
    """Cut all crops into ``train``, ``val`` and ``val_rendered``, unless they are there.

    Args:
        data: The folder with ``ppe-construction``, ``ppe-syook`` and ``rendered``, beside it
            ``models`` with the networks that teach.
        out: Gets the three folders.

    Returns:
        ``out``.

    Raises:
        TrainingError: A data set is faulty, or none is there.
    """
    if (out / "train" / "weights.json").is_file():
        return out
    shutil.rmtree(out, ignore_errors=True)
    teacher = Teacher(
        data.parent / _PEOPLE_BASE, data.parent / recipe.base, out / "cache", recipe.data
    )
    builder = CropBuilder(out / "train", recipe, teacher)
    for source in SOURCES:
        for labelled in labelled_pictures(data, source, "train"):
            builder.add(labelled)
    if not builder.weights:
        raise TrainingError(
            "training.no_data",
            "{data} holds none of the data sets ppe-construction, ppe-syook, rendered; pass the"
            " folder that has them with --data",
            data=str(data),
        )
    validation_crops(data, out, int(recipe.data["least_px_rendered"]))
    if not any(crops_in(out / part) for part in ("val", "val_rendered")):
        raise TrainingError(
            "training.no_validation",
            "{data} holds no pictures to judge the network by; keep at least 50 apart in"
            " ppe-construction/images/val or in rendered/val.txt",
            data=str(data),
        )
    builder.save()
    return out


def validation_crops(data: Path, out: Path, least_px_rendered: int) -> None:
    """Cut persons as they are labelled, for figures at crop level."""
    for source, folder, least_px in (
        (CONSTRUCTION, out / "val", VALIDATION_LEAST_PX),
        (RENDERED, out / "val_rendered", least_px_rendered),
    ):
        for labelled in labelled_pictures(data, source, "val"):
            persons = labelled.persons[_heights(labelled.persons) >= least_px]
            for number, cut in enumerate(cuts(labelled.picture, persons)):
                items = items_inside(labelled.items, cut)
                if len(items) or source == RENDERED:
                    crop = pixels(labelled.picture, cut)
                    write_crop(folder, f"{labelled.name}_{number}", crop, items)


class CropBuilder:
    """Cuts and writes the training crops of labelled pictures.

    Attributes:
        counts: What happened to the crops, for the log and the card.
        weights: How often each crop is to be drawn, by source and name.

    Args:
        folder: Gets ``images``, ``labels``, ``weights.json`` and ``counts.json``.
    """

    def __init__(self, folder: Path, recipe: Recipe, teacher: Teacher) -> None:
        self._folder = folder
        self._rules = recipe.data
        self._teacher = teacher
        self._random = np.random.default_rng(recipe.seed)
        self.counts: Counter[str] = Counter()
        self.weights: dict[str, dict[str, float]] = {}

    def add(self, labelled: Labelled) -> None:
        """Cut every person of a picture."""
        parts = cuts(labelled.picture, self._boxes(labelled))
        crops = [np.ascontiguousarray(pixels(labelled.picture, part)) for part in parts]
        items: Sequence[Items | None] = [items_inside(labelled.items, part) for part in parts]
        self.counts[f"{labelled.source} cut"] += len(crops)
        if labelled.source != RENDERED and crops:
            known = [own for own in items if own is not None]
            items = self._teacher.checked(labelled, parts, crops, known)
        for number, (crop, own) in enumerate(zip(crops, items, strict=True)):
            name = f"{labelled.source}_{labelled.name}_{number}"
            if own is None:
                self.counts[f"{labelled.source} dropped, labels in doubt"] += 1
            else:
                self._write(labelled.source, name, crop, own)

    def save(self) -> str:
        """Write the lists; every source gets its share of the draws.

        Returns:
            SHA-256 of ``weights.json``: which crops a network was trained with.
        """
        scaled: dict[str, float] = {}
        for source, weights in self.weights.items():
            factor = self._rules[f"share_{source}"] / sum(weights.values())
            scaled |= {name: weight * factor for name, weight in weights.items()}
        content = json.dumps(scaled, sort_keys=True).encode()
        counts = json.dumps(self.counts, sort_keys=True, indent=1)
        (self._folder / "counts.json").write_text(counts, encoding="utf-8")
        (self._folder / "weights.json").write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def _boxes(self, labelled: Labelled) -> FloatArray:
        """Persons to cut, each twice where possible: as labelled, and as a network sees it."""
        least = self._rules[f"least_px_{labelled.source}"]
        persons = labelled.persons[_heights(labelled.persons) >= least]
        if labelled.source == RENDERED:
            return np.concatenate([persons, self._jittered(persons)])
        found = self._teacher.persons(labelled.picture)
        if not len(found) or not len(persons):
            return persons
        iou = overlaps(persons, found)
        same = iou.max(axis=1) >= self._rules["same_person_iou"]
        return np.concatenate([persons, found[iou.argmax(axis=1)[same]]])

    def _jittered(self, boxes: FloatArray) -> FloatArray:
        sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        span = self._rules["jitter"]
        return (boxes + self._random.uniform(-span, span, boxes.shape) * sides).astype(np.float32)

    def _write(self, source: str, name: str, crop: Picture, items: Items) -> None:
        write_crop(self._folder, name, crop, items)
        kinds = Counter(items.classes.tolist())
        self.counts[f"{source} written"] += 1
        self.counts.update({f"{source} class {kind}": n for kind, n in kinds.items()})
        weight = 1.0 if kinds else self._rules["weight_empty"]
        if _NO_HARDHAT in kinds:
            weight = self._rules["weight_no_hardhat"]
        self.weights.setdefault(source, {})[name] = weight


def _heights(boxes: FloatArray) -> FloatArray:
    heights: FloatArray = boxes[:, 3] - boxes[:, 1]
    return heights
