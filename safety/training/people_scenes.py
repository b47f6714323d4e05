"""Frames of the rendered scenes with their truth, to judge the people network by.

No network is trained on them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from safety.training.dataset import Sample
from safety.training.needs import TrainingError
from safety.training.people_pseudo import to_middles
from safety.types import KEYPOINTS, FloatArray, Picture

EVERY = 5
"""Every fifth frame is looked at by default: half a second apart."""

LEAST_VISIBLE = 0.25
"""Persons of whom less is visible are neither asked for nor false."""

_VEHICLES = {"forklift": 1, "amr": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFrame:
    """One frame with what is true in it.

    Attributes:
        sample: Persons visible enough, and vehicles.
        lying: (N,) whether each person of the sample lies on the floor.
        anyone: (M, 4) whole boxes of all people, hidden ones too: left, top, right, bottom.
        vehicles: (K, 4) boxes of vehicles.
    """

    picture: Picture
    sample: Sample
    lying: FloatArray
    anyone: FloatArray
    vehicles: FloatArray


def scene_names(folder: Path) -> list[str]:
    """The scenes of a folder.

    Raises:
        TrainingError: There is none.
    """
    names = sorted(path.parent.name for path in folder.glob("*/truth.json"))
    if not names:
        raise TrainingError(
            "training.no_scenes",
            "{folder} holds no scenes (NAME/video.mp4 with NAME/truth.json); check --scenes",
            folder=str(folder),
        )
    return names


def scene_frames(folder: Path, every: int = EVERY) -> Iterator[SceneFrame]:
    """Every so many frames of one scene, in order."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    size = np.array([truth["width"], truth["height"]] * 2, np.float32)
    film = cv2.VideoCapture(str(folder / "video.mp4"))
    for number, frame in enumerate(truth["frames"]):
        if not film.grab():
            break
        if number % every == 0:
            there, pixels = film.retrieve()
            if there:
                picture = np.ascontiguousarray(pixels[..., ::-1]).astype(np.uint8)
                yield _frame(picture, frame, size, folder)
    film.release()


def _frame(picture: Picture, frame: dict[str, Any], size: FloatArray, folder: Path) -> SceneFrame:
    asked = [
        person
        for person in frame["people"]
        if person["box_px"] is not None and person["visible_fraction"] >= LEAST_VISIBLE
    ]
    vehicles = [vehicle for vehicle in frame["vehicles"] if vehicle.get("box_px") is not None]
    boxes = _boxes([o["box_px"] for o in (*asked, *vehicles)], size)
    keypoints = np.zeros((len(boxes), len(KEYPOINTS), 3), np.float32)
    for row, person in enumerate(asked):
        keypoints[row, :, :2] = np.array(person["kp_px"], np.float32) / size[:2]
        keypoints[row, :, 2] = 2 * np.array(person["kp_visible"], np.float32)
    kinds = [0] * len(asked) + [_VEHICLES[vehicle["kind"]] for vehicle in vehicles]
    return SceneFrame(
        picture=picture,
        sample=Sample(
            picture=folder,
            source=folder.name,
            classes=np.array(kinds, np.float32),
            boxes=to_middles(boxes),
            keypoints=keypoints,
        ),
        lying=np.array([person["posture"] == "lie" for person in asked], bool),
        anyone=_boxes([person["box_full_px"] for person in frame["people"]], size),
        vehicles=boxes[len(asked) :],
    )


def _boxes(rows: list[list[float] | None], size: FloatArray) -> FloatArray:
    """Pixels to 0-1, cut at the picture's edge; people outside the picture left out."""
    there = [row for row in rows if row is not None]
    return (np.array(there, np.float32).reshape(-1, 4) / size).clip(0, 1).astype(np.float32)
