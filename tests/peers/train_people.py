"""Trains a network on a few drawn pictures; runs where PyTorch is.

Usage: train_people.py FOLDER: lays data and an untrained network there, and the results.
"""

import sys
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import torch
import yaml
from ultralytics import YOLO

from safety.training.people_ship import ship_people
from safety.training.recipe import read_recipe
from safety.training.train import train
from safety.training.upright import turns

PICTURES = 6


def main(folder: Path) -> None:
    """One epoch and all that follows, twice; a second from where the first ended; the files."""
    torch.set_num_threads(1)
    (folder / "turns.txt").write_text(turned_features())
    draw(folder / "data" / "rendered")
    (folder / "models").mkdir()
    untrained = YOLO("yolo11n-pose.yaml")
    torch.save({"model": untrained.model.half()}, folder / "models" / "untrained.pt")
    recipe = read_recipe("people").model_dump(mode="json")
    recipe |= {"base": "models/untrained.pt", "width_px": 160, "height_px": 96}
    recipe["optimisation"] |= {"epochs": 1, "batch": 4, "warmup_steps": 1}
    for part in ("boxes", "vehicles"):
        recipe[part] |= {"epochs": 1, "batch": 4, "warmup_steps": 1}
    own = folder / "own.yaml"
    own.write_text(yaml.safe_dump(recipe))
    data, out = folder / "data", folder / "run"
    train(str(own), data=data, out=out, device="cpu")
    train(str(own), data=data, out=folder / "again", device="cpu")
    (folder / "twice.txt").write_text(
        "\n".join(fingerprint(run / "final.pt") for run in (out, folder / "again"))
    )
    train(str(own), data=data, out=out, device="cpu", resume=True, epochs=2)
    ship_people(read_recipe(str(own)), data=data, run=out, out=folder / "shipped")


def turned_features() -> str:
    """What is told of pictures that are turned by 0, 1, 2, 3, 0, … quarters, by drawn features."""
    generator = torch.Generator().manual_seed(1)
    looks = torch.randn(4, 24, generator=generator)
    known = looks + 0.5 * torch.randn(60, 4, 24, generator=generator)
    asked = looks + 0.5 * torch.randn(20, 4, 24, generator=generator)
    asked = torch.stack([view.roll(-number % 4, 0) for number, view in enumerate(asked)])
    return " ".join(str(int(count)) for count in turns(asked, known))


def fingerprint(weights: Path) -> str:
    """SHA-256 of a network's tensors."""
    state = YOLO(weights).model.state_dict()
    parts = [name.encode() + value.numpy().tobytes() for name, value in sorted(state.items())]
    return sha256(b"".join(parts)).hexdigest()


def draw(folder: Path) -> None:
    """Grey pictures with one upright figure each."""
    for name in ("images", "labels_pose"):
        (folder / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    names = []
    for number in range(PICTURES):
        pixels = np.full((90, 160, 3), 114, np.uint8)
        x, y = (int(value) for value in rng.integers((20, 30), (140, 60)))
        cv2.rectangle(pixels, (x - 6, y - 25), (x + 6, y + 25), (0, 0, 255), -1)
        names.append(f"images/{number}.png")
        cv2.imwrite(str(folder / names[-1]), pixels)
        middle = f"{x / 160:.4f} {y / 90:.4f}"
        label = f"0 {middle} {12 / 160:.4f} {50 / 90:.4f} " + f"{middle} 2 " * 17
        (folder / "labels_pose" / f"{number}.txt").write_text(label)
    for part in ("train", "val"):
        (folder / f"{part}.txt").write_text("\n".join(names))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
