"""Ultralytics' own way to watch several streams, in an environment of its own.

Usage: python ultralytics_track.py JOB, where JOB is JSON, either
``{"export": PT, "batch": N, "network_px": [width, height], "to": FOLDER}``, which prints where
the OpenVINO export lies, or ``{"model": EXPORT, "urls": [RTSP, ...], "tracker": YAML,
"precision": "f32" or null, "network_px": ..., "warm_up_s": S, "seconds": S, "folder": F}``, which
tracks for so long and prints ``{"fps", "cpu"}`` as the last line of standard output. A null
precision leaves the choice to OpenVINO, as Ultralytics does.
"""

import json
import resource
import shutil
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import openvino
from ultralytics import YOLO
from ultralytics.utils.nms import TorchNMS

try:
    import torchvision  # noqa: F401
except RuntimeError:
    # A CPU build of torch beside a CUDA build of torchvision: its operators do not load.
    # Ultralytics only wants its NMS, and has one of its own with the same results.
    stand_in = ModuleType("torchvision")
    setattr(stand_in, "ops", SimpleNamespace(nms=TorchNMS.nms))  # noqa: B010
    sys.modules["torchvision"] = stand_in


def export(job: dict[str, Any]) -> Path:
    """The weights as OpenVINO's own format, for batches of one size."""
    weights = Path(job["to"]) / f"{Path(job['export']).stem}-{job['batch']}.pt"
    shutil.copyfile(job["export"], weights)
    width, height = job["network_px"]
    network = YOLO(weights)
    return Path(network.export(format="openvino", imgsz=(height, width), batch=job["batch"]))


def track(job: dict[str, Any]) -> dict[str, float]:
    """Track all streams at once; frames per second over all of them, and cores used."""
    if job["precision"]:
        _force(job["precision"])
    sources = Path(job["folder"]) / "track.streams"
    sources.write_text("\n".join(job["urls"]))
    width, height = job["network_px"]
    network = YOLO(job["model"], task="pose")
    results = network.track(
        source=str(sources),
        stream=True,
        persist=True,
        tracker=job["tracker"],
        imgsz=(height, width),
        device="cpu",
        verbose=False,
    )
    next(results)
    _count(results, job["warm_up_s"])
    before = _cpu_s()
    count, spent = _count(results, job["seconds"])
    return {"fps": count / spent, "cpu": (_cpu_s() - before) / spent}


def _count(results: Any, seconds: float) -> tuple[int, float]:
    begun, count = time.monotonic(), 0
    while (spent := time.monotonic() - begun) < seconds:
        next(results)
        count += 1
    return count, spent


def _force(precision: str) -> None:
    """Have every network compiled for this precision."""
    compile_model = openvino.Core.compile_model

    def compiled(core: Any, model: Any, device_name: str, config: dict[str, Any]) -> Any:
        return compile_model(
            core, model, device_name, config | {"INFERENCE_PRECISION_HINT": precision}
        )

    openvino.Core.compile_model = compiled


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    job = json.loads(sys.argv[1])
    said = str(export(job)) if "export" in job else json.dumps(track(job))
    sys.stdout.write(f"\n{said}\n")
    sys.stdout.flush()
