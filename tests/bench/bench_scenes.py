"""Alarms on scenes whose truth is known: ours against two common ways, on the same detections.

Usage: ``python -m tests.bench scenes``; the networks are the ones the settings choose.
"""

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from cameras.film import frames_of
from safety.clock import ManualClock
from safety.config import Settings
from safety.perception.detector import ObjectDetector
from safety.perception.load import load_pose_detector
from safety.perception.models import find_pose_model
from safety.perception.ppe import crop_of
from safety.perception.ppe_load import load_ppe_detector
from safety.perception.recorded import RecordedDetector
from safety.perception.tracking import LEAST_SCORE
from safety.scoring.events import KINDS, Alarm, RuleScore, score_events
from safety.scoring.run import Networks, score_scene
from safety.scoring.scene import Scene, read_scene
from safety.scoring.site import rules_of
from safety.types import Detections
from tests.bench.scene_rivals import (
    SURE,
    Judge,
    Look,
    alarms_of,
    pixel_heuristics,
    zones_and_tracks,
)
from tests.support.third_party import shared_folder

WIDTH_PX = 640
LOOK_EVERY = 5
"""Every so many frames equipment is looked for on behalf of the rivals: half a second."""

Totals = dict[str, dict[str, RuleScore]]


def run() -> dict[str, float]:
    """Measure, print a table, and return its figures; empty where scenes or a library miss."""
    folder = shared_folder() / "scenes"
    if not folder.is_dir() or find_spec("supervision") is None:
        sys.stdout.write(f"bench_scenes: {folder} or supervision is missing; nothing measured\n")
        return {}
    totals: Totals = {}
    with tempfile.TemporaryDirectory() as cache:
        settings = Settings(data_dir=Path(cache))
        ppe = load_ppe_detector(settings)
        for path in sorted(folder.iterdir()):
            _compare(totals, read_scene(path), settings, ppe)
        ppe.close()
    sys.stdout.write(f"load {os.getloadavg()[0]:.1f}, network {WIDTH_PX} px wide\n")
    sys.stdout.write(f"{'way':<18}{'rule':<13}{'events':>7}{'found':>7}{'false':>7}{'p50 s':>7}\n")
    figures: dict[str, float] = {}
    for way, scores in totals.items():
        for kind, score in sorted(scores.items()):
            delay = score.delay_s(50)
            shown = "-" if delay is None else f"{delay:.1f}"
            sys.stdout.write(f"{way:<18}{kind:<13}{score.events:>7}{score.detected:>7}")
            sys.stdout.write(f"{score.false_alarms:>7}{shown:>7}\n")
            figures[f"{way}_{kind}_found"] = score.detected
            figures[f"{way}_{kind}_false"] = score.false_alarms
    return figures


def _compare(totals: Totals, scene: Scene, settings: Settings, ppe: ObjectDetector) -> None:
    found, looks, network_px = _look(scene, settings, ppe)
    recorded = RecordedDetector(found, network_px=network_px)
    ours = score_scene(scene, Networks(people=recorded, ppe=ppe))
    _add(totals, "ours", ours.rules)
    rivals: dict[str, Judge] = {
        "pixel heuristics": pixel_heuristics(scene, looks),
        "PolygonZone+Byte": zones_and_tracks(scene),
    }
    for way, judge in rivals.items():
        alarms = alarms_of(scene, found, judge)
        _add(totals, way, {rule.kind: _scored(scene, rule.kind, alarms) for rule in rules_of(scene)
                           if rule.kind in KINDS.values()})  # fmt: skip


def _scored(scene: Scene, kind: str, alarms: list[Alarm]) -> RuleScore:
    """Without a hold of its own a rival is as fast as it can be."""
    return score_events(kind, scene.events, alarms, hold_s=0.0)


def _add(totals: Totals, way: str, scores: dict[str, RuleScore]) -> None:
    for kind, score in scores.items():
        totals.setdefault(way, {}).setdefault(kind, RuleScore()).add(score)


def _look(
    scene: Scene, settings: Settings, ppe: ObjectDetector
) -> tuple[list[Detections], Look, tuple[int, int]]:
    """What the networks find in a scene, once for everybody."""
    people = load_pose_detector(
        find_pose_model(settings), width=WIDTH_PX, aspect=scene.aspect, backend=settings.backend,
        device=settings.device, cache_dir=settings.data_dir / "models", confidence=LEAST_SCORE,
    )  # fmt: skip
    found: list[Detections] = []
    looks = {}
    begin = ManualClock().now()
    film = frames_of(scene.video, camera_id="scene", width_px=people.network_px[0], starts=begin)
    for number, frame in enumerate(film):
        found += people.detect([frame.picture])
        if "ppe" in scene.rules and number % LOOK_EVERY == 0:
            boxes = found[-1].boxes[found[-1].scores >= SURE]
            crops = [crop_of(box, frame.width_px, frame.height_px) for box in boxes]
            pictures = [frame.full.crop(c.left, c.top, c.right, c.bottom) for c in crops]
            looks[number] = [(objects, ppe.names) for objects in ppe.detect(pictures)]
    people.close()
    return found, looks, people.network_px


if __name__ == "__main__":
    run()
