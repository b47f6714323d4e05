"""Our reading of the network agrees with Ultralytics' own ``predict`` on the same weights."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from safety.perception.devices import Engine
from safety.perception.letterbox import network_size
from safety.perception.load import load_object_detector, load_pose_detector
from safety.types import Detections, FloatArray, Picture
from tests.support.peers import ultralytics_assets, ultralytics_predict
from tests.support.pictures import POSE_MODEL, shared_pictures
from tests.support.third_party import third_party

pytestmark = [pytest.mark.peers, pytest.mark.third_party]

LEAST_IOU = 0.999
MOST_PX = 0.1
"""Keypoints, in pixels of the network's input. The product promises 0.98 and 1 px; what was
measured over 240 pictures is 1.0000 and 0.002 px, so anything wider would hide a fault."""

MOST_SCORE = 0.001


class Compared(NamedTuple):
    """One picture as both see it."""

    name: str
    picture: Picture
    network_px: tuple[int, int]
    theirs: dict[str, Any]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> list[Compared]:
    model = third_party(POSE_MODEL)
    pictures = shared_pictures(per_source=6) | ultralytics_assets()
    sizes = [network_size(640, _aspect(picture)) for picture in pictures.values()]
    folder = tmp_path_factory.mktemp("ultralytics")
    theirs = ultralytics_predict(model, list(pictures.values()), sizes, folder)
    rows = zip(pictures, pictures.values(), sizes, theirs, strict=True)
    return [Compared(*row) for row in rows]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_agrees_with_ultralytics_predict(
    backend: Any, compared: list[Compared], tmp_path_factory: pytest.TempPathFactory
) -> None:
    cache = tmp_path_factory.mktemp("models")
    persons = 0
    for entry, ours in _detect_all(compared, backend, cache):
        assert len(ours) == len(entry.theirs["boxes"]), _counts(entry, ours)
        persons += len(ours)
        for row in range(len(ours)):
            _assert_same_person(entry, ours, row)
    assert persons > 50


def test_agrees_with_ultralytics_on_crops(tmp_path: Path) -> None:
    """Protective equipment on people cut out of larger pictures, at a network size of its own."""
    model = third_party("models/ppe-pilot.pt")
    crops = _crops(shared_pictures(per_source=4), tmp_path)
    sizes = [(256, 256)] * len(crops)
    everything = ultralytics_predict(model, crops, sizes, tmp_path, iou=0.5)
    engines: tuple[Engine, ...] = ("openvino", "onnxruntime")
    for engine in engines:
        detector = load_object_detector(model, width=256, backend=engine, cache_dir=tmp_path)
        for crop, ours, theirs in zip(crops, detector.detect(crops), everything, strict=True):
            boxes = ours.boxes * np.tile(np.array(crop.shape[1::-1], np.float32), 2)
            assert ours.classes.tolist() == theirs["classes"]
            assert ours.scores == pytest.approx(theirs["scores"], abs=MOST_SCORE)
            assert boxes == pytest.approx(np.reshape(theirs["boxes"], (-1, 4)), abs=0.5)
        detector.close()
    assert sum(len(theirs["boxes"]) for theirs in everything) > 50


def _crops(pictures: dict[str, Picture], cache: Path) -> list[Picture]:
    """The people in the pictures, with some room around them."""
    detector = load_pose_detector(
        third_party(POSE_MODEL), width=640, aspect=4 / 3, backend="openvino", cache_dir=cache
    )
    crops = []
    for picture, found in zip(
        pictures.values(), detector.detect(list(pictures.values())), strict=True
    ):
        size = np.tile(np.array(picture.shape[1::-1], np.float32), 2)
        for left, top, right, bottom in (found.boxes * size).astype(int).tolist():
            crop = picture[max(top - 10, 0) : bottom + 5, max(left - 10, 0) : right + 10]
            crops.append(np.ascontiguousarray(crop))
    detector.close()
    return crops


def _detect_all(
    compared: list[Compared], backend: Any, cache: Path
) -> Iterator[tuple[Compared, Detections]]:
    for size in sorted({entry.network_px for entry in compared}):
        entries = [entry for entry in compared if entry.network_px == size]
        detector = load_pose_detector(
            third_party(POSE_MODEL),
            width=size[0],
            aspect=size[0] / size[1],
            backend=backend,
            cache_dir=cache,
        )
        assert detector.network_px == size
        found = detector.detect([entry.picture for entry in entries])
        yield from zip(entries, found, strict=True)
        detector.close()


def _assert_same_person(entry: Compared, ours: Detections, row: int) -> None:
    """Row for row: both are sorted by score, and the same persons have the same scores."""
    size = np.array(entry.picture.shape[1::-1], np.float32)
    their_box = np.array(entry.theirs["boxes"], np.float32)[row]
    iou = _iou(ours.boxes[row] * np.tile(size, 2), their_box)
    assert iou >= LEAST_IOU, f"{entry.name}: box {row} overlaps by {iou:.4f}"
    assert ours.scores[row] == pytest.approx(entry.theirs["scores"][row], abs=MOST_SCORE)
    theirs = np.array(entry.theirs["keypoints"], np.float32)[row]
    scale = min(entry.network_px[0] / size[0], entry.network_px[1] / size[1])
    distance = np.abs(ours.keypoints[row, :, :2] * size - theirs[:, :2]).max() * scale
    assert distance <= MOST_PX, f"{entry.name}: person {row} keypoints {distance:.2f} px apart"
    assert ours.keypoints[row, :, 2] == pytest.approx(theirs[:, 2], abs=0.01)


def _counts(entry: Compared, ours: Detections) -> str:
    return f"{entry.name}: ours {ours.scores.round(3)}, theirs {entry.theirs['scores']}"


def _aspect(picture: Picture) -> float:
    return float(picture.shape[1] / picture.shape[0])


def _iou(ours: FloatArray, theirs: FloatArray) -> float:
    first, last = np.maximum(ours[:2], theirs[:2]), np.minimum(ours[2:], theirs[2:])
    shared = float(np.prod((last - first).clip(min=0)))
    areas = float(np.prod(ours[2:] - ours[:2]) + np.prod(theirs[2:] - theirs[:2]))
    return shared / (areas - shared)
