"""Runs Ultralytics itself, in an environment of its own, and writes what it found as JSON.

Usage: python ultralytics_predict.py JOB RESULT, where JOB is
``{"model": PATH, "iou": LIMIT, "pictures": [{"path": PNG, "network_px": [width, height]}, …]}`` or
``{"model": PATH, "tensor": NPY}`` for the bare network in its export mode (RESULT is .npy).
"""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
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


def predict(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Boxes (left, top, right, bottom) in pixels, scores, classes, keypoints of every picture."""
    network = YOLO(job["model"])
    found = []
    for picture in job["pictures"]:
        width, height = picture["network_px"]
        pixels = cv2.imread(picture["path"])
        size = (height, width)
        (result,) = network.predict(
            pixels, imgsz=size, rect=False, iou=job["iou"], device="cpu", verbose=False
        )
        found.append(
            {
                "boxes": result.boxes.xyxy.tolist(),
                "scores": result.boxes.conf.tolist(),
                "classes": result.boxes.cls.tolist(),
                "keypoints": result.keypoints.data.tolist() if result.keypoints else [],
            }
        )
    return found


def forward(job: dict[str, Any]) -> NDArray[np.float32]:
    """What the network computes from a tensor, as Ultralytics would export it."""
    network = YOLO(job["model"]).model.float().eval().fuse()
    network.model[-1].export = True
    with torch.no_grad():
        output = network(torch.from_numpy(np.load(job["tensor"])))
    result: NDArray[np.float32] = output.numpy()
    return result


if __name__ == "__main__":
    job = json.loads(Path(sys.argv[1]).read_text())
    if "tensor" in job:
        np.save(sys.argv[2], forward(job))
    else:
        Path(sys.argv[2]).write_text(json.dumps(predict(job)))
