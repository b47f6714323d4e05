"""Milliseconds of tracking and rules per frame, 20 persons and 10 zones.

Ours against ByteTrack of roboflow's ``trackers`` with ``PolygonZone`` of ``supervision``, which
counts who is inside and keeps no durations. All take turns in the same run. Usage:
``python -m tests.bench.bench_rules``.
"""

import math
import sys
from collections.abc import Callable
from importlib.util import find_spec
from time import perf_counter_ns
from uuid import uuid4

import numpy as np

from safety.clock import Instant
from safety.perception.tracking import create_tracker
from safety.types import Detections, Observation, PlantState
from tests.bench import rules_plant
from zones.engine import RuleEngine
from zones.geometry import Polygon
from zones.rules.dwell import DwellSpec
from zones.rules.intrusion import IntrusionSpec
from zones.specs import RuleSpec, ZoneSpec

PERSONS = 20
ZONES = 10
FPS = 10.0
FRAMES = 300
ROUNDS = 5
BUDGET_MS = 0.5
WIDTH_PX, HEIGHT_PX = 1280, 720

Step = Callable[[Detections, float], object]


def run() -> dict[str, float]:
    """Measure, print a table, and return its figures.

    Returns:
        ``<contender>_<layout>_ms_p50`` and ``..._ms_p99``; layouts: ``apart``, ten zones of
        4 % of the picture each, ``everywhere``, ten zones that all hold everybody, and
        ``plant``, ten zones on the floor, eleven rules of ten kinds and three robots.
    """
    figures: dict[str, float] = {}
    walk = [_crowd(number / FPS) for number in range(FRAMES * ROUNDS)]
    for layout, polygons in (("apart", _apart()), ("everywhere", _everywhere())):
        contenders: dict[str, Step] = {
            "tracking": _tracking(),
            "tracking_rules": _ours(polygons),
        }
        if find_spec("supervision") is not None and find_spec("trackers") is not None:
            contenders["library"] = _library(polygons)
        else:
            sys.stdout.write("bench_rules: supervision or trackers is not installed: ours alone\n")
        for name, samples in _measure(contenders, walk).items():
            p50, p99 = np.percentile(samples, [50, 99])
            figures |= {
                f"{name}_{layout}_ms_p50": float(p50),
                f"{name}_{layout}_ms_p99": float(p99),
            }
            _print(name, layout, p50, p99)
    floor = rules_plant.walk(FRAMES * 2, FPS)
    for name, samples in _measure(rules_plant.steps(), floor).items():
        p50, p99 = np.percentile(samples, [50, 99])
        figures |= {f"{name}_plant_ms_p50": float(p50), f"{name}_plant_ms_p99": float(p99)}
        _print(name, "plant", p50, p99)
    return figures


def _print(name: str, layout: str, p50: float, p99: float) -> None:
    sys.stdout.write(
        f"{name:<22}{layout:<12}p50 {p50:6.3f} ms   p99 {p99:6.3f} ms   budget {BUDGET_MS} ms\n"
    )


def _measure(contenders: dict[str, Step], walk: list[Detections]) -> dict[str, list[float]]:
    """Milliseconds per frame; the contenders take turns, round by round."""
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for start in range(0, len(walk), FRAMES):
        for name, step in contenders.items():
            for number in range(start, start + FRAMES):
                began = perf_counter_ns()
                step(walk[number], number / FPS)
                samples[name].append((perf_counter_ns() - began) / 1e6)
    return samples


def _tracking() -> Step:
    tracker = create_tracker(WIDTH_PX / HEIGHT_PX)
    return lambda found, at_s: tracker.update(found, Instant(wall=at_s, monotonic=at_s))


def _ours(polygons: list[Polygon]) -> Step:
    tracker = create_tracker(WIDTH_PX / HEIGHT_PX)
    zones = [
        ZoneSpec(id=f"z{n}", name=f"Zone {n}", camera_id="cam", polygon=polygon)
        for n, polygon in enumerate(polygons)
    ]
    rules = [_rule(number) for number in range(len(zones))]
    engine = RuleEngine(
        camera_id="cam",
        zones=zones,
        rules=rules,
        rule_revisions={rule.id: 1 for rule in rules},
        new_id=lambda: uuid4().hex,
    )
    plant = PlantState()

    def step(found: Detections, at_s: float) -> object:
        at = Instant(wall=at_s, monotonic=at_s)
        observation = Observation(
            camera_id="cam",
            at=at,
            sequence=1,
            aspect=WIDTH_PX / HEIGHT_PX,
            persons=tracker.update(found, at),
        )
        return engine.update(observation, plant)

    return step


def _rule(number: int) -> RuleSpec:
    """Intrusion and dwell by turns."""
    if number % 2:
        return DwellSpec(id=f"r{number}", name="Dwell", zone_id=f"z{number}", limit_s=5)
    return IntrusionSpec(id=f"r{number}", name="Intrusion", zone_id=f"z{number}")


def _library(polygons: list[Polygon]) -> Step:
    import supervision
    from trackers import ByteTrackTracker

    tracker = ByteTrackTracker(frame_rate=FPS)
    size = np.array([WIDTH_PX, HEIGHT_PX] * 2)
    zones = [supervision.PolygonZone((np.array(p) * size[:2]).astype(int)) for p in polygons]

    def step(found: Detections, at_s: float) -> object:
        seen = tracker.update(
            supervision.Detections(
                xyxy=found.boxes * size, confidence=found.scores, class_id=found.classes
            ),
            timestamp=at_s,
        )
        return [zone.trigger(seen) for zone in zones]

    return step


def _crowd(at_s: float) -> Detections:
    """Twenty people who walk to and fro, their poses with them."""
    number = np.arange(PERSONS)
    x = 0.06 + 0.18 * (number % 5) + 0.05 * np.sin(at_s * 0.8 + number)
    y = 0.15 + 0.2 * (number // 5) + 0.04 * np.cos(at_s * 0.6 + number)
    boxes = np.stack([x - 0.02, y - 0.1, x + 0.02, y + 0.1], axis=1)
    stride = 0.01 * np.sin(at_s * 2 * math.pi + np.arange(17))
    keypoints = np.stack(
        [
            x[:, None] + stride,
            np.linspace(y - 0.1, y + 0.1, 17).T,
            np.full((PERSONS, 17), 0.8),
        ],
        axis=2,
    )
    return Detections(
        boxes=boxes.astype(np.float32),
        scores=np.linspace(0.9, 0.55, PERSONS).astype(np.float32),
        classes=np.zeros(PERSONS, np.int64),
        keypoints=keypoints.astype(np.float32),
    )


def _apart() -> list[Polygon]:
    return [
        tuple((0.02 + 0.2 * (n % 5) + dx, 0.1 + 0.45 * (n // 5) + dy) for dx, dy in _OUTLINE)
        for n in range(ZONES)
    ]


_OUTLINE = ((0.0, 0.0), (0.14, 0.02), (0.16, 0.2), (0.08, 0.3), (0.0, 0.25))


def _everywhere() -> list[Polygon]:
    return [((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.99), (0.0, 1.0))] * ZONES


if __name__ == "__main__":
    run()
