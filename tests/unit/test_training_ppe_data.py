"""Which crops are cut from labelled pictures, and what the teacher does to their labels."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from safety.config import Settings
from safety.perception.models import find_ppe_model
from safety.training.needs import TrainingError
from safety.training.ppe_crops import crops_in, read_crop
from safety.training.ppe_data import CropBuilder, validation_crops
from safety.training.ppe_sources import labelled_pictures
from safety.training.ppe_teacher import Teacher
from safety.training.recipe import read_recipe
from tests.support.pictures import people_network
from tests.support.third_party import third_party

RECIPE = read_recipe("ppe")

Label = tuple[float, ...]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Teacher:
    cache = tmp_path_factory.mktemp("cache")
    return Teacher(people_network(), find_ppe_model(Settings(ppe_model=None)), cache, RECIPE.data)


def write_labels(path: Path, labels: Sequence[Label]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(" ".join(map(str, label)) for label in labels), encoding="utf-8")


def rendered(data: Path, part: str, people: Sequence[Label], items: Sequence[Label]) -> None:
    """One grey still of 200 by 400 pixels."""
    folder = data / "rendered"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    picture = np.full((200, 400, 3), 100, np.uint8)
    cv2.imwrite(str(folder / "images" / f"{part}.png"), picture)
    write_labels(folder / "labels_pose" / f"{part}.txt", people)
    write_labels(folder / "labels_ppe" / f"{part}.txt", items)
    (folder / f"{part}.txt").write_text(f"images/{part}.png\n", encoding="utf-8")


def built(data: Path, out: Path, source: str, teacher: Teacher) -> CropBuilder:
    builder = CropBuilder(out, RECIPE, teacher)
    for labelled in labelled_pictures(data, source, "train"):
        builder.add(labelled)
    return builder


def test_every_rendered_person_is_cut_twice_unless_too_small(
    tmp_path: Path, teacher: Teacher
) -> None:
    person, tiny, truck = (0, 0.25, 0.5, 0.1, 0.5), (0, 0.75, 0.5, 0.02, 0.1), (1, 0.5, 0.5, 1, 1)
    bare, vest = (1, 0.25, 0.3, 0.04, 0.08), (2, 0.25, 0.45, 0.08, 0.2)
    rendered(tmp_path, "train", [person, tiny, truck], [bare, vest])
    builder = built(tmp_path, tmp_path / "out", "rendered", teacher)
    digest = builder.save()
    exact, moved = (read_crop(path) for path in crops_in(tmp_path / "out"))
    # 40 x 100 px at (80, 50), grown by 12 % at the sides and the top and by 6 % below.
    assert exact[0].shape == (118, 50, 3)
    np.testing.assert_allclose(exact[1].boxes, [[17, 14, 33, 30], [9, 32, 41, 72]], atol=0.1)
    assert exact[1].classes.tolist() == moved[1].classes.tolist() == [1, 2]
    assert exact[0].shape != moved[0].shape
    weights = json.loads((tmp_path / "out" / "weights.json").read_text("utf-8"))
    assert sum(weights.values()) == pytest.approx(RECIPE.data["share_rendered"])
    assert len(digest) == 64


def test_crops_with_bare_heads_are_drawn_more_often(tmp_path: Path, teacher: Teacher) -> None:
    persons = [(0, x, 0.5, 0.1, 0.5) for x in (0.2, 0.5, 0.8)]
    rendered(tmp_path, "train", persons, [(1, 0.2, 0.3, 0.04, 0.08), (0, 0.5, 0.3, 0.04, 0.08)])
    builder = built(tmp_path, tmp_path / "out", "rendered", teacher)
    (weights,) = builder.weights.values()
    bare, hat, empty = (weights[f"rendered_train_{number}"] for number in range(3))
    assert bare > hat > empty > 0


def test_faulty_pictures_stop_the_preparation(tmp_path: Path, teacher: Teacher) -> None:
    rendered(tmp_path, "train", [(0, 0.25, 0.5, 0.1, 0.5)], [(9, 0.2, 0.3, 0.04, 0.08)])
    with pytest.raises(TrainingError, match="class 9"):
        built(tmp_path, tmp_path / "out", "rendered", teacher)


def test_sources_that_are_not_there_give_nothing(tmp_path: Path) -> None:
    for source in ("construction", "syook", "rendered"):
        assert list(labelled_pictures(tmp_path, source, "train")) == []


def test_validation_crops_are_as_labelled(tmp_path: Path) -> None:
    rendered(tmp_path, "val", [(0, 0.25, 0.5, 0.1, 0.5)], [])
    validation_crops(tmp_path, tmp_path / "crops", 26)
    (path,) = crops_in(tmp_path / "crops" / "val_rendered")
    assert read_crop(path)[0].shape == (118, 50, 3)


@pytest.mark.third_party
def test_hats_that_nobody_labelled_take_a_crop_out(tmp_path: Path, teacher: Teacher) -> None:
    """A worker with hat and vest: complete labels stay, those without the hat are in doubt."""
    source = third_party("data/ppe-construction/images/val")
    labels = source.parents[1] / "labels" / "val"
    folder = tmp_path / "ppe-construction"
    kept: dict[str, int] = {}
    for name, without in (("whole", ()), ("hatless", (0.0,))):
        images = folder / "images" / "train"
        images.mkdir(parents=True, exist_ok=True)
        for old in (*images.iterdir(), *(folder / "labels" / "train").glob("*")):
            old.unlink()
        for path in sorted(source.glob("*.webp"))[:16]:
            (images / path.name).write_bytes(path.read_bytes())
            lines = (labels / f"{path.stem}.txt").read_text("utf-8").splitlines()
            rows = [tuple(map(float, line.split())) for line in lines if line.strip()]
            write_labels(
                folder / "labels" / "train" / f"{path.stem}.txt",
                [(int(row[0]), *row[1:]) for row in rows if row[0] not in without],
            )
        builder = built(tmp_path, tmp_path / name, "construction", teacher)
        kept[name] = builder.counts["construction written"]
        assert builder.counts["construction cut"] > 10
    assert kept["hatless"] < 0.9 * kept["whole"]
