"""A scene with exact truth: a film, who is where in it, and what happens when."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safety.errors import AnjeonError
from safety.types import Detections, FloatArray, IntArray

LEAST_VISIBLE = 0.25
"""People less visible than this need not be found, and finding them is no mistake."""


class SceneError(AnjeonError):
    """A scene cannot be used."""


class _Part(BaseModel):
    """Base of what is read; a scene may say more than is needed here."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class TrueZone(_Part):
    """A zone of the scene: its outline on the floor (metres) and in the picture (0-1)."""

    kind: str
    floor_m: tuple[tuple[float, float], ...]
    image: tuple[tuple[float, float], ...]


class TrueCamera(_Part):
    """The camera; ``floor_to_image`` takes floor metres to pixels."""

    floor_to_image: tuple[tuple[float, float, float], ...] = Field(min_length=3, max_length=3)


class TrueEvent(_Part):
    """Something that must be detected, in seconds of the scene."""

    kind: str
    subjects: tuple[str, ...] = ()
    t_start: float
    t_end: float
    zone: str | None = None
    value: Any = None


class TrueVehicle(_Part):
    """A vehicle in one frame; heading anticlockwise from the plan's x axis."""

    id: str
    kind: str
    x: float
    y: float
    heading_rad: float
    v_mps: float
    footprint_m: tuple[tuple[float, float], ...]
    box_px: tuple[float, float, float, float] | None = None

    def in_own_frame(self, place_m: tuple[float, float]) -> tuple[float, float]:
        """A place on the floor as the vehicle sees it: x forward, y left, metres."""
        dx, dy = place_m[0] - self.x, place_m[1] - self.y
        cos, sin = math.cos(self.heading_rad), math.sin(self.heading_rad)
        return dx * cos + dy * sin, dy * cos - dx * sin


class _Person(_Part):
    id: str
    kp_px: tuple[tuple[float, float], ...] = Field(min_length=17, max_length=17)
    kp_visible: tuple[bool, ...] = Field(min_length=17, max_length=17)
    box_px: tuple[float, float, float, float] | None
    visible_fraction: float
    foot_m: tuple[float, float]


class _Frame(_Part):
    t: float
    people: tuple[_Person, ...] = ()
    vehicles: tuple[TrueVehicle, ...] = ()


class _MachineStep(_Part):
    t: float
    state: str


class _Truth(_Part):
    fps: float = Field(gt=0)
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    rules: tuple[str, ...] = ()
    camera: TrueCamera
    zones: dict[str, TrueZone] = {}
    machines: dict[str, tuple[_MachineStep, ...]] = {}
    people: tuple[dict[str, Any], ...] = ()
    events: tuple[TrueEvent, ...] = ()
    frames: tuple[_Frame, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueFrame:
    """What one frame really shows; row i of every array is one person.

    Attributes:
        at_s: Seconds since the scene began.
        people: (N,) the person's number in the scene.
        boxes: (N, 4) float32 of the visible part, normalised.
        keypoints: (N, 17, 3) float32; the confidence is 1 where visible, else 0.
        visible: (N,) float32, share of the body that is visible.
        feet_m: (N, 2) float32, metres.
    """

    at_s: float
    people: IntArray
    boxes: FloatArray
    keypoints: FloatArray
    visible: FloatArray
    feet_m: FloatArray
    vehicles: tuple[TrueVehicle, ...] = ()

    def detections(self, least_visible: float = LEAST_VISIBLE) -> Detections:
        """As a perfect network would find the people."""
        seen = self.visible >= least_visible
        return Detections(
            boxes=self.boxes[seen],
            scores=np.full(int(seen.sum()), 0.9, np.float32),
            classes=np.zeros(int(seen.sum()), np.int64),
            keypoints=self.keypoints[seen],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One scene.

    Attributes:
        people: Name of every person by number.
        rules: What the truth was computed for, e.g. ``"zone"``, ``"ppe"``, ``"lone"``.
        machines: (seconds, state) steps by machine.
        feed: The recorded VDA 5050 messages, if the scene has any.
    """

    name: str
    video: Path
    width_px: int
    height_px: int
    fps: float
    camera: TrueCamera
    people: tuple[str, ...]
    rules: tuple[str, ...]
    zones: dict[str, TrueZone]
    machines: dict[str, tuple[tuple[float, str], ...]] = field(default_factory=dict)
    events: tuple[TrueEvent, ...]
    frames: tuple[TrueFrame, ...]
    feed: Path | None = None

    @property
    def aspect(self) -> float:
        """Width / height of the picture."""
        return self.width_px / self.height_px


def read_scene(folder: Path) -> Scene:
    """The scene in this folder: ``truth.json``, ``video.mp4`` and perhaps ``vda5050.jsonl``.

    Raises:
        SceneError: A file is missing, or the truth does not say what is needed.
    """
    video, described = folder / "video.mp4", folder / "truth.json"
    for path in (described, video):
        if not path.is_file():
            raise SceneError(
                "scene.missing",
                "{path} does not exist; a scene is a folder with video.mp4 and truth.json",
                path=str(path),
            )
    try:
        truth = _Truth.model_validate(json.loads(described.read_text(encoding="utf-8")))
    except (ValueError, ValidationError) as error:
        raise SceneError(
            "scene.truth",
            "{path} does not describe a scene: {why}",
            path=str(described),
            why=_first_reason(error),
        ) from error
    names = _names(truth)
    numbers = {name: number for number, name in enumerate(names)}
    feed = folder / "vda5050.jsonl"
    return Scene(
        name=folder.resolve().name,
        video=video,
        width_px=truth.width,
        height_px=truth.height,
        fps=truth.fps,
        camera=truth.camera,
        people=names,
        rules=truth.rules,
        zones=truth.zones,
        machines={
            key: tuple((step.t, step.state) for step in steps)
            for key, steps in truth.machines.items()
        },
        events=truth.events,
        frames=tuple(_frame(each, numbers, (truth.width, truth.height)) for each in truth.frames),
        feed=feed if feed.is_file() else None,
    )


def _names(truth: _Truth) -> tuple[str, ...]:
    """Everybody who is listed or seen, in that order."""
    listed = [str(person["id"]) for person in truth.people if "id" in person]
    seen = [person.id for frame in truth.frames for person in frame.people]
    return tuple(dict.fromkeys([*listed, *seen]))


def _frame(frame: _Frame, numbers: dict[str, int], size: tuple[int, int]) -> TrueFrame:
    shown = [(person, person.box_px) for person in frame.people if person.box_px is not None]
    scale = np.array(size, np.float32)
    keypoints = np.zeros((len(shown), 17, 3), np.float32)
    for row, (person, _) in enumerate(shown):
        keypoints[row, :, :2] = np.array(person.kp_px, np.float32) / scale
        keypoints[row, :, 2] = person.kp_visible
    boxes = np.array([box for _, box in shown], np.float32).reshape(-1, 2, 2) / scale
    return TrueFrame(
        at_s=frame.t,
        people=np.array([numbers[person.id] for person, _ in shown], np.int64),
        boxes=boxes.reshape(-1, 4).clip(0, 1),
        keypoints=keypoints,
        visible=np.array([person.visible_fraction for person, _ in shown], np.float32),
        feet_m=np.array([person.foot_m for person, _ in shown], np.float32).reshape(-1, 2),
        vehicles=frame.vehicles,
    )


def _first_reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error)
