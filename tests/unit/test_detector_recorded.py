"""The twin that replays recorded detections."""

from pathlib import Path

import numpy as np
import pytest

from safety.errors import ModelError
from safety.perception.recorded import RecordedDetector, read_recording, write_recording
from safety.types import Detections, Picture

PICTURE: Picture = np.zeros((36, 64, 3), np.uint8)


def _persons(count: int) -> Detections:
    numbers = np.random.default_rng(count)
    return Detections(
        boxes=numbers.random((count, 4), np.float32),
        scores=np.sort(numbers.random(count, np.float32))[::-1],
        classes=np.zeros(count, np.int64),
        keypoints=numbers.random((count, 17, 3), np.float32),
    )


def test_replays_in_order_and_starts_again() -> None:
    detector = RecordedDetector([_persons(n) for n in (0, 1, 2)], network_px=(640, 384))
    counts = [len(found) for found in detector.detect([PICTURE] * 2)]
    counts += [len(found) for found in detector.detect([PICTURE] * 3)]
    assert counts == [0, 1, 2, 0, 1]


def test_a_recording_survives_its_file(tmp_path: Path) -> None:
    recording = [_persons(n) for n in (2, 0, 3)]
    write_recording(tmp_path / "scene.jsonl", recording)
    read = list(read_recording(tmp_path / "scene.jsonl"))
    for before, after in zip(recording, read, strict=True):
        for name in ("boxes", "scores", "classes", "keypoints"):
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
            assert getattr(before, name).dtype == getattr(after, name).dtype


def test_an_empty_recording_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        RecordedDetector([], network_px=(640, 384))


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "{}",
        '{"boxes": [[0, 0, 1]], "scores": [1], "classes": [0], "keypoints": []}',
        '{"boxes": [[0, 0, 1, 1]], "scores": [1], "classes": [0], "keypoints": []}',
        '{"boxes": [["a", 0, 1, 1]], "scores": [], "classes": [], "keypoints": []}',
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bad.jsonl"
    write_recording(path, [_persons(1)])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(ModelError, match="line 2"):
        list(read_recording(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        list(read_recording(tmp_path / "nowhere.jsonl"))
