"""Crops, augmentation and average precision for training the PPE network."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety.perception.detector import Objects
from safety.perception.ppe import Crop
from safety.training.needs import TrainingError
from safety.training.ppe_augment import Augmentation
from safety.training.ppe_crops import (
    NAMES,
    Items,
    crops_in,
    cuts,
    items_inside,
    pixels,
    read_crop,
    write_crop,
)
from safety.training.ppe_scores import average_precision
from safety.training.recipe import read_recipe
from safety.types import FloatArray, Picture

RECIPE = read_recipe("ppe")
STILL = {
    "degrade": 0.0, "scale_low": 1.0, "scale_high": 1.0, "shift": 0.0, "turn_degrees": 0.0,
    "quarter_turn": 0.0, "flip": 0.0, "hue": 0.0, "saturation": 0.0, "brightness": 0.0,
    "grey": 0.0, "least_visible": 0.4, "least_px": 3.0,
}  # fmt: skip


def items(*rows: tuple[float, float, float, float, int]) -> Items:
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Items(boxes=table[:, :4], classes=table[:, 4].astype(np.int64))


def objects(*rows: tuple[float, float, float, float, int, float]) -> Objects:
    table = np.array(sorted(rows, key=lambda row: -row[5]), np.float32).reshape(-1, 6)
    return Objects(boxes=table[:, :4], scores=table[:, 5], classes=table[:, 4].astype(np.int64))


def person_with_red_hat(width: int, height: int) -> tuple[Picture, Items]:
    """A grey picture with a red block as the hat."""
    picture = np.full((height, width, 3), 90, np.uint8)
    left, top, right, bottom = width // 3, height // 8, 2 * width // 3, height // 3
    picture[top:bottom, left:right] = (255, 0, 0)
    return picture, items((left, top, right, bottom, 0))


def redness(picture: Picture) -> FloatArray:
    """(height, width) how much more red than green."""
    wide = picture.astype(np.float32)
    return wide[..., 0] - wide[..., 1]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((10, 10, 20, 20), [5, 5, 15, 15]),
        ((0, 10, 9, 20), [0, 5, 4, 15]),  # 4 of 9 columns are inside: kept, cut at the edge
        ((0, 10, 8, 20), None),  # 3 of 8 are: left out
        ((60, 60, 70, 70), None),
    ],
)
def test_items_are_labelled_where_enough_of_them_is_in_the_crop(
    box: tuple[int, int, int, int], expected: list[int] | None
) -> None:
    inside = items_inside(items((*box, 2)), Crop(5, 5, 45, 45))
    assert inside.boxes.tolist() == ([] if expected is None else [expected])


def test_crops_are_those_of_the_product() -> None:
    picture = np.zeros((400, 200, 3), np.uint8)
    (cut,) = cuts(picture, np.array([[50, 100, 150, 300]], np.float32))
    assert (cut.left, cut.top, cut.right, cut.bottom) == (38, 76, 162, 312)
    assert pixels(picture, cut).shape == (236, 124, 3)


def test_a_crop_comes_back_as_it_was_written(tmp_path: Path) -> None:
    picture, labelled = person_with_red_hat(90, 160)
    write_crop(tmp_path, "one", picture, labelled)
    write_crop(tmp_path, "empty", picture, items())
    empty, one = (read_crop(path) for path in crops_in(tmp_path))
    np.testing.assert_allclose(one[1].boxes, labelled.boxes, atol=0.01)
    assert one[1].classes.tolist() == [0]
    assert np.abs(one[0].astype(int) - picture).mean() < 3
    assert len(empty[1]) == 0


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        ("7 0.5 0.5 0.1 0.1", "class 7"),
        ("0 0.5 1.5 0.1 0.1", "outside 0-1"),
        ("0 0.5 0.5 0.1", "4 numbers"),
    ],
)
def test_faulty_labels_are_named(tmp_path: Path, label: str, fault: str) -> None:
    write_crop(tmp_path, "one", *person_with_red_hat(90, 160))
    (tmp_path / "labels" / "one.txt").write_text(label, encoding="utf-8")
    with pytest.raises(TrainingError, match=rf"one\.txt.*{fault}"):
        read_crop(tmp_path / "images" / "one.jpg")


def test_a_crop_without_pixels_is_named(tmp_path: Path) -> None:
    write_crop(tmp_path, "one", *person_with_red_hat(90, 160))
    (tmp_path / "images" / "one.jpg").write_bytes(b"")
    with pytest.raises(TrainingError, match=r"one\.jpg.*cannot be decoded"):
        read_crop(tmp_path / "images" / "one.jpg")


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    width=st.integers(60, 300),
    height=st.integers(100, 400),
    degrade=st.booleans(),
)
def test_items_move_with_their_pixels(seed: int, width: int, height: int, degrade: bool) -> None:
    """Wherever a hat is turned, shifted, shrunk or blurred to, its box is round its pixels."""
    random.seed(seed)
    np.random.seed(seed)
    light = dict.fromkeys(("hue", "saturation", "brightness", "grey"), 0.0)
    spec = {**RECIPE.augmentation, **light, "degrade": float(degrade), "degrade_low_px": 40.0}
    changed, moved = Augmentation(spec, 256)(*person_with_red_hat(width, height))
    assert changed.shape == (256, 256, 3)
    assert (moved.boxes >= 0).all()
    assert (moved.boxes <= 256).all()
    if not len(moved):
        return
    left, top, right, bottom = moved.boxes[0]
    red = redness(changed) > 60
    rows, columns = np.nonzero(red)
    blur = 6
    inside = (columns >= left - blur) & (columns < right + blur)
    inside &= (rows >= top - blur) & (rows < bottom + blur)
    assert inside.mean() > 0.9
    assert red.sum() > 0.3 * (right - left) * (bottom - top)


def test_nothing_changes_without_chances() -> None:
    picture, labelled = person_with_red_hat(128, 256)
    changed, moved = Augmentation(STILL, 256)(picture, labelled)
    np.testing.assert_allclose(moved.boxes, labelled.boxes + np.array([64, 0, 64, 0]), atol=1e-3)
    assert np.abs(changed[:, 64:192].astype(int) - picture).max() <= 2
    assert (changed[:, :64] == 114).all()


def test_degrading_takes_detail_and_keeps_places() -> None:
    random.seed(1)
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (256, 128, 3), np.uint8)
    spec = {**STILL, "degrade": 1.0, "degrade_low_px": 32.0, "degrade_high_px": 33.0,
            "blur": 0.0, "noise": 0.0, "jpeg": 0.0}  # fmt: skip
    changed, moved = Augmentation(spec, 256)(picture, items((10, 20, 60, 90, 3)))
    assert changed[:, 64:192].astype(float).std() < 0.5 * picture.astype(float).std()
    np.testing.assert_allclose(moved.boxes, [[74, 20, 124, 90]], atol=1e-3)


HAT = (0.1, 0.1, 0.3, 0.3, 0)
OFF = (0.12, 0.1, 0.32, 0.3, 0)
ELSEWHERE = (0.6, 0.6, 0.8, 0.8, 0)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([(*HAT, 0.9)], 1.0),
        ([(*OFF, 0.9)], 1.0),
        ([(*ELSEWHERE, 0.9)], 0.0),
        ([], 0.0),
        ([(*HAT, 0.9), (*ELSEWHERE, 0.5)], 1.0),  # a worse false one costs nothing
        ([(*HAT, 0.5), (*ELSEWHERE, 0.9)], 0.5),  # a better false one halves the precision
        ([(*HAT, 0.9), (*OFF, 0.8)], 1.0),
        ([(*HAT[:4], 1, 0.9)], 0.0),  # the right place, the wrong class
    ],
)
def test_average_precision_of_one_hat(
    found: list[tuple[float, float, float, float, int, float]], expected: float
) -> None:
    values = average_precision([objects(*found)], [items(HAT)], len(NAMES))
    assert values[0] == pytest.approx(expected, abs=0.02)
    assert np.isnan(values[2])


def test_a_hat_is_found_once() -> None:
    """Two boxes on one of two hats: one right, one false, one hat missed."""
    found = objects((*HAT, 0.9), (*OFF, 0.8))
    values = average_precision([found], [items(HAT, ELSEWHERE)], len(NAMES))
    assert values[0] == pytest.approx(0.5, abs=0.02)
