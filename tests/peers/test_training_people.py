"""A training run, from pictures to a network that the product loads."""

import csv
import os
import subprocess
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnxruntime import InferenceSession

from safety.perception.convert import convert
from safety.perception.load import load_pose_detector
from safety.perception.models import read_card
from safety.training.export import export
from safety.training.needs import TrainingError
from safety.training.quantize import calibration, head_nodes, named
from tests.support.peers import peers_python
from tests.support.third_party import ROOT

pytestmark = [pytest.mark.peers, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    run = subprocess.run(
        [str(peers_python()), "tests/peers/train_people.py", str(folder)],
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


def test_goes_on_where_it_ended(trained: Path) -> None:
    with (trained / "run/log.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(float(row["pose_loss"]) > 0 for row in rows)


def test_a_run_again_gives_the_same_weights(trained: Path) -> None:
    first, again = (trained / "twice.txt").read_text().split()
    assert first == again


def test_photographs_are_turned_back(trained: Path) -> None:
    told = (trained / "turns.txt").read_text().split()
    assert told == [str(number % 4) for number in range(20)]


def test_vehicles_change_nothing_that_finds_people(trained: Path, tmp_path: Path) -> None:
    """The people's rows are the first anchors of the levels that were there before."""
    people, final = tmp_path / "people.onnx", tmp_path / "final.onnx"
    pixels = np.random.default_rng(0).random((1, 3, 96, 160), np.float32)
    rows = []
    for name, path in (("people.pt", people), ("final.pt", final)):
        export(trained / "run" / name, out=path)
        session = InferenceSession(path, providers=["CPUExecutionProvider"])
        rows.append(session.run(None, {"images": pixels})[0])
    before, after = rows
    count = before.shape[2]
    assert count < after.shape[2]
    np.testing.assert_allclose(after[:, :5, :count], before[:, :5], atol=1e-5)
    np.testing.assert_allclose(after[:, 7:, :count], before[:, 7:], atol=1e-5)
    assert after[:, 5:7, :count].max() < 1e-6
    assert after[:, 4, count:].max() < 1e-6


def test_the_result_runs_in_the_product(trained: Path, tmp_path: Path) -> None:
    path = trained / "shipped/people-pose.onnx"
    card = read_card(path)
    assert card.names == ("person", "forklift", "amr")
    detector = load_pose_detector(path, width=160, aspect=16 / 9, cache_dir=tmp_path)
    found = detector.detect([np.full((90, 160, 3), 114, np.uint8)] * 2)
    assert len(found) == 2
    assert detector.nonfinite_outputs == 0
    detector.close()


def test_the_file_says_where_it_comes_from(trained: Path) -> None:
    training = (trained / "run/train.jsonl").read_bytes()
    for name in ("people-pose.onnx", "people-pose-int8.onnx"):
        model = onnx.load(str(trained / "shipped" / name))
        card = {prop.key: prop.value for prop in model.metadata_props}
        assert card["task"] == "pose"
        assert card["recipe"] == "people"
        assert card["training_list_sha256"] == sha256(training).hexdigest()


def test_8_bits_are_in_the_body_and_not_in_the_head(trained: Path) -> None:
    model = onnx.load(str(trained / "shipped/people-pose-int8.onnx"))
    quantized = {
        name
        for node in model.graph.node
        if node.op_type == "DequantizeLinear"
        for name in node.output
    }
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    in_8_bits = [node.input[1] in quantized for node in convolutions]
    names = set(head_nodes(named(convert(trained / "run/final.pt"))))
    head = [node.name in names for node in convolutions]
    assert in_8_bits == [not part for part in head]
    assert sum(in_8_bits) > 50


def test_int8_needs_pictures(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="INT8 needs pictures"):
        export(trained / "run/best.pt", out=tmp_path / "own.onnx", int8=True)
    with pytest.raises(TrainingError, match="holds no pictures"):
        calibration(tmp_path)
