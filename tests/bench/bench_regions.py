"""People found in the whole picture at several widths and by close-ups, and what each costs.

On rendered stills of cameras that the network was not trained on a zone of 4 x 4 m lies round
the farthest person in full view, and everybody in it is to be found; on the rendered scenes
everybody is, with a close-up of each zone that gets one. Prints also from which height on people
are found at all. Usage: ``python -m tests.bench regions``; the network is the one the settings
choose.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cameras.film import frames_of
from cameras.region_plan import least_px
from cameras.region_plan_heights import CalibratedHeights, Heights
from cameras.region_plan_zones import SeenZone, region_of, seen_zone
from cameras.regions import WHOLE, Region, cut, merged
from safety.clock import ManualClock, SystemClock
from safety.config import Settings
from safety.perception.detector import Detector
from safety.perception.load import load_pose_detector
from safety.perception.models import find_pose_model
from safety.perception.tracking import LEAST_SCORE, NEW_TRACK_SCORE
from safety.scoring.scene import read_scene
from safety.scoring.site import calibration_of, zones_of
from safety.types import Detections, FloatArray, Frame
from tests.support.pictures import WholePicture, read_picture
from tests.support.third_party import shared_folder

WIDTHS = (640, 960, 1280)
CLOSE_UP = 640
HALF_ZONE_M = 2.0
EVERY = 6
"""Of a scene's frames every so many are looked at."""

IN_FULL_VIEW = 0.75
HALF_VISIBLE = 0.5
HIT = 0.5
"""Overlap from which on a box is a person's."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One picture with people to be found in it.

    Attributes:
        boxes: (N, 4), normalised.
        heights: (N,) of a standing person there, shares of the picture's height.
        clear: (N,) whether they are in full view.
    """

    source: str
    frame: Frame
    regions: tuple[Region, ...]
    boxes: FloatArray
    heights: Array
    clear: NDArray[np.bool_]


class TrueHeights(Heights):
    """Straight from a rendering's camera."""

    def __init__(self, camera: dict[str, Any], size: tuple[int, int]) -> None:
        self._size = np.array(size, np.float64)
        self._view = np.array(camera["K"]) @ np.array(camera["Rt"])

    def picture(self, places_m: Array, height_m: float) -> Array:
        """Places on the floor, so high above it, in the picture."""
        raised = np.column_stack(
            [places_m, np.full(len(places_m), height_m), np.ones(len(places_m))]
        )
        seen = raised @ self._view.T
        return np.asarray(seen[:, :2] / seen[:, 2:] / self._size)

    def of(self, feet: Array) -> Array:
        """As ``Heights``."""
        matrix = self._view[:, [0, 1, 3]]
        places = np.column_stack([feet * self._size, np.ones(len(feet))]) @ np.linalg.inv(matrix).T
        return self.tall(places[:, :2] / places[:, 2:])

    def tall(self, places_m: Array) -> Array:
        """The same for places on the floor."""
        foot, head = self.picture(places_m, 0.0), self.picture(places_m, 1.7)
        off = (head - foot) * np.array([self._size[0] / self._size[1], 1.0])
        return np.asarray(np.hypot(*off.T))


def stills() -> Iterator[Sample]:
    """Rendered stills with a zone round the farthest person in full view."""
    folder = shared_folder() / "data/rendered"
    names = {Path(line).stem for line in (folder / "val.txt").read_text().split()}
    for line in (folder / "meta.jsonl").read_text().splitlines():
        still = json.loads(line)
        if still["name"] in names:
            picture = read_picture(folder / "images" / f"{still['name']}.webp")
            sample = _still(still, _frame(picture))
            if sample is not None:
                yield sample


def _still(still: dict[str, Any], frame: Frame) -> Sample | None:
    size = (frame.width_px, frame.height_px)
    heights = TrueHeights(still["camera"], size)
    people = [each for each in still["people"] if each["box_px"]]
    clear = [each for each in people if each["visible_fraction"] >= IN_FULL_VIEW]
    if not clear:
        return None
    x, y = max(clear, key=lambda each: float(each["distance_m"]))["foot_m"]
    corners = np.array([x, y]) + np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * HALF_ZONE_M
    polygon = tuple((float(a), float(b)) for a, b in heights.picture(corners, 0.0).clip(0, 1))
    zone = seen_zone("zone", polygon, None, ruled=True, heights=heights, calibration=None)
    inside = [
        each
        for each in people
        if np.abs(np.array(each["foot_m"]) - (x, y)).max() <= HALF_ZONE_M
        and each["visible_fraction"] >= HALF_VISIBLE
    ]
    boxes = np.array([each["box_px"] for each in inside], np.float32).reshape(-1, 2, 2)
    boxes /= np.array(size, np.float32)
    return Sample(
        source="stills",
        frame=frame,
        regions=(_region([zone], frame),),
        boxes=boxes.reshape(-1, 4),
        heights=heights.tall(np.array([each["foot_m"] for each in inside])),
        clear=np.array([each["visible_fraction"] >= IN_FULL_VIEW for each in inside]),
    )


