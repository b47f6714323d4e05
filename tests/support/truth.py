"""The rendered scenes and what is true in them, as observations and detections."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from safety.clock import Instant
from safety.types import Detections, FloatArray, IntArray, Observation, TrackedPerson
from tests.support.third_party import shared_folder
from zones.geometry import Polygon

SCENES: tuple[str, ...] = (
    "amr_crossing", "busy_quiet", "cell_intrusion", "forklift_aisle",
    "lone_dim", "man_down", "ppe_mix", "reach_in",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueFrame:
    """What one frame of a scene really shows; row i of every array is one person.

    Attributes:
        at_s: Seconds since the scene began.
        people: (N,) number of the person in the scene.
        boxes: (N, 4) of the visible part, normalised.
        keypoints: (N, 17, 3); the confidence is 1 where visible, else 0.
        visible: (N,) share of the body that is visible.
    """

    at_s: float
    people: IntArray
    boxes: FloatArray
    keypoints: FloatArray
    visible: FloatArray

    def detections(self, least_visible: float) -> Detections:
        """As a perfect network would find them."""
        seen = self.visible >= least_visible
        return Detections(
            boxes=self.boxes[seen],
            scores=np.full(int(seen.sum()), 0.9, np.float32),
            classes=np.zeros(int(seen.sum()), np.int64),
            keypoints=self.keypoints[seen],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One rendered scene."""

    name: str
    video: Path
    width_px: int
    height_px: int
    zones: dict[str, Polygon]
    events: tuple[dict[str, Any], ...]
    frames: tuple[TrueFrame, ...]

    @property
    def aspect(self) -> float:
        """Width / height of the picture."""
        return self.width_px / self.height_px

    def observations(self, least_visible: float = 0.25) -> list[Observation]:
        """As a perfect network and a perfect tracker would see them."""
        return [self._observation(number, least_visible) for number in range(len(self.frames))]

    def _observation(self, number: int, least_visible: float) -> Observation:
        frame = self.frames[number]
        persons = tuple(
            TrackedPerson(
                track_id=int(frame.people[row]) + 1,
                box=frame.boxes[row],
                score=0.9,
                keypoints=frame.keypoints[row],
                age_s=frame.at_s,
            )
            for row in np.flatnonzero(frame.visible >= least_visible)
        )
        return Observation(
            camera_id="cam",
            at=Instant(wall=1_767_600_000.0 + frame.at_s, monotonic=1_000.0 + frame.at_s),
            sequence=number + 1,
            aspect=self.aspect,
            persons=persons,
        )


@cache
def read_scene(name: str) -> Scene:
    """The scene from ``shared/scenes``.

    Raises:
        FileNotFoundError: It is not on this machine.
    """
    folder = shared_folder() / "scenes" / name
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    size = (truth["width"], truth["height"])
    numbers = {person["id"]: number for number, person in enumerate(truth["people"])}
    return Scene(
        name=name,
        video=folder / "video.mp4",
        width_px=size[0],
        height_px=size[1],
        zones={key: tuple(map(tuple, zone["image"])) for key, zone in truth["zones"].items()},
        events=tuple(truth["events"]),
        frames=tuple(_true_frame(frame, numbers, size) for frame in truth["frames"]),
    )


def _true_frame(frame: dict[str, Any], numbers: dict[str, int], size: tuple[int, int]) -> TrueFrame:
    people = [person for person in frame["people"] if person["box_px"] is not None]
    scale = np.array(size, np.float32)
    boxes = np.array([p["box_px"] for p in people], np.float32).reshape(-1, 2, 2) / scale
    keypoints = np.zeros((len(people), 17, 3), np.float32)
    for row, person in enumerate(people):
        keypoints[row, :, :2] = np.array(person["kp_px"], np.float32) / scale
        keypoints[row, :, 2] = person["kp_visible"]
    return TrueFrame(
        at_s=frame["t"],
        people=np.array([numbers[p["id"]] for p in people], np.int64),
        boxes=boxes.reshape(-1, 4).clip(0, 1),
        keypoints=keypoints,
        visible=np.array([p["visible_fraction"] for p in people], np.float32),
    )
