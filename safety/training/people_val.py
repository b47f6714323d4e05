"""Figures of the people network, computed with the detectors that the product runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from safety.perception.detector import Detector
from safety.perception.letterbox import network_size
from safety.perception.load import load_pose_detector
from safety.training.dataset import Sample, read_picture
from safety.training.people_ap import PoseAp
from safety.training.people_metrics import Tally, matches
from safety.training.people_pseudo import PERSON, overlaps, to_corners
from safety.training.people_scenes import SceneFrame, scene_frames, scene_names
from safety.types import Detections, ObjectClass, Picture

CONFIDENCE = 0.25
"""The operating threshold: what scores less is not reported."""

_LOW = 0.01
"""Average precision looks at all scores down to this."""

HEIGHTS_PX = ((0, 24), (24, 48), (48, 96), (96, 10_000))
"""Person heights in pixels of the network's input."""

_NOBODY_IOU = 0.1
"""A report that overlaps nobody by this much is a false person, not a misplaced one."""


@dataclass(slots=True)
class Figures:
    """Everything that is measured on one set of pictures."""

    classes: tuple[Tally, ...] = field(default_factory=lambda: tuple(Tally() for _ in ObjectClass))
    heights: tuple[Tally, ...] = field(default_factory=lambda: tuple(Tally() for _ in HEIGHTS_PX))
    lying: Tally = field(default_factory=Tally)
    ap: PoseAp = field(default_factory=PoseAp)
    nobody: int = 0

    def count(self, sample: Sample, found: Detections, picture: Picture, width: int) -> Detections:
        """Add one picture.

        Returns:
            What is left above the operating threshold.
        """
        aspect = picture.shape[1] / picture.shape[0]
        self.ap.count(sample, found, aspect)
        reported = _above(found, CONFIDENCE)
        for number, tally in enumerate(self.classes):
            tally.count(sample, reported, number, aspect)
        scale = min(width / picture.shape[1], network_size(width, aspect)[1] / picture.shape[0])
        heights = sample.boxes[:, 3] * picture.shape[0] * scale
        hits = _hits(sample, reported)
        for row, hit in hits.items():
            for (low, high), tally in zip(HEIGHTS_PX, self.heights, strict=True):
                if low <= heights[row] < high:
                    _add(tally, hit)
        return reported

    def summary(self) -> dict[str, Any]:
        """As plain numbers."""
        persons = self.classes[PERSON]
        result: dict[str, Any] = {
            "persons": persons.hits + persons.misses,
            "recall": persons.recall,
            "precision": persons.precision,
            "oks": persons.oks,
            "pose_ap": self.ap.value,
            "false_persons": self.nobody,
        }
        for (low, high), tally in zip(HEIGHTS_PX, self.heights, strict=True):
            name = f"{low}+" if high > 1000 else f"{low}-{high}"
            result[f"recall {name} px"] = [tally.hits, tally.hits + tally.misses]
        if self.lying.hits + self.lying.misses:
            result["lying"] = [self.lying.hits, self.lying.hits + self.lying.misses]
        for number, kind in list(enumerate(ObjectClass))[1:]:
            tally = self.classes[number]
            if tally.hits + tally.misses + tally.false:
                result[kind.value] = [tally.hits, tally.hits + tally.misses, tally.false]
        return result


class Judge:
    """One network file at one width, as the product runs it; opened once per aspect."""

    def __init__(self, model: Path, width: int, cache: Path, backend: str = "auto") -> None:
        self._model, self._width, self._cache, self._backend = model, width, cache, backend
        self._open: dict[tuple[int, int], Detector] = {}

    def find(self, picture: Picture) -> Detections:
        """Everything down to low scores."""
        aspect = picture.shape[1] / picture.shape[0]
        size = network_size(self._width, aspect)
        if size not in self._open:
            self._open[size] = load_pose_detector(
                self._model,
                width=self._width,
                aspect=aspect,
                backend=self._backend,  # type: ignore[arg-type]
                cache_dir=self._cache,
                confidence=_LOW,
            )
        return self._open[size].detect([picture])[0]

    def pictures(self, samples: Iterable[Sample]) -> Mapping[str, Figures]:
        """Figures per source."""
        figures: dict[str, Figures] = {}
        for sample in samples:
            picture = read_picture(sample.picture)
            if picture is not None:
                found = self.find(picture)
                figures.setdefault(sample.source, Figures()).count(
                    sample, found, picture, self._width
                )
        return figures

    def scenes(self, folder: Path) -> Mapping[str, Figures]:
        """Figures per scene."""
        figures: dict[str, Figures] = {}
        for name in scene_names(folder):
            figures[name] = Figures()
            for frame in scene_frames(folder / name):
                found = self.find(frame.picture)
                reported = figures[name].count(frame.sample, found, frame.picture, self._width)
                _count_scene(figures[name], frame, reported)
        return figures

    def close(self) -> None:
        """Free the engines."""
        for detector in self._open.values():
            detector.close()
        self._open.clear()


def _count_scene(figures: Figures, frame: SceneFrame, reported: Detections) -> None:
    """Lying people, and persons where there is nobody."""
    hits = _hits(frame.sample, reported)
    for row, lies in enumerate(frame.lying):
        if lies:
            _add(figures.lying, hits[row])
    persons = reported.boxes[reported.classes == PERSON]
    near = overlaps(persons, frame.anyone).max(axis=1, initial=0.0)
    figures.nobody += int((near < _NOBODY_IOU).sum())


def _hits(sample: Sample, reported: Detections) -> dict[int, bool]:
    """For every row of the sample that is a person: whether it was found."""
    rows = np.flatnonzero(sample.classes == PERSON)
    boxes = to_corners(sample.boxes[rows])
    pairs = matches(boxes, reported.boxes[reported.classes == PERSON])
    found = {row for row, _ in pairs}
    return {int(row): number in found for number, row in enumerate(rows)}


def _add(tally: Tally, hit: bool) -> None:
    tally.hits += hit
    tally.misses += not hit


def _above(found: Detections, confidence: float) -> Detections:
    kept = found.scores > confidence
    return Detections(
        boxes=found.boxes[kept],
        scores=found.scores[kept],
        classes=found.classes[kept],
        keypoints=found.keypoints[kept],
    )
