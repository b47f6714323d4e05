"""How well blurred copies hide people, on scenes whose truth is known.

As the network sees them, and with every person made invisible to it for some seconds: what is
missed by the network is what a copy is judged by.
"""

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from safety.config import Settings
from safety.evidence.blurring import Found, Part, regions
from safety.evidence.copies import WIDTH, detector_maker
from safety.types import Detections, FloatArray
from tests.support.third_party import shared_folder
from tests.support.truth import SCENES, Scene, TrueFrame, read_scene

MISSED_S: Final = (0.0, 1.0, 2.0, 4.0)
SEEDS: Final = (0, 1, 2)
OWN: Final = 0.15
"""Overlap from which on a detection is of a person."""


def run() -> dict[str, float]:
    """Measure, print a table, and return its figures; empty where the scenes are missing."""
    if not (shared_folder() / "scenes").is_dir():
        sys.stdout.write("bench_blurring: the scenes are missing; nothing measured\n")
        return {}
    with tempfile.TemporaryDirectory() as cache:
        seen = {name: _look(read_scene(name), Path(cache)) for name in SCENES}
    figures: dict[str, float] = {}
    sys.stdout.write(
        f"{'part':<8}{'missed s':>9}{'heads':>8}{'frames':>8}{'joints':>8}{'area':>7}\n"
    )
    parts: tuple[Part, ...] = ("faces", "bodies")
    for part in parts:
        for missed_s in MISSED_S:
            shown = _measure(seen, part, missed_s)
            sys.stdout.write(f"{part:<8}{missed_s:>9.0f}")
            sys.stdout.write("".join(f"{100 * each:>7.2f}%" for each in shown) + "\n")
            names = ("heads", "frames", "joints", "area")
            figures |= {
                f"{part}_{missed_s:g}s_{name}": value
                for name, value in zip(names, shown, strict=True)
            }
    return figures


def _look(scene: Scene, cache: Path) -> list[Detections]:
    with (
        contextlib.closing(
            detector_maker(Settings(data_dir=cache))(WIDTH, scene.aspect)
        ) as network,
        av.open(scene.video) as film,
    ):
        return [
            network.detect([np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)])[0]
            for frame in film.decode(video=0)
        ]


def _measure(
    seen: dict[str, list[Detections]], part: Part, missed_s: float
) -> tuple[float, float, float, float]:
    """Shares: heads and frames with a head not wholly hidden, joints shown, area blurred."""
    heads: list[bool] = []
    frames: list[bool] = []
    joints: list[bool] = []
    areas: list[float] = []
    for name, found in seen.items():
        scene = read_scene(name)
        for seed in SEEDS if missed_s else SEEDS[:1]:
            left = _blinded(scene, found, missed_s, np.random.default_rng(seed))
            looks = [
                Found.of(each, at_s=frame.at_s, aspect=scene.aspect)
                for each, frame in zip(left, scene.frames, strict=True)
            ]
            for frame, hidden in zip(scene.frames, regions(looks, part), strict=True):
                in_frame: list[bool] = []
                for person in frame.keypoints:
                    there, shown = _there(person), _there(person) & ~_hidden(person, hidden)
                    joints += shown[there].tolist()
                    if there[:5].any():
                        in_frame.append(bool(shown[:5].any()))
                heads += in_frame
                frames.append(any(in_frame))
                areas.append(_area(hidden))
    return (
        float(np.mean(heads)),
        float(np.mean(frames)),
        float(np.mean(joints)),
        float(np.mean(areas)),
    )


def _blinded(
    scene: Scene, found: Sequence[Detections], missed_s: float, chance: np.random.Generator
) -> Iterator[Detections]:
    """The detections without those of every person for so long, each at another time."""
    last_s = scene.frames[-1].at_s
    people = sorted({int(each) for frame in scene.frames for each in frame.people})
    begins = {each: chance.uniform(0, max(0.1, last_s - missed_s)) for each in people}
    for each, frame in zip(found, scene.frames, strict=True):
        kept = np.ones(len(each.boxes), np.bool_)
        if missed_s and len(each.boxes) and len(frame.people):
            overlap = _overlap(each.boxes, frame)
            for row, person in enumerate(frame.people[overlap.argmax(axis=1)].tolist()):
                hit = overlap[row].max() > OWN
                kept[row] = not (hit and 0 <= frame.at_s - begins[person] <= missed_s)
        yield Detections(
            boxes=each.boxes[kept],
            scores=each.scores[kept],
            classes=each.classes[kept],
            keypoints=each.keypoints[kept],
        )


def _overlap(boxes: FloatArray, frame: TrueFrame) -> FloatArray:
    """(N, M) intersection over union."""
    true = frame.boxes[None]
    left_top = np.maximum(boxes[:, None, :2], true[..., :2])
    right_bottom = np.minimum(boxes[:, None, 2:], true[..., 2:])
    shared = np.clip(right_bottom - left_top, 0, None).prod(axis=2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)[:, None]
    both = areas + (true[..., 2:] - true[..., :2]).prod(axis=2) - shared
    return np.asarray(shared / np.maximum(both, 1e-9), np.float32)


def _there(person: FloatArray) -> NDArray[np.bool_]:
    """(17,) which of a person's joints the picture shows."""
    inside = ((person[:, :2] >= 0) & (person[:, :2] <= 1)).all(axis=1)
    return np.asarray((person[:, 2] > 0) & inside)


def _hidden(person: FloatArray, hidden: FloatArray | None) -> NDArray[np.bool_]:
    """(17,) which of them lie where it is blurred."""
    if hidden is None:
        return np.ones(len(person), np.bool_)
    points = person[:, None, :2]
    inside: NDArray[np.bool_] = (points >= hidden[:, :2]) & (points <= hidden[:, 2:])
    return np.asarray(inside.all(axis=2).max(axis=1))


def _area(hidden: FloatArray | None) -> float:
    """Share of the picture that is blurred."""
    canvas = np.zeros((180, 320), np.bool_)
    for left, top, right, bottom in [(0, 0, 1, 1)] if hidden is None else hidden.clip(0, 1):
        canvas[int(top * 180) : round(bottom * 180), int(left * 320) : round(right * 320)] = True
    return float(canvas.mean())
