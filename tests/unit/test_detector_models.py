"""Which network is used, and what is said about one that cannot be."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from safety.config import Settings
from safety.errors import ModelError
from safety.perception.load import load_pose_detector
from safety.perception.models import find_pose_model, read_card
from tests.support.networks import POSE_CARD, POSE_ROWS, write_network
from tests.support.third_party import third_party

NOTHING = np.zeros((3, POSE_ROWS), np.float32)


def _load(path: Path, **options: Any) -> None:
    settings: dict[str, Any] = {"width": 640, "aspect": 16 / 9, "cache_dir": path.parent / "cache"}
    load_pose_detector(path, **(settings | options)).close()


def test_the_setting_comes_first(tmp_path: Path) -> None:
    model = write_network(tmp_path / "mine.onnx", NOTHING)
    write_network(tmp_path / "yolo11n-pose.onnx", NOTHING)
    assert find_pose_model(Settings(pose_model=model), bundled=tmp_path) == model


def test_then_the_bundled_network(tmp_path: Path) -> None:
    write_network(tmp_path / "ppe.onnx", NOTHING)
    bundled = write_network(tmp_path / "yolo11n-pose.onnx", NOTHING)
    assert find_pose_model(Settings(pose_model=None), bundled=tmp_path) == bundled


@pytest.mark.parametrize(
    ("setting", "key"), [(None, "model.none"), (Path("/nowhere/net.pt"), "model.missing")]
)
def test_no_network_says_what_to_set(tmp_path: Path, setting: Path | None, key: str) -> None:
    with pytest.raises(ModelError, match="ANJEON_POSE_MODEL") as refused:
        find_pose_model(Settings(pose_model=setting), bundled=tmp_path)
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ({"task": "detect"}, "its task is 'detect'"),
        ({"task": "segment"}, "its task is 'segment'"),
        ({"kpt_shape": "[21, 3]"}, "keypoints (21, 3)"),
        ({"kpt_shape": "[17, 2]"}, "keypoints (17, 2)"),
        ({"names": "{0: 'tiger'}"}, "it finds tiger"),
        ({"names": "{0: 'forklift'}"}, "it finds forklift"),
        ({"names": "{0: 'person', 1: 'forklift'}"}, "56 rows, not 57"),
        ({"end2end": "True"}, "end2end=False"),
    ],
)
def test_the_wrong_kind_of_network_is_refused(
    tmp_path: Path, card: dict[str, str], said: str
) -> None:
    path = write_network(tmp_path / "net.onnx", NOTHING, card=POSE_CARD | card)
    with pytest.raises(ModelError) as refused:
        _load(path)
    assert refused.value.key == "model.not_pose"
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "card",
    [
        {},
        {"task": "pose"},
        {"task": "pose", "names": "person"},
        {"task": "pose", "names": "{"},
        {"task": "pose", "names": "{7: 'person'}"},
        {"task": "pose", "names": "{0: 'person'}", "kpt_shape": "17"},
    ],
)
def test_a_network_without_a_card_is_refused(tmp_path: Path, card: dict[str, str]) -> None:
    path = write_network(tmp_path / "net.onnx", NOTHING, card=card)
    with pytest.raises(ModelError, match="dynamic=True") as refused:
        read_card(path)
    assert refused.value.key == "model.card"


def test_a_network_of_fixed_size_fits_that_size_only(tmp_path: Path) -> None:
    path = write_network(tmp_path / "net.onnx", NOTHING, size_px=(640, 384))
    _load(path)
    with pytest.raises(ModelError, match="dynamic=True"):
        _load(path, width=960)


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_a_network_that_suppresses_by_itself_is_refused(tmp_path: Path, backend: str) -> None:
    """Exported with nms=True: 300 rows of detections, and the card does not say so."""
    path = write_network(tmp_path / "net.onnx", np.zeros((57, 300), np.float32), card=POSE_CARD)
    network = onnx.load(str(path))
    network.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "rows"
    onnx.save(network, str(path))
    with pytest.raises(ModelError, match="nms=False") as refused:
        _load(path, backend=backend)
    assert refused.value.key == "model.output"


@pytest.mark.parametrize("content", [b"", b"no network", bytes(1000)])
def test_what_is_no_onnx_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as refused:
        _load(path)
    assert refused.value.key == "model.unreadable"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_onnx_is_refused(tmp_path: Path, share: float) -> None:
    whole = write_network(tmp_path / "whole.onnx", NOTHING).read_bytes()
    path = tmp_path / "net.onnx"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError):
        _load(path)


def test_a_missing_onnx_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.onnx"):
        _load(tmp_path / "nowhere.onnx")


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_a_network_that_the_engine_refuses(tmp_path: Path, backend: str) -> None:
    path = write_network(tmp_path / "net.onnx", NOTHING)
    path.write_bytes(path.read_bytes().replace(b"ReduceMax", b"ReduceMad"))
    with pytest.raises(ModelError) as refused:
        _load(path, backend=backend)
    assert refused.value.key == "model.engine_refused"


def test_an_engine_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_network(tmp_path / "net.onnx", NOTHING)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError) as refused:
        _load(path, backend="onnxruntime")
    assert refused.value.key == "model.no_engine"


@pytest.mark.third_party
def test_a_detection_network_is_not_taken_for_a_pose_network(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="its task is 'detect'"):
        _load(third_party("models/ppe-pilot.pt"), cache_dir=tmp_path)
