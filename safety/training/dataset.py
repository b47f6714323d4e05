"""Pictures and their labels: read, and checked before hours of training depend on them."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from safety.training.needs import TrainingError
from safety.types import KEYPOINTS, FloatArray, Picture

_POSE = 3 * len(KEYPOINTS)

_SHOWN = 20
"""Faults that one report names; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One picture with its labels; row i of every array is one object.

    Attributes:
        picture: Path of the picture.
        source: Which data set it comes from.
        classes: (N,) class numbers.
        boxes: (N, 4) middle x, middle y, width, height, normalised.
        keypoints: (N, 17, 3) x, y normalised, visibility: 2 visible, 1 hidden, 0 not there,
            -1 unknown; all zero for data without keypoints.
    """

    picture: Path
    source: str
    classes: FloatArray
    boxes: FloatArray
    keypoints: FloatArray


@dataclass(slots=True)
class Faults:
    """What is wrong with a data set, file by file."""

    lines: list[str] = field(default_factory=list)

    def add(self, path: Path, what: str) -> None:
        """Note one fault."""
        self.lines.append(f"{path}: {what}")

    def check(self) -> None:
        """Refuse the data set if there was any fault.

        Raises:
            TrainingError: Names the files and what to do.
        """
        if self.lines:
            shown = "\n  ".join(self.lines[:_SHOWN])
            more = len(self.lines) - _SHOWN
            raise TrainingError(
                "training.bad_data",
                "the data set has {count} faults; mend or remove these files:\n  {shown}{more}",
                count=len(self.lines),
                shown=shown,
                more=f"\n  and {more} more" if more > 0 else "",
            )


def read_picture(path: Path) -> Picture | None:
    """A picture file as RGB; None if it cannot be decoded."""
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None
    pixels = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    return None if pixels is None else np.ascontiguousarray(pixels[..., ::-1]).astype(np.uint8)


def read_labels(path: Path, classes: int, faults: Faults) -> FloatArray:
    """A YOLO label file: one object per line.

    Args:
        classes: How many classes there are; numbers from 0.
        faults: Takes what is wrong with the file.

    Returns:
        (N, 5) or (N, 56): class, middle x, middle y, width, height, 17 times x, y, visibility.
        An empty file means a picture without objects.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        faults.add(path, f"no label file ({type(error).__name__}); an empty one means: no objects")
        return np.zeros((0, 5), np.float32)
    rows = []
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), start=1):
        fault = _fault(line, classes)
        if fault is None:
            rows.append([float(value) for value in line.split()])
        else:
            faults.add(path, f"line {number}: {fault}")
    if len({len(row) for row in rows}) > 1:
        faults.add(path, "some lines have keypoints and others have none")
        return np.zeros((0, 5), np.float32)
    return np.array(rows, np.float32).reshape(len(rows), -1 if rows else 5)


def _fault(line: str, classes: int) -> str | None:
    """What is wrong with one label; None if nothing is."""
    try:
        row = np.array([float(value) for value in line.split()])
    except ValueError:
        return "holds something that is no number"
    if len(row) not in (5, 5 + _POSE):
        return f"has {len(row)} numbers, not 5 (box) or {5 + _POSE} (box and 17 keypoints)"
    if not np.isfinite(row).all():
        return "holds a number that is not finite"
    if row[0] != int(row[0]) or not 0 <= row[0] < classes:
        return f"has the class {row[0]:g}; known are 0 to {classes - 1}"
    if row[1:5].min() < 0 or row[1:5].max() > 1:
        return "has a box outside 0-1; coordinates are shares of the picture, not pixels"
    if row[3] <= 0 or row[4] <= 0:
        return "has a box without area"
    if len(row) > 5 and not set(row[7::3]) <= {0, 1, 2}:
        return "has a keypoint visibility other than 0, 1, 2"
    return None


def read_folder(
    pictures: Sequence[Path], labels: Sequence[Path], classes: int, source: str
) -> list[Sample]:
    """Samples from YOLO files, all checked, pictures included.

    Raises:
        TrainingError: Any file is missing, damaged or impossible; names all of them.
    """
    faults = Faults()
    samples = []
    if not pictures:
        faults.add(Path(source), "there are no pictures")
    for picture, label in zip(pictures, labels, strict=True):
        rows = read_labels(label, classes, faults)
        if read_picture(picture) is None:
            faults.add(picture, "cannot be decoded (empty, damaged or no picture)")
        samples.append(_sample(picture, source, rows))
    faults.check()
    return samples


def _sample(picture: Path, source: str, rows: FloatArray) -> Sample:
    keypoints = np.zeros((len(rows), len(KEYPOINTS), 3), np.float32)
    if rows.shape[1] > 5:
        keypoints = rows[:, 5:].reshape(-1, len(KEYPOINTS), 3)
    return Sample(
        picture=picture,
        source=source,
        classes=rows[:, 0],
        boxes=rows[:, 1:5],
        keypoints=keypoints,
    )


def write_list(path: Path, samples: Iterable[Sample], root: Path) -> str:
    """Keep a list of samples as JSON lines.

    Pictures are relative to ``root``, or to the list where they lie beside it, so that the same
    samples give the same file on every machine.

    Returns:
        SHA-256 of the file: which pictures and labels a network was trained with.
    """
    lines = []
    for sample in samples:
        row = {
            "picture": _named(sample.picture, path.parent, root),
            "source": sample.source,
            "classes": sample.classes.astype(int).tolist(),
            "boxes": sample.boxes.round(6).astype(float).tolist(),
            "keypoints": sample.keypoints.round(5).astype(float).tolist(),
        }
        lines.append(json.dumps(row))
    content = ("\n".join(lines) + "\n").encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


_BESIDE = "./"
"""Begins the names of pictures that lie beside the list."""


def _named(picture: Path, beside: Path, root: Path) -> str:
    if picture.is_relative_to(root):
        return picture.relative_to(root).as_posix()
    if picture.is_relative_to(beside):
        return _BESIDE + picture.relative_to(beside).as_posix()
    return picture.as_posix()


def read_list(path: Path, root: Path) -> list[Sample]:
    """What ``write_list`` wrote."""
    samples = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        folder = path.parent if row["picture"].startswith(_BESIDE) else root
        samples.append(
            Sample(
                picture=folder / row["picture"],
                source=row["source"],
                classes=np.array(row["classes"], np.float32),
                boxes=np.array(row["boxes"], np.float32).reshape(-1, 4),
                keypoints=np.array(row["keypoints"], np.float32).reshape(-1, len(KEYPOINTS), 3),
            )
        )
    return samples
