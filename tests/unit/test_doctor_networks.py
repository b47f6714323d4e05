"""What the doctor says about networks and the devices that run them."""

from pathlib import Path

import numpy as np
import pytest

from safety.app.doctor_networks import people_network, ppe_network
from safety.clock import SystemClock
from safety.config import Settings
from safety.errors import AnjeonError, ModelError
from safety.perception.devices import nvidia_gpus
from tests.support.networks import PPE_CARD, person, write_network

PERSONS = np.array([person(200, 100, 40, 90, 0.6)], np.float32)
OBJECTS = np.array([[128, 40, 32, 32, 0.9, 0.0, 0.0, 0.0]], np.float32)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        pose_model=write_network(tmp_path / "people.onnx", PERSONS),
        ppe_model=write_network(tmp_path / "ppe.onnx", OBJECTS, card=PPE_CARD),
        device="cpu",
    )


def test_says_where_it_runs_and_for_how_many_cameras(settings: Settings) -> None:
    said = people_network(settings, SystemClock())
    assert said.startswith("people.onnx at 640x384 on openvino: ")
    assert " ms for one picture, " in said
    assert "cameras at 10 fps: about " in said
    assert said.endswith("(cpu)")


def test_says_how_long_a_crop_takes(settings: Settings) -> None:
    said = ppe_network(settings, SystemClock())
    assert said.startswith("ppe.onnx at 256x256 on openvino: ")
    assert " ms for one crop, " in said


@pytest.mark.skipif(nvidia_gpus() > 0, reason="this machine has an NVIDIA GPU")
def test_a_gpu_that_is_not_there_is_a_fault_with_what_is_done_meanwhile(settings: Settings) -> None:
    without = settings.model_copy(update={"device": "cuda"})
    for check in (people_network, ppe_network):
        with pytest.raises(AnjeonError, match="no NVIDIA driver") as found:
            check(without, SystemClock())
        assert "Until then the processor does it" in str(found.value)


def test_a_network_that_finds_no_equipment_is_a_fault(settings: Settings, tmp_path: Path) -> None:
    card = PPE_CARD | {"names": "{0: 'a', 1: 'b', 2: 'c', 3: 'd'}"}
    model = write_network(tmp_path / "other.onnx", OBJECTS, card=card)
    with pytest.raises(ModelError, match="name the classes hardhat"):
        ppe_network(settings.model_copy(update={"ppe_model": model}), SystemClock())
