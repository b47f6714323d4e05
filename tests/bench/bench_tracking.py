"""Identities kept by our tracker and by kept libraries, on the rendered scenes' truth.

Detections come from the truth itself and from our own detector at two widths, at 10, 5 and
3 frames a second and with 30 % of the frames lost. Scores are computed by roboflow's
``trackers.eval``. Usage: ``python -m tests.bench.bench_tracking``.
"""

import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safety.clock import Instant
from safety.perception.load import load_pose_detector
from safety.perception.tracking import LEAST_SCORE, create_tracker
from safety.types import Detections
from tests.support.pictures import POSE_MODEL
from tests.support.third_party import shared_folder
from tests.support.truth import SCENES, Scene, read_scene

LEAST_VISIBLE = 0.25
"""People less visible than this need not be found, and finding them is no mistake."""

RATES: tuple[float | None, ...] = (10.0, 5.0, 3.0, None)
"""Frames a second; None: 10 with 30 % lost at random."""

SOURCES: tuple[int | None, ...] = (None, 640, 1280)
"""Network widths; None: the truth."""

Boxes = NDArray[np.float64]
Step = Callable[[Detections, float], tuple[NDArray[np.int64], Boxes]]
"""Takes detections and the frame's seconds, gives identities (N,) and boxes (N, 4)."""


def run() -> dict[str, float]:
    """Measure, print a table, and return its figures.

    Returns:
        ``<tracker>_<source>_<rate>_<score>``: HOTA, AssA, IDF1 (0-1), IDSW (switches of
        identity) and IDs (identities per person; 1 is perfect). Empty where the scenes or
        the libraries are missing.
    """
    missing = _missing()
    if missing:
        sys.stdout.write(f"bench_tracking: {missing}; nothing measured\n")
        return {}
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sys.stdout.write(f"{'tracker':<17}{'source':<8}{'fps':<6}{'HOTA':>7}{'AssA':>7}")
        sys.stdout.write(f"{'IDF1':>7}{'IDSW':>6}{'IDs':>7}\n")
        for width in SOURCES:
            found = {name: _detections(read_scene(name), width, Path(folder)) for name in SCENES}
            for tracker, make in _contenders().items():
                for rate in RATES:
                    scores = _score(make, found, rate)
                    labels = (tracker, str(width or "truth"), f"{rate:g}" if rate else "lossy")
                    figures |= {"_".join((*labels, key)): v for key, v in scores.items()}
                    _print_row(labels, scores)
    return figures


def _missing() -> str:
    if find_spec("trackers") is None or find_spec("supervision") is None:
        return "trackers or supervision is not installed (dependency group bench)"
    if not (shared_folder() / "scenes").is_dir():
        return f"{shared_folder() / 'scenes'} is not there"
    return ""


def _contenders() -> dict[str, Callable[[Scene], Step]]:
    """Ours, and every library tracker that takes time stamps, as shipped and tuned here.

    Tuned: the best IDF1 of a grid over activation score, score that parts sure from doubtful
    detections, least IoU and frames until a track counts; see ADR 0003.
    """
    from trackers import ByteTrackTracker, CBIoUTracker, OCSORTTracker

    eager: dict[str, Any] = {
        "high_conf_det_threshold": 0.3, "minimum_consecutive_frames": 1, "lost_track_buffer": 60,
    }  # fmt: skip
    wide = {"minimum_iou_threshold_first_assoc": 0.1, "minimum_iou_threshold_second_assoc": 0.2}
    return {
        "ours": _ours,
        "ByteTrack": _library(ByteTrackTracker),
        "ByteTrack tuned": _library(ByteTrackTracker, track_activation_threshold=0.3, **eager),
        "C-BIoU tuned": _library(CBIoUTracker, track_activation_threshold=0.3, **eager, **wide),
        "OC-SORT tuned": _library(OCSORTTracker, **eager),
    }


def _ours(scene: Scene) -> Step:
    tracker = create_tracker(scene.aspect)

    def step(found: Detections, at_s: float) -> tuple[NDArray[np.int64], Boxes]:
        seen = tracker.update(found, Instant(wall=at_s, monotonic=at_s))
        boxes = np.array([p.box for p in seen], np.float64).reshape(-1, 4)
        return np.array([p.track_id for p in seen], np.int64), boxes

    return step


def _library(kind: Callable[..., Any], **settings: Any) -> Callable[[Scene], Step]:
    import supervision

    def make(scene: Scene) -> Step:
        tracker = kind(frame_rate=10.0, **settings)
        size = np.array([scene.width_px, scene.height_px] * 2)

        def step(found: Detections, at_s: float) -> tuple[NDArray[np.int64], Boxes]:
            theirs = supervision.Detections(
                xyxy=found.boxes * size, confidence=found.scores, class_id=found.classes
            )
            seen = tracker.update(theirs, timestamp=at_s)
            known = seen.tracker_id >= 0
            return seen.tracker_id[known].astype(np.int64), seen.xyxy[known] / size

        return step

    return make


