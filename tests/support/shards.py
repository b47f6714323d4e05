"""Settings and configurations for shards under test."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from cameras.messages import Configure
from cameras.specs import CameraSpec, FileSpec, SourceSpec
from safety.config import Settings
from safety.perception.convert import converted
from tests.support.pinholes import Hung
from tests.support.plant import CELL_POLYGON, pose_model
from zones.calibration import CalibrationSpec, PointPair
from zones.geometry import Polygon
from zones.rules.intrusion import IntrusionSpec
from zones.specs import ZoneSpec

SCENES = Path(__file__).resolve().parents[2] / "safety" / "demo" / "scenes"
CELL: Polygon = tuple((x, y) for x, y in CELL_POLYGON)
_PLACES = np.array([(-2.0, 5.0), (2.5, 5.5), (5.0, 14.0), (-4.0, 15.0), (0.3, 9.0), (2.0, 11.0)])
FILM_CALIBRATION = CalibrationSpec(
    pairs=tuple(
        PointPair(picture=(u, v), plan_m=(x, y))
        for (u, v), (x, y) in zip(Hung().project(_PLACES).tolist(), _PLACES.tolist(), strict=True)
    )
)
"""The camera of the rendered intrusion hangs 4 m high, tilted by 25°, and sees 66° of the hall."""

EVERYWHERE: Polygon = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
"""Somebody is always in it: a violation opens with the first frame and stays open."""


@pytest.fixture(scope="session")
def pose_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pose network as ONNX, converted once for all tests."""
    model = pose_model()
    if model.suffix != ".pt":
        return model
    return converted(model, tmp_path_factory.mktemp("models"))


@pytest.fixture
def shard_settings(pose_network: Path) -> Iterator[Settings]:
    """Settings with a data directory short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="anj") as directory:
        yield Settings(data_dir=Path(directory), pose_model=pose_network)


def film_camera(camera_id: str = "cam-1", *, name: str = "Cell") -> CameraSpec:
    """A camera that shows the rendered intrusion, over and over."""
    source = FileSpec(path=SCENES / "cell_intrusion.mp4")
    return camera(camera_id, source, name=name)


def camera(camera_id: str, source: SourceSpec, *, name: str = "Cell") -> CameraSpec:
    """A camera with short clips."""
    return CameraSpec(
        id=camera_id, name=name, source=source, evidence_before_s=3, evidence_after_s=1
    )


def watching(
    *cameras: CameraSpec, polygon: Polygon = EVERYWHERE, revision: int = 1, rule_revision: int = 1
) -> Configure:
    """A configuration with one zone and one rule, ``rule-<camera>``, on every camera."""
    zones = [
        ZoneSpec(id=f"zone-{c.id}", name="Cell", camera_id=c.id, polygon=polygon) for c in cameras
    ]
    return configuration(cameras, zones, revision=revision, rule_revision=rule_revision)


def configuration(
    cameras: Sequence[CameraSpec],
    zones: Sequence[ZoneSpec],
    *,
    revision: int = 1,
    rule_revision: int = 1,
) -> Configure:
    """A configuration with one intrusion rule on every zone."""
    rules = tuple(
        IntrusionSpec(id=f"rule-{zone.camera_id}", name="Keep out", zone_id=zone.id)
        for zone in zones
    )
    return Configure(
        revision=revision,
        rule_revisions={rule.id: rule_revision for rule in rules},
        cameras=tuple(cameras),
        zones=tuple(zones),
        rules=rules,
    )
