"""Pictures for the vehicles' round."""

from pathlib import Path

import cv2
import numpy as np

from safety.training.dataset import Sample
from safety.training.vehicle_data import training_samples, validation_samples, vehicles_only


def still(folder: Path, number: int, label: str) -> None:
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    pixels = np.full((36, 64, 3), number, np.uint8)
    cv2.imwrite(str(folder / "images" / f"{number:05d}.webp"), pixels)
    (folder / "labels" / f"{number:05d}.txt").write_text(label)


def sample(source: str, *classes: int) -> Sample:
    count = len(classes)
    return Sample(
        picture=Path("none"),
        source=source,
        classes=np.array(classes, np.float32),
        boxes=np.full((count, 4), 0.5, np.float32),
        keypoints=np.zeros((count, 17, 3), np.float32),
    )


def test_persons_carry_no_label() -> None:
    assert vehicles_only(sample("rendered", 0, 1, 0, 2)).classes.tolist() == [1, 2]


def test_one_still_in_eight_is_set_aside(tmp_path: Path) -> None:
    for number in range(16):
        still(tmp_path / "vehicles", number, "1 0.5 0.5 0.2 0.2\n" if number % 2 else "")
    learned = training_samples([], tmp_path, 2, tmp_path / "base.pt", tmp_path / "upright")
    judged = validation_samples([sample("rendered", 0, 2)], tmp_path)
    assert len(learned) == 14
    assert [s.picture.stem for s in judged] == ["none", "00000", "00008"]
    assert sum(len(s.classes) for s in learned) == 8
    assert judged[0].classes.tolist() == [2]


def test_renderings_with_vehicles_come_again_and_people_s_photographs_once(tmp_path: Path) -> None:
    people = [
        sample("rendered", 0, 1),
        sample("rendered", 0),
        sample("ppe-construction", 0),
        sample("ppe-syook", 0),
        sample("forklift", 1),
    ]
    learned = training_samples(people, tmp_path, 3, tmp_path / "base.pt", tmp_path / "upright")
    assert [s.source for s in learned] == ["rendered"] * 4 + ["ppe-construction"]
