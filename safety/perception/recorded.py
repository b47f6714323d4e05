"""The detector's twin: replays detections that were recorded, without any network."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from safety.errors import ModelError
from safety.perception.detector import Take, in_batches
from safety.perception.letterbox import fit
from safety.types import Detections, ObjectClass, Picture


class RecordedDetector:
    """Answers picture after picture with the recorded detections, and starts again at the end.

    The same calls in the same order give the same answers. It never looks at a picture's
    content, only that it is one.

    Args:
        recording: One entry per picture.
        network_px: The width and height that it pretends to have.

    Raises:
        ValueError: The recording is empty.
    """

    names = tuple(kind.value for kind in ObjectClass)
    backend = "recorded"
    nonfinite_outputs = 0

    def __init__(self, recording: Iterable[Detections], *, network_px: tuple[int, int]) -> None:
        self.network_px = network_px
        self._recording = tuple(recording)
        if not self._recording:
            raise ValueError("a recording needs at least one entry")
        self._next = 0

    def detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        for picture in pictures:
            fit(picture, self.network_px)
        first, self._next = self._next, self._next + len(pictures)
        return [self._recording[i % len(self._recording)] for i in range(first, self._next)]

    def stream(self, take: Take) -> Iterator[Detections]:
        return in_batches(self.detect, take, 1)

    def close(self) -> None:
        """Nothing to free."""


def write_recording(path: Path, recording: Iterable[Detections]) -> None:
    """Keep detections as JSON lines, one picture per line."""
    with path.open("w", encoding="utf-8") as file:
        for detections in recording:
            arrays = {name: getattr(detections, name).tolist() for name in _SHAPES}
            file.write(json.dumps(arrays) + "\n")


def read_recording(path: Path) -> Iterator[Detections]:
    """The detections of a file, in order.

    Raises:
        ModelError: The file is missing, or a line is no detections; the message says which.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, 0, str(error)) from error
    for number, line in enumerate(lines, start=1):
        try:
            yield _detections(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise _unreadable(path, number, str(error)) from error


_SHAPES: dict[str, tuple[int, ...]] = {
    "boxes": (-1, 4),
    "scores": (-1,),
    "classes": (-1,),
    "keypoints": (-1, 17, 3),
}


def _detections(values: dict[str, list[object]]) -> Detections:
    arrays = {name: np.array(values[name]).reshape(shape) for name, shape in _SHAPES.items()}
    return Detections(
        boxes=arrays["boxes"].astype(np.float32),
        scores=arrays["scores"].astype(np.float32),
        classes=arrays["classes"].astype(np.int64),
        keypoints=arrays["keypoints"].astype(np.float32),
    )


def _unreadable(path: Path, line: int, why: str) -> ModelError:
    return ModelError(
        "model.recording",
        "the recording {path}, line {line}, cannot be read ({why}); record it again",
        path=str(path),
        line=line,
        why=why,
    )