def scenes() -> Iterator[Sample]:
    """Frames of the rendered scenes, with a close-up of every zone that gets one."""
    for folder in sorted((shared_folder() / "scenes").iterdir()):
        scene = read_scene(folder)
        calibration = calibration_of(scene)
        seen = [
            seen_zone(
                zone.id,
                polygon,
                zone.floor_m,
                ruled=True,
                heights=CalibratedHeights(calibration),
                calibration=calibration,
            )
            for zone in zones_of(scene)
            if (polygon := zone.polygon or calibration.picture_polygon(zone.floor_m or ()))
        ]
        begin = ManualClock().now()
        film = frames_of(scene.video, camera_id="scene", width_px=CLOSE_UP, starts=begin)
        for number, (frame, truth) in enumerate(zip(film, scene.frames, strict=False)):
            if number % EVERY == 0:
                shown = truth.visible >= 0.25
                close_ups = {_region([zone], frame) for zone in seen} - {WHOLE}
                yield Sample(
                    source=scene.name,
                    frame=frame,
                    regions=tuple(close_ups),
                    boxes=truth.boxes[shown],
                    heights=calibration.heights(truth.feet_m[shown].astype(np.float64), 1.7),
                    clear=truth.visible[shown] >= IN_FULL_VIEW,
                )


def _frame(picture: NDArray[np.uint8]) -> Frame:
    height_px, width_px = picture.shape[:2]
    return Frame(
        camera_id="still",
        sequence=1,
        captured_at=ManualClock().now(),
        width_px=width_px,
        height_px=height_px,
        picture=picture[:, :1],
        full=WholePicture(picture),
    )


def _region(zones: list[SeenZone], frame: Frame) -> Region:
    least = min(1.0, CLOSE_UP / frame.width_px)
    region = region_of(zones, aspect=frame.width_px / frame.height_px, least=least)
    return region.snapped(frame.width_px, frame.height_px)


@dataclass(slots=True)
class Way:
    """A way of looking, and how it did."""

    name: str
    width: int
    close_up: bool
    found: dict[str, list[bool]]
    px: list[tuple[float, float, bool]]
    ms: float = 0.0
    pictures: int = 0

    def look(self, detector: Detector, sample: Sample) -> None:
        """Look at one picture."""
        clock = SystemClock()
        regions = (*sample.regions, WHOLE) if self.close_up else (WHOLE,)
        begun = clock.now().monotonic
        found = detector.detect([cut(sample.frame, each, self.width) for each in regions])
        self.ms += (clock.now().monotonic - begun) * 1000
        self.pictures += 1
        hits = _hits(sample.boxes, merged(list(zip(regions, found, strict=True))))
        self.found.setdefault(sample.source, []).extend(hits)
        if not self.close_up:
            scale = self.width / sample.frame.width_px
            tall = sample.heights * sample.frame.height_px * scale / least_px(scale)
            self.px += [
                (scale, float(each), hit)
                for each, hit, clear in zip(tall, hits, sample.clear, strict=True)
                if clear
            ]


def _hits(boxes: FloatArray, found: Detections) -> list[bool]:
    likely = (found.classes == 0) & (found.scores >= NEW_TRACK_SCORE)
    low = np.maximum(boxes[:, None, :2], found.boxes[None, likely, :2])
    high = np.minimum(boxes[:, None, 2:], found.boxes[None, likely, 2:])
    shared = np.prod((high - low).clip(min=0), axis=2)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)[:, None]
    other = np.prod(found.boxes[likely, 2:] - found.boxes[likely, :2], axis=1)[None, :]
    overlap = shared / np.maximum(area + other - shared, 1e-12)
    return [bool(row.max(initial=0.0) >= HIT) for row in overlap]


def run() -> dict[str, float]:
    """Measure, print tables, and return the figures: recall and ms by way and source."""
    if not (shared_folder() / "data/rendered").is_dir():
        sys.stdout.write(f"bench_regions: {shared_folder()} is missing; nothing measured\n")
        return {}
    ways = [Way(f"whole {width}", width, False, {}, []) for width in WIDTHS]
    ways.append(Way("close-up 640 + whole 640", CLOSE_UP, True, {}, []))
    with tempfile.TemporaryDirectory() as cache:
        settings = Settings(data_dir=Path(cache))
        detectors = {
            width: load_pose_detector(
                find_pose_model(settings), width=width, aspect=16 / 9, backend=settings.backend,
                device=settings.device, cache_dir=settings.models_dir, confidence=LEAST_SCORE,
            )
            for width in WIDTHS
        }  # fmt: skip
        for samples in (stills(), scenes()):
            for sample in samples:
                for way in ways:
                    way.look(detectors[way.width], sample)
    _print(ways)
    return {
        f"{way.name}, {source}": float(np.mean(hits))
        for way in ways
        for source, hits in way.found.items()
    } | {f"{way.name}, ms": way.ms / way.pictures for way in ways}


def _print(ways: Sequence[Way]) -> None:
    sys.stdout.write(f"load {os.getloadavg()[0]:.1f}\n{'':<18}")
    sys.stdout.write("".join(f"{way.name:>26}" for way in ways) + "\n")
    for source in ways[0].found:
        row = "".join(_share(way.found[source], 26) for way in ways)
        sys.stdout.write(f"{source:<18}{row}\n")
    times = "".join(f"{way.ms / way.pictures:>23.1f} ms" for way in ways)
    sys.stdout.write(f"{'per frame':<18}{times}\n\nheight over the least that is called enough\n")
    for low, high in ((0.0, 0.5), (0.5, 0.75), (0.75, 1.0), (1.0, 1.25), (1.25, 9.0)):
        hits = [[hit for _, px, hit in way.px if low <= px < high] for way in ways[: len(WIDTHS)]]
        row = "".join(_share(each, 26) for each in hits)
        sys.stdout.write(f"{low:>5.2f} to {high:<9.2f}{row}\n")


def _share(hits: Sequence[bool], width: int) -> str:
    text = f"{sum(hits)}/{len(hits)} = {np.mean(hits):.3f}" if hits else "-"
    return f"{text:>{width}}"


if __name__ == "__main__":
    run()
