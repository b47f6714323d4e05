"""Pictures per second of every detector, against the same network run bare by OpenVINO.

All contenders take turns in short slices of the same run, so that a busy machine slows
them alike. Usage: ``python -m tests.bench.bench_detectors``.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import openvino

from safety.clock import SystemClock
from safety.perception.convert import converted
from safety.perception.load import load_pose_detector
from safety.types import Picture
from tests.support.pictures import POSE_MODEL, film_frames
from tests.support.third_party import shared_folder

WIDTH, HEIGHT = 640, 384
BATCHES = (1, 2, 3, 4, 8)
ROUNDS = 5
SLICE_S = 0.6
_BARE_STEP = 24
"""Pictures between two looks at the clock; many, for the last ones leave streams idle."""

Step = Callable[[], int]
"""Does some work and says how many pictures that was."""


def run() -> dict[str, float]:
    """Measure, print a table, and return its figures.

    Returns:
        ``bare_f32_fps``, ``bare_default_fps``; for every engine and batch size
        ``<engine>_<batch>_fps`` and ``<engine>_<batch>_ms`` per call; and
        ``share_of_bare``, our OpenVINO detector at batch 8 over ``bare_f32_fps``.
    """
    with tempfile.TemporaryDirectory() as folder:
        model = converted(shared_folder() / POSE_MODEL, Path(folder))
        contenders = {"bare_f32": _bare(model, "f32"), "bare_default": _bare(model, None)}
        pictures = _pictures(max(BATCHES))
        for engine in ("openvino", "onnxruntime"):
            contenders |= _ours(model, engine, pictures, Path(folder))
        figures = _measure(contenders)
    figures["share_of_bare"] = figures["openvino_8_fps"] / figures["bare_f32_fps"]
    sys.stdout.write(_table(figures))
    return figures


def _bare(model: Path, precision: str | None) -> Step:
    """What OpenVINO's ``benchmark_app -hint throughput`` does: nothing but the network."""
    core = openvino.Core()
    network = core.read_model(model)
    network.reshape([1, 3, HEIGHT, WIDTH])
    config: dict[str, Any] = {"PERFORMANCE_HINT": "THROUGHPUT"}
    if precision:
        config["INFERENCE_PRECISION_HINT"] = precision
    queue = openvino.AsyncInferQueue(core.compile_model(network, "CPU", config))
    noise = np.random.default_rng(0).random((1, 3, HEIGHT, WIDTH), np.float32)
    for request in queue:
        request.get_input_tensor().data[:] = noise

    def step() -> int:
        for _ in range(_BARE_STEP):
            queue.start_async()
        queue.wait_all()
        return _BARE_STEP

    return step


def _ours(
    model: Path,
    engine: Literal["openvino", "onnxruntime"],
    pictures: list[Picture],
    cache: Path,
) -> dict[str, Step]:
    detector = load_pose_detector(
        model, width=WIDTH, aspect=16 / 9, backend=engine, cache_dir=cache
    )

    def step(batch: int) -> Step:
        return lambda: len(detector.detect(pictures[:batch]))

    return {f"{engine}_{batch}": step(batch) for batch in BATCHES}


def _pictures(count: int) -> list[Picture]:
    """Frames with people, at network width as the cameras deliver them."""
    clip = shared_folder() / "clips/store-aisle.mp4"
    frames = film_frames(clip, [0.5 * (i + 1) for i in range(count)])
    return [cv2.resize(frame, (WIDTH, WIDTH * 9 // 16)).astype(np.uint8) for frame in frames]


def _measure(contenders: dict[str, Step]) -> dict[str, float]:
    clock = SystemClock()
    done = {name: [0.0, 0.0, 0.0] for name in contenders}
    for step in contenders.values():
        step()
    for _ in range(ROUNDS):
        for name, step in contenders.items():
            begun = clock.now().monotonic
            calls, seen, spent = 0.0, 0.0, 0.0
            while spent < SLICE_S:
                seen, calls = seen + step(), calls + 1
                spent = clock.now().monotonic - begun
            done[name] = [a + b for a, b in zip(done[name], (calls, seen, spent), strict=True)]
    figures: dict[str, float] = {}
    for name, (calls, seen, spent) in done.items():
        figures[f"{name}_fps"] = seen / spent
        figures[f"{name}_ms"] = 1000 * spent / calls
    return figures


def _table(figures: dict[str, float]) -> str:
    names = [name.removesuffix("_fps") for name in figures if name.endswith("_fps")]
    lines = [
        f"Pose network {WIDTH}x{HEIGHT}, {len(os.sched_getaffinity(0))} cores",
        f"{'contender':<16} {'pictures/s':>11} {'ms per call':>12} {'of bare':>8}",
    ]
    for name in names:
        fps, ms = figures[f"{name}_fps"], figures[f"{name}_ms"]
        share = fps / figures["bare_f32_fps"]
        lines.append(f"{name:<16} {fps:>11.1f} {ms:>12.1f} {share:>8.2f}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    run()
