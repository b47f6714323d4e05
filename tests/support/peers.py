"""Ultralytics in an environment of its own, to compare with."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safety.types import FloatArray, Picture
from tests.support.pictures import read_picture, write_picture
from tests.support.third_party import ROOT

_SCRIPT = ROOT / "tests/peers/ultralytics_predict.py"


def peers_python() -> Path:
    """The interpreter that has Ultralytics; skips where absent, fails under ``CI=true``."""
    python = Path(os.environ.get("ANJEON_PEERS_PYTHON", ROOT / ".venv-peers/bin/python"))
    if python.exists():
        return python
    reason = (
        f"{python} is not there: create an environment with ultralytics and set"
        " ANJEON_PEERS_PYTHON to its interpreter"
    )
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def ultralytics_predict(
    model: Path,
    pictures: list[Picture],
    network_px: list[tuple[int, int]],
    folder: Path,
    *,
    iou: float = 0.7,
) -> list[dict[str, Any]]:
    """What Ultralytics finds in the same pixels at the same network sizes.

    Args:
        iou: Overlap above which the weaker of two boxes is dropped.
    """
    entries = []
    for i, (picture, size) in enumerate(zip(pictures, network_px, strict=True)):
        path = folder / f"{i}.png"
        write_picture(path, picture)
        entries.append({"path": str(path), "network_px": size})
    _run({"model": str(model), "iou": iou, "pictures": entries}, folder, folder / "found.json")
    found: list[dict[str, Any]] = json.loads((folder / "found.json").read_text())
    return found


def ultralytics_forward(model: Path, images: FloatArray, folder: Path) -> FloatArray:
    """What Ultralytics' own network gives for (N, 3, H, W) float32 RGB 0-1, in export mode."""
    np.save(folder / "images.npy", images)
    _run({"model": str(model), "tensor": str(folder / "images.npy")}, folder, folder / "out.npy")
    output: FloatArray = np.load(folder / "out.npy")
    return output


def ultralytics_assets() -> dict[str, Picture]:
    """The pictures that come with Ultralytics."""
    folder = next((peers_python().parent.parent / "lib").glob("*/site-packages/ultralytics/assets"))
    return {path.name: read_picture(path) for path in sorted(folder.glob("*.jpg"))}


def _run(job: dict[str, Any], folder: Path, result: Path) -> None:
    job_file = folder / "job.json"
    job_file.write_text(json.dumps(job))
    # Ultralytics keeps settings in the home directory, unless told where else.
    environment = {**os.environ, "YOLO_CONFIG_DIR": str(folder), "YOLO_AUTOINSTALL": "false"}
    command = [str(peers_python()), str(_SCRIPT), str(job_file), str(result)]
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=110, check=False, env=environment
    )
    assert run.returncode == 0, run.stderr
