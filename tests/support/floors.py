"""The floor of the rendered scenes: calibrations as installers make them, and who stands where."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.third_party import shared_folder
from tests.support.truth import TrueFrame
from zones.calibration import CalibrationSpec, PointPair

Array = NDArray[np.float64]

CLICK_PX = 2.0
"""Standard deviation of a click, pixels of a picture 720 high."""

MEASURE_M = 0.03
"""Standard deviation of a place measured on the floor, metres."""

FARTHEST_M = 22.0
"""Nobody clicks points farther away."""


STILL_PX = (960, 540)
VISIBLE = 2
"""Of a labelled joint: neither hidden nor outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueFloor:
    """A scene's floor.

    Attributes:
        to_picture: (3, 3) plan metres → picture, normalised.
        camera_m: x, y and height of the camera.
        feet_m: For every frame (N, 2), the middle between both ankles of everybody who has a
            box, in the order of ``TrueFrame``.
    """

    aspect: float
    to_picture: Array
    camera_m: Array
    feet_m: tuple[Array, ...]

    def project(self, places_m: Array) -> Array:
        """Places on the plan, (N, 2), as the perfect camera shows them."""
        flat = np.column_stack([places_m, np.ones(len(places_m))]) @ self.to_picture.T
        return np.asarray(flat[:, :2] / flat[:, 2:])

    def clicked(self, count: int, seed: int) -> CalibrationSpec:
        """Points all over the floor in view, as well as people click and measure them."""
        draw = np.random.default_rng(seed)
        pairs: list[PointPair] = []
        # One point in every part of the floor, as an installer would look for them.
        columns = (count + 1) // 2
        for number in range(count):
            low = (0.04 + 0.92 * (number % columns) / columns, 0.5 * (number // columns))
            picture, place = self._point(draw, low, (0.92 / columns, 0.5))
            picture += draw.normal(0, CLICK_PX / 720, 2) / (self.aspect, 1)
            place += draw.normal(0, MEASURE_M, 2)
            x, y = picture.clip(0, 1).tolist()
            pairs.append(PointPair(picture=(x, y), plan_m=(float(place[0]), float(place[1]))))
        return CalibrationSpec(pairs=tuple(pairs), aspect=self.aspect)

    def _point(
        self, draw: np.random.Generator, low: tuple[float, float], size: tuple[float, float]
    ) -> tuple[Array, Array]:
        """A point of a part of the floor; ``low`` and ``size`` are shares of the floor in view."""
        back = np.linalg.inv(self.to_picture)
        top = self._farthest_row()
        while True:
            share = np.array(low) + draw.random(2) * size
            picture = np.array([share[0], top + (0.97 - top) * share[1]])
            flat = back @ [*picture, 1.0]
            place = flat[:2] / flat[2]
            if np.hypot(*(place - self.camera_m[:2])) <= FARTHEST_M + 8:
                return picture, place

    def _farthest_row(self) -> float:
        back = np.linalg.inv(self.to_picture)
        for row in np.linspace(0.02, 0.9, 200):
            flat = back @ [0.5, row, 1.0]
            ahead = self.to_picture[2, :2] @ flat[:2] / flat[2] + self.to_picture[2, 2] > 0
            if ahead and np.hypot(*(flat[:2] / flat[2] - self.camera_m[:2])) <= FARTHEST_M:
                return float(row)
        raise AssertionError("no floor in view")


@cache
def true_floor(name: str) -> TrueFloor:
    """The floor of a scene in ``shared/scenes``.

    Raises:
        FileNotFoundError: It is not on this machine.
    """
    text = (shared_folder() / "scenes" / name / "truth.json").read_text(encoding="utf-8")
    truth = json.loads(text)
    feet = [_feet(frame["people"]) for frame in truth["frames"]]
    return _floor(truth["camera"], (truth["width"], truth["height"]), feet)


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """One rendered still: another hall and other people in every camera.

    Attributes:
        camera: Number of the camera.
        floor, frame: What is true; the floor's feet have one entry.
    """

    camera: int
    picture: Path
    floor: TrueFloor
    frame: TrueFrame


def rendered_stills() -> Iterator[Still]:
    """All stills with people in ``shared/data/rendered``.

    Raises:
        FileNotFoundError: They are not on this machine.
    """
    folder = shared_folder() / "data/rendered"
    for line in (folder / "meta.jsonl").read_text(encoding="utf-8").splitlines():
        truth = json.loads(line)
        people = [person for person in truth["people"] if person["box_px"]]
        if people:
            yield Still(
                camera=truth["camera_id"],
                picture=folder / "images" / f"{truth['name']}.webp",
                floor=_floor(truth["camera"], STILL_PX, [_feet(people)]),
                frame=_frame(people),
            )


def _floor(camera: dict[str, Any], size: tuple[int, int], feet: list[Array]) -> TrueFloor:
    scale = np.diag([1 / size[0], 1 / size[1], 1.0])
    return TrueFloor(
        aspect=size[0] / size[1],
        to_picture=scale @ np.array(camera["floor_to_image"]),
        camera_m=np.array(camera["location_m"], float),
        feet_m=tuple(feet),
    )


def _feet(people: list[dict[str, Any]]) -> Array:
    return np.array([p["foot_m"] for p in people if p["box_px"]], float).reshape(-1, 2)


def _frame(people: list[dict[str, Any]]) -> TrueFrame:
    scale = np.array(STILL_PX, np.float32)
    boxes = np.array([person["box_px"] for person in people], np.float32).reshape(-1, 2, 2)
    keypoints = np.zeros((len(people), 17, 3), np.float32)
    keypoints[:, :, :2] = np.array([person["kp_px"] for person in people], np.float32) / scale
    keypoints[:, :, 2] = np.array([person["kp_v"] for person in people]) == VISIBLE
    return TrueFrame(
        at_s=0.0,
        people=np.arange(len(people)),
        boxes=(boxes / scale).reshape(-1, 4).clip(0, 1),
        keypoints=keypoints,
        visible=np.array([person["visible_fraction"] for person in people], np.float32),
    )
