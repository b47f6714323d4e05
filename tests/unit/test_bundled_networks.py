"""The networks in the package: there, as listed, small enough, with cards, and they see people."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from safety.config import Settings
from safety.demo import SITE
from safety.perception.bundle import FOLDER, shipped
from safety.perception.devices import Engine
from safety.perception.load import load_object_detector, load_pose_detector
from safety.perception.models import find_pose_model, find_ppe_model, read_card
from safety.types import ObjectClass, Picture
from tests.support.pictures import film_frames

Find = Callable[[Settings], Path]

SETTINGS = Settings(pose_model=None, ppe_model=None)
LARGEST_BYTES = 8_000_000
ENGINES: tuple[Engine, ...] = ("openvino", "onnxruntime")


def test_the_list_is_what_is_there() -> None:
    """Run scripts/model_checksums.py after every change of a network in the package."""
    files = sorted(FOLDER.glob("*.onnx"))
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert there == {name: entry.sha256 for name, entry in shipped().items()}
    assert {find_pose_model(SETTINGS).name, find_ppe_model(SETTINGS).name} <= set(there)


@pytest.mark.parametrize("find", [find_pose_model, find_ppe_model])
def test_each_is_small_and_has_a_card_and_a_licence(find: Find) -> None:
    path = find(SETTINGS)
    assert path.stat().st_size <= LARGEST_BYTES
    assert path.with_suffix(".md").stat().st_size > 1000
    assert shipped()[path.name].licence == "AGPL-3.0-or-later"


def test_their_classes_are_ours() -> None:
    people, equipment = (read_card(find(SETTINGS)) for find in (find_pose_model, find_ppe_model))
    assert people.task == "pose"
    assert set(people.names) == {kind.value for kind in ObjectClass}
    assert equipment.task == "detect"
    assert set(equipment.names) >= {"hardhat", "no-hardhat", "vest", "no-vest"}


@pytest.mark.parametrize("engine", ENGINES)
def test_people_are_seen_in_the_demo(engine: Engine, tmp_path: Path) -> None:
    detector = load_pose_detector(
        find_pose_model(SETTINGS), width=640, aspect=16 / 9, backend=engine, cache_dir=tmp_path
    )
    frames = film_frames(SITE.parent / "scenes" / "cell_intrusion.mp4", [3.0, 6.0, 8.0])
    for found in detector.detect(frames):
        persons = found.classes == list(ObjectClass).index(ObjectClass.PERSON)
        assert persons.sum() >= 1
        assert found.scores[persons].max() > 0.4
    detector.close()


def test_a_picture_that_comes_while_others_are_looked_at_need_not_wait(tmp_path: Path) -> None:
    """Two are under way, then nothing is there for a moment, then a third comes."""
    detector = load_pose_detector(
        find_pose_model(SETTINGS), width=640, aspect=16 / 9, backend="openvino",
        device="cpu", cache_dir=tmp_path,
    )  # fmt: skip
    grey: Picture = np.full((360, 640, 3), 114, np.uint8)
    coming: list[Picture | None] = [grey, grey, None, grey]
    log: list[str] = []

    def take() -> Picture | None:
        picture = coming.pop(0) if coming else None
        log.append("nothing" if picture is None else "given")
        return picture

    for _ in detector.stream(take):
        log.append("found")
    detector.close()
    assert log[:4] == ["given", "given", "nothing", "given"], "before the first was found"
    assert log.count("found") == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_equipment_is_looked_for_in_every_engine(engine: Engine, tmp_path: Path) -> None:
    detector = load_object_detector(
        find_ppe_model(SETTINGS), width=256, backend=engine, cache_dir=tmp_path
    )
    crops = [np.full((side, 90, 3), 114, np.uint8) for side in (60, 256, 400)]
    assert [len(found) for found in detector.detect(crops)] == [0, 0, 0]
    assert detector.nonfinite_outputs == 0
    detector.close()
