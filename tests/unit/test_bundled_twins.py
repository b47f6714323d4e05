"""A network that ships in 8 bits too runs so on processors, and in 16 bits where that fails."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from safety.config import Settings
from safety.perception.bundle import in_8_bits_beside, write_list
from safety.perception.detector import Objects
from safety.perception.devices import Engine
from safety.perception.load import load_object_detector
from safety.perception.models import find_ppe_model

ENGINES: tuple[Engine, ...] = ("openvino", "onnxruntime")


def network() -> Path:
    return find_ppe_model(Settings(ppe_model=None))


def bundle(folder: Path, twin: bytes | None) -> Path:
    """A folder of shipped networks with the bundled one and this as its twin in 8 bits."""
    folder.mkdir()
    copy = Path(shutil.copy(network(), folder))
    if twin is not None:
        copy.with_name("ppe-int8.onnx").write_bytes(twin)
        write_list(folder, licence="AGPL-3.0-or-later")
    return copy


def found(model: Path, engine: Engine, cache: Path) -> Objects:
    """What a network finds in noise when everything counts."""
    detector = load_object_detector(
        model, width=64, backend=engine, cache_dir=cache, confidence=0.0
    )
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    (objects,) = detector.detect([noise])
    detector.close()
    return objects


def test_the_twin_ships_and_is_not_chosen_by_itself() -> None:
    assert network().name == "ppe.onnx"
    assert in_8_bits_beside(network()) == network().with_name("ppe-int8.onnx")


def test_files_that_nobody_shipped_have_no_twin(tmp_path: Path) -> None:
    copy = bundle(tmp_path / "own", None)
    copy.with_name("ppe-int8.onnx").write_bytes(b"somebody's")
    assert in_8_bits_beside(copy) is None


@pytest.mark.parametrize("engine", ENGINES)
def test_the_twin_runs_where_it_can(engine: Engine, tmp_path: Path) -> None:
    eight = network().with_name("ppe-int8.onnx").read_bytes()
    alone = found(bundle(tmp_path / "alone", None), engine, tmp_path)
    both = found(bundle(tmp_path / "both", eight), engine, tmp_path)
    broken = found(bundle(tmp_path / "broken", b"no network"), engine, tmp_path)
    np.testing.assert_array_equal(broken.scores, alone.scores)
    assert not np.array_equal(both.scores, alone.scores)
    # The same network, a little less exact.
    assert abs(float(both.scores[0] - alone.scores[0])) < 0.2
