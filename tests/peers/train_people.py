"""Trains a network on a few drawn pictures, twice; runs where PyTorch is.

Usage: train_people.py FOLDER: lays data and an untrained network there, and the results.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import torch
import yaml
from ultralytics import YOLO

from safety.training.people_ship import ship_people
from safety.training.recipe import read_recipe
from safety.training.train import train

PICTURES = 6


def main(folder: Path) -> None:
    """One epoch and all that follows; then a second, from where the first ended; then the files."""
    torch.set_num_threads(1)
    draw(folder / "data" / "rendered")
    (folder / "models").mkdir()
    untrained = YOLO("yolo11n-pose.yaml")
    torch.save({"model": untrained.model.half()}, folder / "models" / "untrained.pt")
    recipe = read_recipe("people").model_dump(mode="json")
    recipe |= {"base": "models/untrained.pt", "width_px": 160, "height_px": 96}
    recipe["optimisation"] |= {"epochs": 1, "batch": 4, "warmup_steps": 1}
    recipe["new_classes"] |= {"epochs": 1, "batch": 4, "warmup_steps": 1}
    own = folder / "own.yaml"
    own.write_text(yaml.safe_dump(recipe))
    data, out = folder / "data", folder / "run"
    train(str(own), data=data, out=out, device="cpu")
    train(str(own), data=data, out=out, device="cpu", resume=True, epochs=2)
    ship_people(read_recipe(str(own)), data=data, run=out, out=folder / "shipped")


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
