"""What was observed is kept for some days and read back as it was."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cameras.observation_log import ObservationLog, read_log
from cameras.observations import ObservationError, decode, encode
from safety.clock import Instant, ManualClock
from safety.types import (
    FloorPosition,
    MachineState,
    ObjectClass,
    Observation,
    PlantState,
    PpeItem,
    PpeState,
    SeenVehicle,
    TrackedPerson,
    VehiclePose,
)

AT = Instant(wall=1_767_600_000.25, monotonic=1_000.25)
POSE = VehiclePose(
    vehicle_id="amr1",
    kind=ObjectClass.AMR,
    at=AT,
    x_m=1.5,
    y_m=2.5,
    heading_rad=0.1,
    velocity_mps=(1.0, 0.0),
    footprint_m=((0.5, 0.3), (-0.5, 0.3), (-0.5, -0.3), (0.5, -0.3)),
)
PLANT = PlantState(
    machines={"press": MachineState.RUNNING},
    vehicles={"amr1": POSE},
    lost_vehicles=frozenset({"amr2"}),
    active_shifts=frozenset({"day"}),
)


def person(seed: int, track_id: int = 1) -> TrackedPerson:
    chance = np.random.default_rng(seed)
    return TrackedPerson(
        track_id=track_id,
        box=chance.random(4).astype(np.float32),
        score=float(chance.random()),
        keypoints=chance.random((17, 3)).astype(np.float32),
        age_s=float(chance.random() * 100),
        ppe={PpeItem.HARDHAT: PpeState.MISSING},
        floor=FloorPosition(x_m=1.234, y_m=-5.678, covariance_m2=(0.01, 0, 0.02), source="ankles"),
        velocity_mps=(0.5, -0.25),
    )


def seen(*persons: TrackedPerson, at: Instant = AT, **more: object) -> Observation:
    fields = {"camera_id": "gate", "at": at, "sequence": 7, "aspect": 16 / 9, **more}
    return Observation(persons=persons, **fields)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(0, 3))
def test_a_frame_is_read_back_within_the_stated_precision(seed: int, count: int) -> None:
    vehicle = SeenVehicle(
        track_id=3, kind=ObjectClass.FORKLIFT, box=person(seed).box, score=0.5, age_s=2.0,
        floor=person(seed).floor, velocity_mps=(2.0, 0.0), footprint_m=POSE.footprint_m,
    )  # fmt: skip
    before = seen(*(person(seed + n, n + 1) for n in range(count)), vehicles=(vehicle,))
    recorded = decode(encode(before, PLANT))
    after = recorded.observation
    assert recorded.plant == PLANT
    assert (after.camera_id, after.at, after.sequence) == ("gate", AT, 7)
    for old, new in zip(before.persons, after.persons, strict=True):
        np.testing.assert_allclose(new.box, old.box, atol=1e-4)
        np.testing.assert_allclose(new.keypoints[:, :2], old.keypoints[:, :2], atol=1e-4)
        np.testing.assert_allclose(new.keypoints[:, 2], old.keypoints[:, 2], atol=5.1e-3)
        assert (new.track_id, new.ppe, new.floor) == (old.track_id, old.ppe, old.floor)
        assert new.velocity_mps == old.velocity_mps
    assert after.vehicles[0].footprint_m == POSE.footprint_m
    assert after.vehicles[0].kind is ObjectClass.FORKLIFT


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"{}", b'{"camera": "gate"}', b"null"])
def test_what_is_no_frame_says_so(line: bytes) -> None:
    with pytest.raises(ObservationError):
        decode(line)


def kept(folder: Path, frames: list[Observation], *, mb: float = 10, hours: float = 48) -> None:
    clock = ManualClock()
    for frame in frames:
        clock.advance(max(0.0, frame.at.monotonic - clock.now().monotonic))
        log = ObservationLog(folder, clock=clock, hours=hours, mb_per_camera=mb)
        log.start()
        log.put(frame, PLANT)
        log.stop()


def frames_at(*seconds: float, who: int = 1) -> list[Observation]:
    return [seen(*[person(n) for n in range(who)], at=AT.shifted(s)) for s in seconds]


def read(folder: Path, since: float = 0, until: float = 1e6) -> list[float]:
    found = read_log(folder / "gate", since=AT.wall + since, until=AT.wall + until)
    return [round(each.observation.at.wall - AT.wall, 2) for each in found]


def test_frames_are_found_by_their_time_across_hours(tmp_path: Path) -> None:
    kept(tmp_path, frames_at(0, 1, 3599, 3601, 7300))
    assert read(tmp_path) == [0, 1, 3599, 3601, 7300]
    assert read(tmp_path, since=1, until=3601) == [1, 3599, 3601]
    files = sorted((tmp_path / "gate").iterdir())
    assert len(files) == 3
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_a_power_cut_costs_the_last_write_only(tmp_path: Path) -> None:
    kept(tmp_path, frames_at(0, 1, 2))
    (path,) = (tmp_path / "gate").iterdir()
    path.write_bytes(path.read_bytes()[:-60])
    assert read(tmp_path) == [0, 1]


def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    kept(tmp_path, frames_at(0))
    (path,) = (tmp_path / "gate").iterdir()
    with path.open("ab") as file:
        file.write(gzip.compress(b'{"camera": "gate", "wal\n'))
    kept(tmp_path, frames_at(2))
    assert read(tmp_path) == [0, 2]


def test_old_files_and_the_oldest_of_too_many_go(tmp_path: Path) -> None:
    kept(tmp_path, frames_at(0, 3600, 7200), hours=0.5)
    assert read(tmp_path) == [3600, 7200]
    kept(tmp_path / "small", frames_at(0, 3600, 7200, who=3), mb=0.001)
    assert read(tmp_path / "small") == [3600, 7200]


def test_an_empty_scene_is_noted_once_a_second(tmp_path: Path) -> None:
    log = ObservationLog(tmp_path, clock=ManualClock(), hours=1, mb_per_camera=1)
    log.start()
    for tenth in range(25):
        log.put(seen(at=AT.shifted(tenth / 10)), PlantState())
    log.put(seen(person(1), at=AT.shifted(2.6)), PlantState())
    log.put(seen(at=AT.shifted(2.7)), PlantState())
    log.stop()
    assert read(tmp_path) == [0, 1, 2, 2.6, 2.7]


def test_a_disk_that_refuses_costs_frames_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "gate").write_text("a file where a folder should be")
    log = ObservationLog(tmp_path, clock=ManualClock(), hours=1, mb_per_camera=1)
    log.start()
    log.put(seen(person(1)), PlantState())
    log.stop()
    assert log.lost == 1
