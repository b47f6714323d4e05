"""Pictures that vehicles are learned from and judged by.

Wider than what people are learned from: every copy of the forklift photographs (their mirrors,
cuts and colours are all true), and stills of our own making (``scripts/render``) in ``vehicles``
below the data folder, every eighth of which is set aside. Persons carry no label here.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from safety.training.dataset import Sample, read_folder
from safety.training.people_data import with_repeats

STILLS = "vehicles"
"""The stills' folder, and what they are called as a source."""

_LEFT_OUT = ("forklift", "ppe-syook")
"""Of the people's samples: those that come in all copies, and portraits without a floor."""

_SET_ASIDE = 8
"""One in so many stills is for validation."""


def training_samples(
    people: Iterable[Sample], data: Path, repeats: int, base: Path, out: Path
) -> list[Sample]:
    """What the vehicles' round learns from.

    Args:
        people: The people network's training samples.
        repeats: How often renderings with vehicles come.
        base: The network whose features tell which way up a photograph is.
        out: Takes the photographs that had to be turned.
    """
    known = [vehicles_only(sample) for sample in people]
    others = [sample for sample in known if sample.source not in _LEFT_OUT]
    right_way_up = [s.picture for s in known if s.source in ("ppe-construction", "ppe-syook")]
    photographs = _photographs(data)
    if photographs and right_way_up:
        from safety.training.upright import upright

        photographs = upright(photographs, right_way_up, base, out)
    return [*with_repeats(others, repeats), *photographs, *_stills(data, aside=False)]


def validation_samples(people: Iterable[Sample], data: Path) -> list[Sample]:
    """What it is judged by: the people network's validation samples, and stills set aside."""
    return [*map(vehicles_only, people), *_stills(data, aside=True)]


def vehicles_only(sample: Sample) -> Sample:
    """A sample without its persons."""
    return _kept(sample, sample.classes > 0, sample.classes)


def _photographs(data: Path) -> list[Sample]:
    """All copies. Their classes are forklift, person."""
    folder = data / "forklift"
    pictures = sorted((folder / "images" / "train").glob("*.*"))
    labels = [folder / "labels" / "train" / f"{path.stem}.txt" for path in pictures]
    samples = read_folder(pictures, labels, 2, "forklift") if pictures else []
    return [_kept(s, s.classes == 0, np.ones(len(s.classes), np.float32)) for s in samples]


def _stills(data: Path, *, aside: bool) -> list[Sample]:
    folder = data / STILLS
    pictures = sorted((folder / "images").glob("*.webp"))
    pictures = [path for path in pictures if (int(path.stem) % _SET_ASIDE == 0) == aside]
    labels = [folder / "labels" / f"{path.stem}.txt" for path in pictures]
    return read_folder(pictures, labels, 3, STILLS) if pictures else []


def _kept(sample: Sample, rows: np.ndarray, classes: np.ndarray) -> Sample:
    return Sample(
        picture=sample.picture,
        source=sample.source,
        classes=classes[rows].astype(np.float32),
        boxes=sample.boxes[rows],
        keypoints=sample.keypoints[rows],
    )
