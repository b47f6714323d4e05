"""Which engine and device run a network, and what happens when they are not there or fail."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from safety.errors import ModelError
from safety.perception.detector import Detector
from safety.perception.devices import Backend, Device, choose, nvidia_gpus
from safety.perception.fallback import FallbackDetector
from safety.perception.load import load_pose_detector
from safety.types import Detections
from tests.support.networks import person, write_network

SCRIPT = np.array([person(200, 100, 40, 90, 0.6)], np.float32)
GREY = np.full((360, 640, 3), 114, np.uint8)
WHITE = np.full((360, 640, 3), 255, np.uint8)

without_gpu = pytest.mark.skipif(nvidia_gpus() > 0, reason="this machine has an NVIDIA GPU")


def _load(
    model: Path,
    backend: Backend = "onnxruntime",
    device: Device = "cpu",
    fell_back: Callable[[ModelError], None] | None = None,
) -> Detector:
    return load_pose_detector(
        model,
        width=640,
        aspect=16 / 9,
        backend=backend,
        device=device,
        cache_dir=model.parent,
        max_batch=8,
        fell_back=fell_back,
    )


@without_gpu
@pytest.mark.parametrize(
    ("backend", "device", "chosen"),
    [
        ("auto", "auto", "openvino on cpu"),
        ("auto", "cpu", "openvino on cpu"),
        ("openvino", "auto", "openvino on cpu"),
        ("onnxruntime", "auto", "onnxruntime on cpu"),
        ("onnxruntime", "cpu", "onnxruntime on cpu"),
    ],
)
def test_what_runs_where_nothing_but_a_processor_is(
    backend: Backend, device: Device, chosen: str
) -> None:
    assert str(choose(backend, device)) == chosen


@without_gpu
@pytest.mark.parametrize(
    ("backend", "device", "suffix", "key", "said"),
    [
        ("auto", "cuda", ".onnx", "model.no_device", "no NVIDIA driver"),
        ("auto", "tensorrt", ".onnx", "model.no_device", "no NVIDIA driver"),
        ("onnxruntime", "cuda", ".onnx", "model.no_device", "nvidia-smi"),
        ("openvino", "npu", ".onnx", "model.no_device", "OpenVINO sees"),
        ("openvino", "cuda", ".onnx", "model.device_mismatch", "cpu, gpu, npu"),
        ("onnxruntime", "gpu", ".onnx", "model.device_mismatch", "cpu, cuda, tensorrt"),
        ("openvino", "auto", ".engine", "model.device_mismatch", "a .engine file"),
        ("auto", "cpu", ".engine", "model.device_mismatch", "a .engine file"),
    ],
)
def test_a_device_that_is_not_there_is_named(
    backend: Backend, device: Device, suffix: str, key: str, said: str
) -> None:
    with pytest.raises(ModelError, match="ANJEON_DEVICE") as refused:
        choose(backend, device, suffix)
    assert refused.value.key == key
    assert said in str(refused.value)


@without_gpu
@pytest.mark.parametrize("device", ["cuda", "tensorrt", "npu"])
def test_a_shard_runs_on_the_processor_instead_and_says_so(tmp_path: Path, device: Device) -> None:
    model = write_network(tmp_path / "net.onnx", SCRIPT)
    told: list[ModelError] = []

    detector = _load(model, "auto", device, told.append)

    assert [len(found) for found in detector.detect([GREY] * 3)] == [1] * 3
    assert [error.key for error in told] == ["model.no_device"]
    with pytest.raises(ModelError):
        _load(model, "auto", device)


@without_gpu
def test_a_bad_file_is_no_matter_of_the_device(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"nothing")
    told: list[ModelError] = []
    with pytest.raises(ModelError) as refused:
        _load(tmp_path / "net.onnx", "auto", "cuda", told.append)
    assert refused.value.key == "model.unreadable"
    assert told == []


@pytest.mark.parametrize("fits", [1, 2, 3, 5])
def test_short_memory_means_fewer_pictures_at_once(tmp_path: Path, fits: int) -> None:
    detector = _load(write_network(tmp_path / "net.onnx", SCRIPT, fits=fits))
    assert [len(found) for found in detector.detect([GREY] * 8)] == [1] * 8
    assert [len(found) for found in _stream(detector, 7)] == [1] * 7


def test_no_memory_for_a_single_picture_is_an_error(tmp_path: Path) -> None:
    detector = _load(write_network(tmp_path / "net.onnx", SCRIPT, fits=8))
    with pytest.raises(ModelError, match="smaller network width") as refused:
        detector.detect([GREY, WHITE])
    assert refused.value.key == "model.out_of_memory"
    assert len(detector.detect([GREY])) == 1


@pytest.mark.parametrize("before", range(6))
def test_when_a_device_fails_the_processor_gets_the_pictures_under_way(
    tmp_path: Path, before: int
) -> None:
    """The first detector fails at a white picture; the second one sees two persons each time."""
    told: list[ModelError] = []
    detector = _failing(tmp_path, told)
    waiting = [GREY] * before + [WHITE] + [GREY] * 5

    found = list(detector.stream(lambda: waiting.pop(0) if waiting else None))

    counts = [len(detections) for detections in found]
    assert counts == sorted(counts)
    assert len(counts) == before + 6
    assert counts[before:] == [2] * 6
    assert [error.key for error in told] == ["model.out_of_memory"]
    assert [len(detections) for detections in detector.detect([WHITE])] == [2]


def test_when_the_processor_fails_too_there_is_nothing_left(tmp_path: Path) -> None:
    script = write_network(tmp_path / "net.onnx", SCRIPT, fits=8)
    told: list[ModelError] = []
    detector = FallbackDetector(_load(script), lambda: _load(script), told.append)
    with pytest.raises(ModelError):
        detector.detect([WHITE])
    with pytest.raises(ModelError):
        detector.detect([WHITE])
    assert len(told) == 1
    assert len(detector.detect([GREY])) == 1


def _failing(folder: Path, told: list[ModelError]) -> FallbackDetector[Detections]:
    first = write_network(folder / "first.onnx", SCRIPT, fits=8)
    both = np.concatenate([SCRIPT, [person(420, 200, 60, 150, 0.9)]]).astype(np.float32)
    second = write_network(folder / "second.onnx", both)
    return FallbackDetector(_load(first), lambda: _load(second), told.append)


def _stream(detector: Detector, count: int) -> list[Detections]:
    left = iter([GREY] * count)
    return list(detector.stream(lambda: next(left, None)))
