"""Vehicles keep their identity and their kind."""

import itertools

import numpy as np
import pytest

from safety.clock import Instant
from safety.perception.vehicle_tracking import VehicleTracker
from safety.types import Detections, ObjectClass, SeenVehicle

KINDS = list(ObjectClass)


def found(*vehicles: tuple[ObjectClass, float, float]) -> Detections:
    """Vehicles by kind, left edge and score; all 0.1 wide, their lower edge at 0.6."""
    count = len(vehicles)
    return Detections(
        boxes=np.array([[x, 0.4, x + 0.1, 0.6] for _, x, _ in vehicles], np.float32).reshape(-1, 4),
        scores=np.array([score for _, _, score in vehicles], np.float32),
        classes=np.array([KINDS.index(kind) for kind, _, _ in vehicles], np.int64),
        keypoints=np.zeros((count, 17, 3), np.float32),
    )


def at(seconds: float) -> Instant:
    return Instant(wall=seconds, monotonic=1000 + seconds)


def follow(frames: list[tuple[float, Detections]]) -> list[tuple[SeenVehicle, ...]]:
    tracker = VehicleTracker()
    return [tracker.update(detections, at(at_s)) for at_s, detections in frames]


@pytest.mark.parametrize("fps", [10.0, 5.0, 3.0])
def test_a_vehicle_that_passes_is_one(fps: float) -> None:
    drive = [(n / fps, found((ObjectClass.FORKLIFT, 0.1 + 0.1 * n / fps, 0.8))) for n in range(20)]
    seen = follow(drive)
    assert {vehicle.track_id for frame in seen for vehicle in frame} == {1}
    assert seen[-1][0].age_s == pytest.approx(19 / fps)


def test_a_slip_of_the_network_changes_no_kind() -> None:
    kinds = [ObjectClass.FORKLIFT] * 3 + [ObjectClass.AMR] * 2 + [ObjectClass.FORKLIFT]
    seen = follow([(n / 10, found((kind, 0.3, 0.8))) for n, kind in enumerate(kinds)])
    assert {(v.track_id, v.kind) for frame in seen for v in frame} == {(1, ObjectClass.FORKLIFT)}


def test_persons_are_no_vehicles() -> None:
    [seen] = follow([(0.0, found((ObjectClass.PERSON, 0.3, 0.9), (ObjectClass.AMR, 0.6, 0.7)))])
    assert [vehicle.kind for vehicle in seen] == [ObjectClass.AMR]
    assert seen[0].score == pytest.approx(0.7)


def test_two_that_pass_each_other_stay_two() -> None:
    both = [
        (
            n / 10,
            found(
                (ObjectClass.AMR, 0.1 + 0.02 * n, 0.8),
                (ObjectClass.FORKLIFT, 0.7 - 0.02 * n, 0.8),
            ),
        )
        for n in range(6)
    ]
    seen = follow(both)
    pairs = [{(v.track_id, v.kind) for v in frame} for frame in seen]
    assert all(one == two for one, two in itertools.pairwise(pairs))


def test_a_vehicle_hidden_for_a_second_is_the_same_afterwards() -> None:
    frame = found((ObjectClass.AMR, 0.3, 0.8))
    seen = follow([(0.0, frame), (0.1, frame), (1.1, frame)])
    assert [v.track_id for v in seen[-1]] == [1]


def test_a_later_vehicle_is_another_one() -> None:
    tracker = VehicleTracker()
    for number in range(50):
        frame = found((ObjectClass.AMR, 0.05 + 0.015 * number, 0.8))
        seen = tracker.update(frame, at(number * 10))
    assert [v.track_id for v in seen] == [50]


def test_a_doubtful_box_that_jumps_has_not_moved() -> None:
    """Once taken for a robot, then now and then doubtfully, with boxes here and there."""
    frames = [
        (n / 5, found((ObjectClass.AMR, 0.3 + 0.08 * (n % 2), 0.12 if n else 0.6)))
        for n in range(20)
    ]
    assert not any(vehicle.moved for frame in follow(frames) for vehicle in frame)


def test_what_never_moved_may_be_a_crate() -> None:
    """Boxes tremble; a vehicle that drives off, or comes nearer, has moved."""
    trembling = [(n / 10, found((ObjectClass.AMR, 0.3 + 0.01 * (n % 2), 0.8))) for n in range(40)]
    assert not any(vehicle.moved for frame in follow(trembling) for vehicle in frame)
    driving = [(n / 10, found((ObjectClass.AMR, 0.3 + 0.02 * n, 0.8))) for n in range(10)]
    seen = [vehicle.moved for frame in follow(driving) for vehicle in frame]
    assert seen == sorted(seen)
    assert seen[-1]
