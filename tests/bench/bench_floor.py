"""How well people are placed on the floor, and how honestly that is said.

On the rendered scenes and stills: cameras are calibrated with eight clicked and measured points,
then persons are placed from the truth's joints with noise, and from what the base network finds.
Usage: ``python -m tests.bench.bench_floor``.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns

import cv2
import numpy as np
from numpy.typing import NDArray

from safety.perception.detector import Detector
from safety.perception.load import load_pose_detector
from safety.types import Detections, TrackedPerson
from tests.support.floors import STILL_PX, Array, TrueFloor, rendered_stills, true_floor
from tests.support.pictures import POSE_MODEL, read_picture
from tests.support.third_party import third_party
from tests.support.truth import SCENES, Scene, TrueFrame, read_scene
from zones.calibration import FloorCalibration
from zones.floor import locate
from zones.survey import solve

WIDTHS: tuple[int | None, ...] = (None, 640, 1280)
STILL_WIDTHS: tuple[int | None, ...] = (None, 960)
"""Network widths; None: the truth with noise. The stills are 960 wide."""

BANDS_M = ((0.0, 8.0), (8.0, 16.0), (16.0, 99.0))
"""Distance from the camera."""

EVERY = 4
"""Every fourth frame of the scenes, 2.5 a second; every fourth still for the network."""

PAIRS = 8
CALIBRATIONS = 5
"""Calibrations per scene, each with other points."""

JOINT_NOISE = 0.015
"""Noise of the truth's joints, share of the box's height."""

LEAST_VISIBLE = 0.25
INSIDE_95 = 5.991
"""Squared Mahalanobis distance within which 95 % of the truth should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One person placed once.

    Attributes:
        away_m: True distance from the camera's foot.
        error_m: Distance from the truth.
        nees: Squared Mahalanobis distance from the truth; 2 on average if all is well.
        off_m: Error along the ray from the camera (outward positive) and across it.
        visible: Share of the body that is visible.
    """

    source: str
    away_m: float
    error_m: float
    nees: float
    off_m: tuple[float, float]
    visible: float


def run() -> dict[str, float]:
    """Measure, print a table, and return its figures.

    Returns:
        ``<source>_<band or kind>_<figure>``: p50 and p95 of the error in metres, the share of
        the truth inside the 95 % ellipse, the mean NEES; and ``ms_20_persons``.
    """
    third_party("scenes")
    figures: dict[str, float] = {}
    head = f"{'from':<14}{'band':<14}{'n':>6}{'p50 m':>8}{'p95 m':>8}{'in 95 %':>9}{'NEES':>7}\n"
    sys.stdout.write(head)
    with tempfile.TemporaryDirectory() as folder:
        for width in WIDTHS:
            placed = [each for name in SCENES for each in _placed(name, width, Path(folder))]
            figures |= _rows(f"scenes {width or 'truth'}", placed)
        for width in STILL_WIDTHS:
            figures |= _rows(f"stills {width or 'truth'}", list(_stills(width, Path(folder))))
    figures["ms_20_persons"] = _cost_ms()
    sys.stdout.write(f"20 persons: {figures['ms_20_persons']:.3f} ms\n")
    return figures


def _stills(width: int | None, cache: Path) -> Iterator[Placed]:
    """Everybody in the stills: 28 cameras, more postures and more hidden feet than the scenes."""
    draw, calibrations = np.random.default_rng(0), dict[int, list[FloorCalibration]]()
    detector = None if width is None else _detector(width, STILL_PX[0] / STILL_PX[1], cache)
    for number, still in enumerate(rendered_stills()):
        if still.camera not in calibrations:
            seeds = range(CALIBRATIONS * still.camera, CALIBRATIONS * (still.camera + 1))
            clicked = [still.floor.clicked(PAIRS, seed) for seed in seeds]
            calibrations[still.camera] = [solve(spec) for spec in clicked]
        if detector is None:
            found = _noisy(still.frame.detections(LEAST_VISIBLE), still.floor.aspect, draw)
        elif number % EVERY == 0:
            found = detector.detect([read_picture(still.picture)])[0]
        else:
            continue
        for calibration in calibrations[still.camera]:
            yield from _judged(still.frame, still.floor, 0, found, calibration)
    if detector is not None:
        detector.close()


def _placed(name: str, width: int | None, cache: Path) -> Iterator[Placed]:
    scene, floor = read_scene(name), true_floor(name)
    found = list(_detections(scene, width, cache))
    for seed in range(CALIBRATIONS):
        calibration = solve(floor.clicked(PAIRS, seed))
        for number, detections in found:
            yield from _judged(scene.frames[number], floor, number, detections, calibration)


def placed_from_truth(name: str, calibration: FloorCalibration) -> list[Placed]:
    """Everybody of a scene, placed from the truth with noise."""
    scene, floor = read_scene(name), true_floor(name)
    return [
        each
        for number, found in _detections(scene, None, Path())
        for each in _judged(scene.frames[number], floor, number, found, calibration)
    ]


def _detections(scene: Scene, width: int | None, cache: Path) -> Iterator[tuple[int, Detections]]:
    if width is None:
        draw = np.random.default_rng(0)
        for number in range(0, len(scene.frames), EVERY):
            found = scene.frames[number].detections(LEAST_VISIBLE)
            yield number, _noisy(found, scene.aspect, draw)
        return
    detector = _detector(width, scene.aspect, cache)
    film = cv2.VideoCapture(str(scene.video))
    for number in range(len(scene.frames)):
        there, pixels = film.read()
        if there and number % EVERY == 0:
            picture = np.ascontiguousarray(pixels[..., ::-1]).astype(np.uint8)
            yield number, detector.detect([picture])[0]
    film.release()
    detector.close()


def _detector(width: int, aspect: float, cache: Path) -> Detector:
    model = third_party(POSE_MODEL)
    return load_pose_detector(model, width=width, aspect=aspect, cache_dir=cache)


def _noisy(found: Detections, aspect: float, draw: np.random.Generator) -> Detections:
    heights = (found.boxes[:, 3] - found.boxes[:, 1])[:, None, None]
    keypoints = found.keypoints.copy()
    noise = draw.normal(0, JOINT_NOISE, keypoints[:, :, :2].shape) * heights / (aspect, 1)
    keypoints[:, :, :2] += noise.astype(np.float32)
    return Detections(
        boxes=found.boxes, scores=found.scores, classes=found.classes, keypoints=keypoints
    )


def _judged(
    frame: TrueFrame,
    floor: TrueFloor,
    number: int,
    found: Detections,
    calibration: FloorCalibration,
) -> Iterator[Placed]:
    for person in locate(_persons(found), calibration):
        overlap = _overlaps(person.box.astype(np.float64), frame.boxes.astype(np.float64))
        if not len(overlap) or overlap.max() < 0.5 or person.floor is None:
            continue
        row = int(overlap.argmax())
        truth, place = floor.feet_m[number][row], person.floor
        off = np.array([place.x_m, place.y_m]) - truth
        xx, xy, yy = place.covariance_m2
        ray = truth - floor.camera_m[:2]
        away = float(np.hypot(*ray))
        along = float(off @ ray / away)
        across = float(off @ np.array([-ray[1], ray[0]]) / away)
        yield Placed(
            source=place.source,
            away_m=away,
            error_m=float(np.hypot(*off)),
            nees=float(off @ np.linalg.solve([[xx, xy], [xy, yy]], off)),
            off_m=(along, across),
            visible=float(frame.visible[row]),
        )


def _persons(found: Detections) -> list[TrackedPerson]:
    return [
        TrackedPerson(
            track_id=row + 1,
            box=found.boxes[row],
            score=float(found.scores[row]),
            keypoints=found.keypoints[row],
            age_s=1.0,
        )
        for row in range(len(found))
    ]


def _overlaps(box: Array, others: Array) -> NDArray[np.float64]:
    """Intersection over union of one box with others."""
    least = np.maximum(box[:2], others[:, :2])
    most = np.minimum(box[2:], others[:, 2:])
    shared = (most - least).clip(0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    union: Array = (box[2:] - box[:2]).prod() + areas - shared
    return np.asarray(shared / union)


def _grouped(placed: list[Placed]) -> dict[str, list[Placed]]:
    groups = {
        f"{low:g}-{high:g} m" if high < 99 else f"{low:g}+ m": [
            each for each in placed if low <= each.away_m < high
        ]
        for low, high in BANDS_M
    }
    for source in ("ankles", "box_bottom", "extrapolated"):
        groups[source] = [each for each in placed if each.source == source]
    return groups | {"all": placed}


def _rows(source: str, placed: list[Placed]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for band, chosen in _grouped(placed).items():
        if chosen:
            figures |= _row(source, band, chosen)
    return figures


def _row(source: str, band: str, placed: list[Placed]) -> dict[str, float]:
    p50, p95 = np.percentile([each.error_m for each in placed], [50, 95])
    nees = np.array([each.nees for each in placed])
    inside = float((nees <= INSIDE_95).mean())
    sys.stdout.write(
        f"{source:<14}{band:<14}{len(placed) // CALIBRATIONS:>6}{p50:>8.2f}{p95:>8.2f}"
        f"{inside:>9.3f}{nees.mean():>7.2f}\n"
    )
    name = f"{source}_{band}"
    return {
        f"{name}_p50_m": float(p50),
        f"{name}_p95_m": float(p95),
        f"{name}_inside_95": inside,
        f"{name}_nees": float(nees.mean()),
    }


def _cost_ms() -> float:
    """Median milliseconds for twenty persons in one picture."""
    name = "cell_intrusion"
    calibration = solve(true_floor(name).clicked(PAIRS, 0))
    people = [p for o in read_scene(name).observations()[:20] for p in o.persons][:20]
    samples = []
    for _ in range(500):
        begun = perf_counter_ns()
        locate(people, calibration)
        samples.append((perf_counter_ns() - begun) / 1e6)
    return float(np.median(samples))


if __name__ == "__main__":
    run()
