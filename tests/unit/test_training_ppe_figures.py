"""What is true about persons, and what shares of it were said."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from safety.training.ppe_persons import matched_numbers
from safety.training.ppe_truth import TruePerson, Truth, stills
from safety.training.ppe_val import Shares
from safety.types import PpeItem, PpeState

HAT, VEST = PpeItem.HARDHAT, PpeItem.VEST
WORN, MISSING, UNKNOWN = PpeState.WORN, PpeState.MISSING, PpeState.UNKNOWN

LEFT, RIGHT = (5, 0.25, 0.5, 0.2, 0.8), (5, 0.75, 0.5, 0.2, 0.8)
"""Two persons of a picture, as labels: class, middle, width, height."""


def photographs(data: Path, *labels: tuple[float, ...]) -> list[Truth]:
    """The truth of one building-site picture of 100 by 100 pixels with these labels."""
    folder = data / "ppe-construction"
    for kind in ("images", "labels"):
        (folder / kind / "val").mkdir(parents=True)
    cv2.imwrite(str(folder / "images" / "val" / "one.png"), np.zeros((100, 100, 3), np.uint8))
    lines = "\n".join(" ".join(map(str, label)) for label in labels)
    (folder / "labels" / "val" / "one.txt").write_text(lines, encoding="utf-8")
    (data / "rendered").mkdir()
    (data / "rendered" / "val.txt").write_text("", encoding="utf-8")
    (data / "rendered" / "meta.jsonl").write_text("", encoding="utf-8")
    return list(stills(data))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([(0, 0.25, 0.15, 0.1, 0.1)], [{HAT: True}, {}]),
        ([(2, 0.75, 0.15, 0.1, 0.1)], [{}, {HAT: False}]),
        ([(7, 0.25, 0.5, 0.1, 0.2), (4, 0.75, 0.5, 0.1, 0.2)], [{VEST: True}, {VEST: False}]),
        # Both answers about one person: the labels contradict themselves.
        ([(0, 0.25, 0.15, 0.1, 0.1), (2, 0.25, 0.2, 0.1, 0.1)], [{}, {}]),
        # A hat between the two is nobody's.
        ([(0, 0.5, 0.15, 0.1, 0.1)], [{}, {}]),
        # Masks and cones say nothing.
        ([(1, 0.25, 0.15, 0.1, 0.1), (6, 0.75, 0.5, 0.1, 0.1)], [{}, {}]),
    ],
)
def test_labels_belong_to_the_one_person_who_holds_them(
    tmp_path: Path, labels: list[tuple[float, ...]], expected: list[dict[PpeItem, bool]]
) -> None:
    (truth,) = photographs(tmp_path, LEFT, RIGHT, *labels)
    assert [dict(person.wears) for person in truth.persons] == expected


def test_a_hat_that_two_persons_hold_is_nobodys(tmp_path: Path) -> None:
    close = (5, 0.3, 0.5, 0.2, 0.8)
    (truth,) = photographs(tmp_path, LEFT, close, (0, 0.28, 0.15, 0.06, 0.1))
    assert [dict(person.wears) for person in truth.persons] == [{}, {}]


def test_rendered_people_wear_what_their_list_says(tmp_path: Path) -> None:
    photographs(tmp_path)
    folder = tmp_path / "rendered"
    for kind in ("images", "labels_pose", "labels_ppe"):
        (folder / kind).mkdir()
    cv2.imwrite(str(folder / "images" / "a.png"), np.zeros((50, 80, 3), np.uint8))
    for kind in ("labels_pose", "labels_ppe"):
        (folder / kind / "a.txt").write_text("", encoding="utf-8")
    (folder / "val.txt").write_text("images/a.png\n", encoding="utf-8")
    seen = {"box_px": [1, 2, 11, 32], "visible_fraction": 0.9, "hat": "red", "vest": None}
    people = [seen, {**seen, "visible_fraction": 0.1}, {**seen, "box_px": None}]
    row = json.dumps({"name": "a", "people": people})
    (folder / "meta.jsonl").write_text(row, encoding="utf-8")
    (truth,) = (t for t in stills(tmp_path) if t.group == "rendered")
    (person,) = truth.persons
    assert person.wears == {HAT: True, VEST: False}
    assert person.box_px.tolist() == [1, 2, 11, 32]


@pytest.mark.parametrize(
    ("pairs", "cannot_tell", "missing_precision", "missing_recall"),
    [
        ([(False, MISSING)], 0.0, 1.0, 1.0),
        ([(False, MISSING), (False, UNKNOWN)], 0.5, 1.0, 0.5),
        ([(False, MISSING), (True, MISSING)], 0.0, 0.5, 1.0),
        ([(False, WORN), (True, WORN)], 0.0, None, 0.0),
        ([(True, UNKNOWN)], 1.0, None, None),
        ([], None, None, None),
    ],
)
def test_shares(
    pairs: list[tuple[bool, PpeState]],
    cannot_tell: float | None,
    missing_precision: float | None,
    missing_recall: float | None,
) -> None:
    shares = Shares.of(pairs)
    assert shares.cannot_tell == cannot_tell
    assert shares.missing_precision == missing_precision
    assert shares.missing_recall == missing_recall
    assert shares.worn + shares.missing == len(pairs)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(True, WORN), (False, MISSING)], 1.0),
        ([(True, MISSING), (False, WORN)], 0.0),
        ([(True, WORN), (False, UNKNOWN)], 0.5),
        ([(True, WORN)], 1.0),  # an answer that nobody needed does not count
        ([], 0.0),
    ],
)
def test_f1(pairs: list[tuple[bool, PpeState]], expected: float) -> None:
    assert Shares.of(pairs).f1 == pytest.approx(expected)


def test_found_persons_get_the_number_of_the_nearest() -> None:
    persons = [
        TruePerson(number=4, box_px=np.array([0, 0, 10, 30], np.float32), wears={}),
        TruePerson(number=7, box_px=np.array([8, 0, 18, 30], np.float32), wears={}),
    ]
    boxes = np.array([[7, 0, 17, 30], [60, 0, 70, 30], [1, 0, 11, 30]], np.float32)
    assert matched_numbers(persons, boxes) == [7, 1001, 4]
    assert matched_numbers([], boxes) == [1000, 1001, 1002]
    assert matched_numbers(persons, boxes[:0]) == []
