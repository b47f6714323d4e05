"""What every detector of objects must do, whichever engine runs it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from safety.errors import ModelError
from safety.perception.detector import ObjectDetector
from safety.perception.devices import Engine
from safety.perception.load import load_object_detector
from tests.contracts.test_detectors import ENGINES
from tests.support.networks import POSE_CARD, PPE_CARD, write_network_for

CROP = np.full((200, 100, 3), 114, np.uint8)
"""Fills the middle 128 columns of a network of 256 px."""

SCRIPT = np.array(
    [
        [128, 40, 32, 32, 0.1, 0.8, 0.0, 0.0],
        [129, 41, 32, 32, 0.1, 0.7, 0.0, 0.0],
        [128, 40, 32, 32, 0.6, 0.1, 0.0, 0.0],
        [128, 128, 64, 80, 0.0, 0.0, 0.2, 0.9],
        [128, 128, 64, 80, 0.0, 0.0, 0.2, 0.1],
    ],
    np.float32,
)
"""A bare head twice, a hat at the same place, no vest, and something below the threshold."""


def _load(model: Path, engine: Engine, cache: Path, width: int = 256) -> ObjectDetector:
    return load_object_detector(
        model, width=width, backend=engine, device="cpu", cache_dir=cache, max_batch=3
    )


@pytest.fixture(scope="module", params=ENGINES)
def scripted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ObjectDetector]:
    folder = tmp_path_factory.mktemp("scripted")
    model = write_network_for(request.param, folder / "ppe", SCRIPT, card=PPE_CARD)
    detector = _load(model, request.param, folder)
    yield detector
    detector.close()


def test_says_what_it_is(scripted: ObjectDetector) -> None:
    assert scripted.names == ("hardhat", "no-hardhat", "vest", "no-vest")
    assert scripted.network_px == (256, 256)
    assert scripted.nonfinite_outputs == 0


@pytest.mark.parametrize("count", range(9))
def test_one_answer_per_picture(scripted: ObjectDetector, count: int) -> None:
    found = scripted.detect([CROP] * count)
    assert [objects.classes.tolist() for objects in found] == [[3, 1, 0]] * count


def test_answers_in_normalised_coordinates_best_first(scripted: ObjectDetector) -> None:
    (found,) = scripted.detect([CROP])
    assert found.scores == pytest.approx([0.9, 0.8, 0.6])
    # The crop is 128 px wide in the network and lies 64 px from its left edge.
    left, right = (128 - 16 - 64) / 128, (128 + 16 - 64) / 128
    assert found.boxes[1] == pytest.approx([left, 24 / 256, right, 56 / 256], abs=1e-6)
    assert found.boxes.dtype == found.scores.dtype == np.float32
    assert found.classes.dtype == np.int64


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (57, 33), (1080, 1920), (2000, 20)])
def test_takes_crops_of_any_size(scripted: ObjectDetector, size: tuple[int, int]) -> None:
    (found,) = scripted.detect([np.zeros((*size, 3), np.uint8)])
    assert found.boxes.min() >= 0
    assert found.boxes.max() <= 1


def test_refuses_what_is_no_picture_and_goes_on(scripted: ObjectDetector) -> None:
    with pytest.raises(ValueError, match="a picture is uint8"):
        scripted.detect([CROP, np.zeros((0, 5, 3), np.uint8)])
    assert len(scripted.detect([CROP])) == 1


def test_streams(scripted: ObjectDetector) -> None:
    waiting = [CROP] * 5
    found = list(scripted.stream(lambda: waiting.pop() if waiting else None))
    assert [len(objects) for objects in found] == [3] * 5


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_broken_numbers_are_dropped_and_counted(
    engine: Engine, broken: float, tmp_path: Path
) -> None:
    anchors = SCRIPT.copy()
    anchors[3, 7] = broken
    model = write_network_for(engine, tmp_path / "broken", anchors, card=PPE_CARD)
    detector = _load(model, engine, tmp_path)
    (found,) = detector.detect([CROP])
    assert found.classes.tolist() == [1, 0]
    assert detector.nonfinite_outputs == 2  # this crop, and the picture looked at while loading


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pose_network_finds_no_objects(engine: Engine, tmp_path: Path) -> None:
    nothing = np.zeros((3, 56), np.float32)
    model = write_network_for(engine, tmp_path / "pose", nothing, card=POSE_CARD)
    with pytest.raises(ModelError, match="its task is 'pose', not 'detect'") as refused:
        _load(model, engine, tmp_path)
    assert refused.value.key == "model.not_detect"


@pytest.mark.parametrize("width", [0, -32, 250])
def test_sizes_that_no_network_has(tmp_path: Path, width: int) -> None:
    with pytest.raises(ValueError, match="no network size"):
        _load(tmp_path / "ppe.onnx", ENGINES[0], tmp_path, width)
