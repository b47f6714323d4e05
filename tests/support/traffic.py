"""The rendered scenes with their vehicles, as a camera and the plant's feeds see them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np

from cameras.sight import Sight
from safety.clock import Instant
from safety.types import (
    Detections,
    FloatArray,
    ObjectClass,
    Observation,
    PlantState,
    VehiclePose,
)
from tests.support.floors import true_floor
from tests.support.third_party import shared_folder
from tests.support.truth import read_scene
from zones.calibration import FloorCalibration
from zones.survey import solve

AMR_FOOTPRINT = ((0.475, 0.335), (-0.46, 0.335), (-0.46, -0.335), (0.475, -0.335))
"""The scenes' robot in its own frame, metres."""

_CLASSES = list(ObjectClass)


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """A scene as a stream of observations.

    Attributes:
        fps: Analysed frames per second.
        loss: Share of them that is lost at random.
        calibrated: Whether the camera knows the floor, from eight clicked points.
        seen: Whether the camera finds vehicles.
        jitter: Standard deviation of every edge of a vehicle's box, share of the box's size.
        gaps_s: From when to when no vehicle is found.
        slips: Share of the frames in which a vehicle is taken for one of the other kind.
        view: Left and right edge of what the camera sees of vehicles: it cuts their boxes.
    """

    name: str
    fps: float = 10.0
    loss: float = 0.0
    calibrated: bool = True
    seen: bool = True
    jitter: float = 0.0
    gaps_s: tuple[tuple[float, float], ...] = ()
    slips: float = 0.0
    view: tuple[float, float] = (0.0, 1.0)
    seed: int = 1

    @property
    def calibration(self) -> FloorCalibration | None:
        """As an installer made it."""
        return calibration_of(self.name) if self.calibrated else None

    def observations(self) -> Iterator[Observation]:
        """What the camera sees, frame by frame."""
        scene = read_scene(self.name)
        boxes = vehicle_boxes(self.name)
        lost = np.random.default_rng(self.seed)
        sight = Sight()
        next_s = 0.0
        for number, observation in enumerate(scene.observations()):
            if scene.frames[number].at_s < next_s - 1e-6:
                continue
            next_s += 1 / self.fps
            if lost.random() < self.loss:
                continue
            found = self._found(boxes[number], scene.frames[number].at_s, lost)
            seen = sight.update(observation.persons, found, observation.at, self.calibration)
            yield replace(observation, persons=seen.persons, vehicles=seen.vehicles)

    def _found(self, true: Detections, at_s: float, draw: np.random.Generator) -> Detections:
        """What an imperfect network finds."""
        if not self.seen or any(begin <= at_s < end for begin, end in self.gaps_s):
            return Detections.empty()
        size = np.tile(true.boxes[:, 2:] - true.boxes[:, :2], 2)
        boxes = true.boxes + draw.normal(0, self.jitter, true.boxes.shape) * size
        boxes[:, ::2] = boxes[:, ::2].clip(*self.view)
        slipped = draw.random(len(boxes)) < self.slips
        shown = boxes[:, 2] - boxes[:, 0] > 0.01
        return Detections(
            boxes=boxes[shown].astype(np.float32),
            scores=true.scores[shown],
            classes=np.where(slipped, 3 - true.classes, true.classes)[shown],
            keypoints=true.keypoints[shown],
        )


@cache
def calibration_of(name: str) -> FloorCalibration:
    """The scene's camera calibrated with eight clicked points."""
    return solve(true_floor(name).clicked(8, 3))


@cache
def _truth(name: str) -> dict[str, Any]:
    path = shared_folder() / "scenes" / name / "truth.json"
    truth: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return truth


@cache
def vehicle_boxes(name: str) -> tuple[Detections, ...]:
    """What a perfect network would find of the vehicles, frame by frame."""
    truth = _truth(name)
    size = np.array([truth["width"], truth["height"]] * 2, np.float32)
    return tuple(_detections(frame["vehicles"], size) for frame in truth["frames"])


def _detections(vehicles: list[dict[str, Any]], size: FloatArray) -> Detections:
    shown = [vehicle for vehicle in vehicles if vehicle["box_px"]]
    count = len(shown)
    boxes = np.array([vehicle["box_px"] for vehicle in shown], np.float32).reshape(-1, 4) / size
    return Detections(
        boxes=boxes.clip(0, 1).astype(np.float32),
        scores=np.full(count, 0.9, np.float32),
        classes=np.array([_CLASSES.index(ObjectClass(v["kind"])) for v in shown], np.int64),
        keypoints=np.zeros((count, 17, 3), np.float32),
    )


@cache
def reported(name: str) -> tuple[tuple[float, VehiclePose], ...]:
    """The robot's own reports: seconds of the scene and pose, as recorded at 5 Hz."""
    path = shared_folder() / "scenes" / name / "vda5050.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    begin = datetime.fromisoformat(lines[0]["timestamp"]).timestamp()
    found = {}
    for line in lines:
        at_s = datetime.fromisoformat(line["timestamp"]).timestamp() - begin
        position, velocity = line["agvPosition"], line["velocity"]
        heading = position["theta"]
        found[at_s] = VehiclePose(
            vehicle_id=line["serialNumber"],
            kind=ObjectClass.AMR,
            at=Instant(wall=1_767_600_000.0 + at_s, monotonic=1_000.0 + at_s),
            x_m=position["x"],
            y_m=position["y"],
            heading_rad=heading,
            velocity_mps=(
                velocity["vx"] * np.cos(heading) - velocity["vy"] * np.sin(heading),
                velocity["vx"] * np.sin(heading) + velocity["vy"] * np.cos(heading),
            ),
            yaw_rate_radps=velocity["omega"],
            footprint_m=AMR_FOOTPRINT,
        )
    return tuple(sorted(found.items(), key=lambda item: item[0]))


def plant_at(name: str, at_s: float) -> PlantState:
    """What the robot has reported by then."""
    known = [pose for reported_s, pose in reported(name) if reported_s <= at_s + 1e-6]
    return PlantState(vehicles={pose.vehicle_id: pose for pose in known[-1:]})
