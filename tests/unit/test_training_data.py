"""Data sets are checked before hours of training depend on them."""

from pathlib import Path

import numpy as np
import pytest

from safety.training.dataset import Sample, read_folder, read_list, write_list
from safety.training.needs import TrainingError, require
from safety.training.people_data import one_per_stem, prepare
from safety.training.recipe import read_recipe
from safety.training.train import train
from tests.support.pictures import write_picture

GREY = np.full((40, 60, 3), 114, np.uint8)
POSE = " ".join(["0.5 0.5 2"] * 17)


def folder_with(folder: Path, label: str | None, picture: bytes | None = None) -> Path:
    path = folder / "one.png"
    write_picture(path, GREY)
    if picture is not None:
        path.write_bytes(picture)
    if label is not None:
        path.with_suffix(".txt").write_text(label)
    return path


def read(path: Path) -> list[Sample]:
    return read_folder([path], [path.with_suffix(".txt")], classes=3, source="test")


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        (None, "no label file"),
        ("0 0.5 0.5 0.2", "has 4 numbers"),
        ("0 0.5 0.5 0.2 wide", "no number"),
        ("0 0.5 0.5 0.2 nan", "not finite"),
        ("3 0.5 0.5 0.2 0.2", "class 3; known are 0 to 2"),
        ("-1 0.5 0.5 0.2 0.2", "class -1"),
        ("0.5 0.5 0.5 0.2 0.2", "class 0.5"),
        ("0 320 240 64 48", "outside 0-1"),
        ("0 0.5 0.5 -0.2 0.2", "outside 0-1"),
        ("0 0.5 0.5 0 0.2", "without area"),
        (f"0 0.5 0.5 0.2 0.2 {POSE[:-1]}7", "visibility"),
        (f"0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2 {POSE}", "some lines have keypoints"),
        ("0 0.5 0.5 0.2 0.2\n1 2 2 2 2", "line 2"),
    ],
)
def test_faulty_labels_are_refused(tmp_path: Path, label: str | None, fault: str) -> None:
    path = folder_with(tmp_path, label)
    with pytest.raises(TrainingError, match="mend or remove") as error:
        read(path)
    assert fault in str(error.value)
    assert str(path.with_suffix(".txt")) in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n"])
def test_pictures_that_cannot_be_decoded_are_refused(tmp_path: Path, content: bytes) -> None:
    path = folder_with(tmp_path, "", content)
    with pytest.raises(TrainingError, match="cannot be decoded") as error:
        read(path)
    assert str(path) in str(error.value)


def test_one_report_names_every_fault(tmp_path: Path) -> None:
    pictures = [tmp_path / f"{number}.png" for number in range(30)]
    labels = [path.with_suffix(".txt") for path in pictures]
    with pytest.raises(TrainingError, match="60 faults") as error:
        read_folder(pictures, labels, classes=3, source="test")
    assert "and 40 more" in str(error.value)
    assert error.value.params["count"] == 60


def test_good_labels_are_read(tmp_path: Path) -> None:
    sample = read(folder_with(tmp_path, f"0 0.5 0.5 0.2 0.4 {POSE}\n"))[0]
    assert sample.classes.tolist() == [0]
    assert sample.boxes.ravel() == pytest.approx([0.5, 0.5, 0.2, 0.4])
    assert sample.keypoints.shape == (1, 17, 3)
    empty = read(folder_with(tmp_path, ""))[0]
    assert empty.boxes.shape == (0, 4)


def test_no_pictures_is_a_fault() -> None:
    with pytest.raises(TrainingError, match="no pictures"):
        read_folder([], [], classes=3, source="test")


def test_lists_keep_samples(tmp_path: Path) -> None:
    sample = read(folder_with(tmp_path, f"2 0.5 0.5 0.2 0.4 {POSE}\n"))[0]
    digest = write_list(tmp_path / "list.jsonl", [sample, sample], tmp_path)
    again = read_list(tmp_path / "list.jsonl", tmp_path)
    assert len(again) == 2
    assert again[0].picture == sample.picture
    assert again[0].keypoints == pytest.approx(sample.keypoints)
    assert digest == write_list(tmp_path / "other.jsonl", again, tmp_path)


def test_copies_of_a_photograph_count_once() -> None:
    names = ["b_jpg-2.webp", "a_jpg-1.webp", "b_jpg-1.webp", "-7-_jpg-3.webp", "-7-_jpg-2.webp"]
    chosen = one_per_stem([Path(name) for name in names])
    assert [path.name for path in chosen] == ["-7-_jpg-2.webp", "a_jpg-1.webp", "b_jpg-1.webp"]


def test_a_folder_without_data_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds none of the data sets"):
        prepare(read_recipe("people"), tmp_path / "data", tmp_path / "out")


@pytest.mark.parametrize("name", ["people", "ppe"])
def test_bundled_recipes_are_valid(name: str) -> None:
    assert read_recipe(name).name == name


def test_unknown_recipes_are_refused() -> None:
    with pytest.raises(TrainingError, match="no recipe poeple; use people or ppe"):
        read_recipe("poeple")


@pytest.mark.parametrize("text", ["name: x", "{", "- 1"])
def test_recipes_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(TrainingError, match="cannot be used"):
        read_recipe(str(path))


def test_what_is_not_installed_is_named() -> None:
    with pytest.raises(TrainingError, match=r"no_such_package.*pip install anjeon\[train\]"):
        require("json", "no_such_package")


def test_training_without_pytorch_says_what_to_install(tmp_path: Path) -> None:
    pytest.importorskip("safety")
    try:
        import torch  # noqa: F401
    except ImportError:
        with pytest.raises(TrainingError, match=r"anjeon\[train\]"):
            train("people", data=tmp_path, out=tmp_path)
    else:
        pytest.skip("PyTorch is installed here")
