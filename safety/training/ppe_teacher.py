"""What earlier networks say about pictures whose labels have gaps."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safety.perception.detector import Detector, ObjectDetector
from safety.perception.load import load_object_detector, load_pose_detector
from safety.perception.ppe import CROP_PX, Crop
from safety.training.people_pseudo import overlaps
from safety.training.ppe_crops import Items, items_inside
from safety.training.ppe_sources import CONSTRUCTION, Labelled
from safety.types import FloatArray, IntArray, Picture

_VEST = 2


class Teacher:
    """Finds persons, and doubts or completes the labels of their crops.

    Args:
        people: Network that finds persons.
        items: Network that knows the classes already.
        cache: For converted networks.
        rules: The recipe's ``data``.
    """

    def __init__(self, people: Path, items: Path, cache: Path, rules: Mapping[str, float]) -> None:
        self._paths = people, items
        self._cache = cache
        self._rules = rules

    @cached_property
    def _people(self) -> Detector:
        # Loaded when a photograph needs it: renderings need no teacher.
        return load_pose_detector(
            self._paths[0],
            width=640,
            aspect=1.0,
            cache_dir=self._cache,
            confidence=self._rules["base_score"],
        )

    @cached_property
    def _items(self) -> ObjectDetector:
        return load_object_detector(
            self._paths[1],
            width=CROP_PX,
            cache_dir=self._cache,
            confidence=self._rules["teacher_unsure"],
            iou=0.7,
        )

    def persons(self, picture: Picture) -> FloatArray:
        """Boxes (N, 4) in pixels of the persons in a picture."""
        height, width = picture.shape[:2]
        found = self._people.detect([picture])[0]
        boxes: FloatArray = found.boxes * np.array([width, height] * 2, np.float32)
        return boxes

    def checked(
        self,
        labelled: Labelled,
        cuts: Sequence[Crop],
        crops: Sequence[Picture],
        items: Sequence[Items],
    ) -> list[Items | None]:
        """The labels of every crop after the teacher saw it; None where they are in doubt."""
        results: list[Items | None] = []
        for cut, crop, own, found in zip(
            cuts, crops, items, self._items.detect(crops), strict=True
        ):
            height, width = crop.shape[:2]
            seen = Items(boxes=found.boxes, classes=found.classes).scaled(width, height)
            unlabelled = ~_covered(seen, own, self._rules["same_item_iou"])
            sure = unlabelled & (found.scores >= self._rules["teacher_sure"])
            if labelled.source == CONSTRUCTION:
                results.append(None if sure.any() else own)
            elif self._doubtful(labelled, cut, own, seen, unlabelled, sure):
                results.append(None)
            else:
                results.append(_with(own, seen.kept(sure)))
        return results

    def _doubtful(
        self,
        labelled: Labelled,
        cut: Crop,
        own: Items,
        seen: Items,
        unlabelled: NDArray[np.bool_],
        sure: NDArray[np.bool_],
    ) -> bool:
        """Labels name only what is worn, so the teacher must be clear about what is missing."""
        missing = seen.classes % 2 == 1
        half_seen = unlabelled & missing & ~sure
        worn_unlabelled = sure & ~missing
        suits = Items(boxes=labelled.suits, classes=np.zeros(len(labelled.suits), np.int64))
        # Some labelled vests are plain work jackets.
        vests = own.kept(own.classes == _VEST)
        shown = seen.kept(seen.classes == _VEST)
        confirmed = _covered(vests, shown, self._rules["same_item_iou"])
        return bool(
            half_seen.any()
            or worn_unlabelled.any()
            or len(items_inside(suits, cut))
            or not confirmed.all()
        )


def _covered(some: Items, others: Items, iou: float) -> NDArray[np.bool_]:
    """Which of ``some`` overlap one of ``others`` that is about the same thing."""
    if not len(others):
        return np.zeros(len(some), np.bool_)
    same = _thing(some.classes)[:, None] == _thing(others.classes)[None]
    covered: NDArray[np.bool_] = ((overlaps(some.boxes, others.boxes) >= iou) & same).any(axis=1)
    return covered


def _thing(classes: IntArray) -> IntArray:
    """0: a head, 1: a torso."""
    return classes // 2


def _with(items: Items, more: Items) -> Items:
    return Items(
        boxes=np.concatenate([items.boxes, more.boxes]),
        classes=np.concatenate([items.classes, more.classes]),
    )
