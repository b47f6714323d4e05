"""A run of the PPE recipe, from pictures to networks that the product loads."""

import csv
import os
import subprocess
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import pytest

from safety.perception.load import load_object_detector
from safety.training.ppe_crops import NAMES, crops_in
from tests.support.peers import peers_python
from tests.support.third_party import ROOT

pytestmark = [pytest.mark.peers, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    run = subprocess.run(
        [str(peers_python()), "tests/peers/train_ppe.py", str(folder)],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "YOLO_CONFIG_DIR": str(folder),
            "YOLO_AUTOINSTALL": "false",
        },
        capture_output=True,
        text=True,
        timeout=230,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    return folder


def test_epochs_are_logged_and_judged(trained: Path) -> None:
    with (trained / "run/log.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(float(row["box_loss"]) > 0 for row in rows)
    assert all(0 <= float(row["rendered mAP50"]) <= 1 for row in rows)
    assert (trained / "run/sheet.png").stat().st_size > 1000


def test_crops_are_cut_once(trained: Path) -> None:
    """Four persons, each as labelled and once moved a little."""
    assert len(crops_in(trained / "run/crops/train")) == 8
    assert len(crops_in(trained / "run/crops/val_rendered")) == 4


@pytest.mark.parametrize("name", ["ppe.onnx", "ppe-int8.onnx"])
def test_both_files_run_in_the_product_and_say_where_they_come_from(
    trained: Path, tmp_path: Path, name: str
) -> None:
    path = trained / "shipped" / name
    card = {prop.key: prop.value for prop in onnx.load(str(path)).metadata_props}
    training = (trained / "run/crops/train/weights.json").read_bytes()
    assert card["training_list_sha256"] == sha256(training).hexdigest()
    detector = load_object_detector(path, width=64, backend="onnxruntime", cache_dir=tmp_path)
    assert detector.names == NAMES
    assert len(detector.detect([np.full((90, 40, 3), 114, np.uint8)] * 3)) == 3
    assert detector.nonfinite_outputs == 0
    detector.close()