def _detections(scene: Scene, width: int | None, cache: Path) -> list[Detections]:
    """What the network of this width finds in every frame; the truth if there is no width."""
    if width is None:
        return [frame.detections(LEAST_VISIBLE) for frame in scene.frames]
    detector = load_pose_detector(
        shared_folder() / POSE_MODEL,
        width=width,
        aspect=scene.aspect,
        cache_dir=cache,
        confidence=LEAST_SCORE,
    )
    film = cv2.VideoCapture(str(scene.video))
    found: list[Detections] = []
    while len(found) < len(scene.frames):
        there, pixels = film.read()
        if not there:
            break
        found += detector.detect([np.ascontiguousarray(pixels[..., ::-1]).astype(np.uint8)])
    film.release()
    detector.close()
    return found


def _score(
    make: Callable[[Scene], Step], found: dict[str, list[Detections]], rate: float | None
) -> dict[str, float]:
    from trackers.eval.clear import aggregate_clear_metrics, compute_clear_metrics
    from trackers.eval.hota import aggregate_hota_metrics, compute_hota_metrics
    from trackers.eval.identity import aggregate_identity_metrics, compute_identity_metrics

    runs = [_run_scene(make, read_scene(name), found[name], rate) for name in SCENES]
    hota = aggregate_hota_metrics([compute_hota_metrics(*r) for r in runs])
    identity = aggregate_identity_metrics([compute_identity_metrics(*r) for r in runs])
    clear = aggregate_clear_metrics([compute_clear_metrics(*r) for r in runs])
    return {
        "HOTA": float(hota["HOTA"]),
        "AssA": float(hota["AssA"]),
        "IDF1": float(identity["IDF1"]),
        "IDSW": float(clear["IDSW"]),
        "IDs": _identities_per_person(runs),
    }


SceneRun = tuple[list[NDArray[np.int64]], list[NDArray[np.int64]], list[Boxes]]
"""Per frame: the people, the identities, and their boxes' overlap."""


def _run_scene(
    make: Callable[[Scene], Step], scene: Scene, found: list[Detections], rate: float | None
) -> SceneRun:
    from trackers.eval.box import box_iou

    step = make(scene)
    people, identities, overlaps = [], [], []
    for number in _frames(len(found), rate):
        frame = scene.frames[number]
        ids, boxes = step(found[number], 1_000.0 + frame.at_s)
        visible = frame.visible >= LEAST_VISIBLE
        if len(boxes) and not visible.all():
            overlap = box_iou(frame.boxes, boxes)
            hidden = (overlap.max(axis=0) >= 0.3) & ~visible[overlap.argmax(axis=0)]
            ids, boxes = ids[~hidden], boxes[~hidden]
        shown = frame.boxes[visible]
        people.append(frame.people[visible])
        identities.append(ids)
        empty = np.zeros((len(shown), len(boxes)))
        overlaps.append(box_iou(shown, boxes) if empty.size else empty)
    return people, _renumbered(identities), overlaps


def _frames(count: int, rate: float | None) -> Iterator[int]:
    """Which of the scene's frames, ten a second, are analysed."""
    if rate is None:
        lost = np.random.default_rng(1)
        yield from (number for number in range(count) if lost.random() >= 0.3)
    else:
        yield from (
            round(step * 10 / rate)
            for step in range(count)
            if round(step * 10 / rate) < count
        )  # fmt: skip


def _renumbered(identities: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """The same identities from 0 without gaps, as the scorer wants them."""
    known = sorted({int(i) for frame in identities for i in frame})
    return [np.searchsorted(known, frame).astype(np.int64) for frame in identities]


def _identities_per_person(runs: list[SceneRun]) -> float:
    pairs = {
        (scene, int(person), int(ids[row.argmax()]))
        for scene, (people, identities, overlaps) in enumerate(runs)
        for shown, ids, overlap in zip(people, identities, overlaps, strict=True)
        for person, row in zip(shown, overlap, strict=True)
        if len(row) and row.max() >= 0.5
    }
    return len(pairs) / max(len({pair[:2] for pair in pairs}), 1)


def _print_row(labels: tuple[str, str, str], scores: dict[str, float]) -> None:
    tracker, source, rate = labels
    sys.stdout.write(
        f"{tracker:<17}{source:<8}{rate:<6}{scores['HOTA']:7.3f}{scores['AssA']:7.3f}"
        f"{scores['IDF1']:7.3f}{scores['IDSW']:6.0f}{scores['IDs']:7.2f}\n"
    )


if __name__ == "__main__":
    run()
