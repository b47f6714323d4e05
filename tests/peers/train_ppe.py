"""Trains the PPE network on a few drawn pictures; runs where PyTorch is.

Usage: train_ppe.py FOLDER: lays data and an untrained network there, and the results.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import torch
import yaml
from ultralytics.nn.tasks import DetectionModel

from safety.training.ppe_ship import ship_ppe
from safety.training.recipe import read_recipe
from safety.training.train import train

PICTURES = 4


def main(folder: Path) -> None:
    """Two epochs of eight crops, then the files to ship."""
    torch.set_num_threads(1)
    draw(folder / "data" / "rendered")
    (folder / "models").mkdir()
    recipe = read_recipe("ppe").model_dump(mode="json")
    network = DetectionModel("yolo11n.yaml", nc=len(recipe["classes"]), verbose=False)
    network.names = dict(enumerate(recipe["classes"]))
    torch.save({"model": network.half()}, folder / "models" / "untrained.pt")
    recipe |= {"base": "models/untrained.pt", "width_px": 64, "height_px": 64}
    recipe["data"] |= {"crops_per_epoch": 8}
    recipe["optimisation"] |= {"epochs": 2, "batch": 4, "warmup_steps": 1}
    own = folder / "own.yaml"
    own.write_text(yaml.safe_dump(recipe))
    data, out = folder / "data", folder / "run"
    train(str(own), data=data, out=out, device="cpu")
    ship_ppe(read_recipe(str(own)), data=data, run=out, out=folder / "shipped")


def draw(folder: Path) -> None:
    """Grey pictures with one figure each: a yellow block on a red one."""
    for name in ("images", "labels_pose", "labels_ppe"):
        (folder / name).mkdir(parents=True)
    names = []
    for number in range(PICTURES):
        pixels = np.full((100, 100, 3), 114, np.uint8)
        cv2.rectangle(pixels, (40, 20), (60, 80), (0, 0, 255), -1)
        cv2.rectangle(pixels, (40, 10), (60, 20), (0, 255, 255), -1)
        names.append(f"images/{number}.png")
        cv2.imwrite(str(folder / names[-1]), pixels)
        (folder / "labels_pose" / f"{number}.txt").write_text("0 0.5 0.45 0.2 0.7")
        items = "0 0.5 0.15 0.2 0.1\n3 0.5 0.4 0.2 0.4"
        (folder / "labels_ppe" / f"{number}.txt").write_text(items)
    for part in ("train", "val"):
        (folder / f"{part}.txt").write_text("\n".join(names))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
