"""Persons and vehicles on the floor: which points count, and how sure the place is."""

from dataclasses import fields, replace

import numpy as np
import pytest

from safety.types import KEYPOINTS, FloorPosition, ObjectClass, SeenVehicle, TrackedPerson
from tests.bench import bench_floor
from tests.support.floors import true_floor
from tests.support.pinholes import Hung
from tests.support.third_party import third_party
from tests.support.truth import SCENES
from zones.calibration import CalibrationSpec, FloorCalibration, PointPair
from zones.floor import EDGE, locate, locate_vehicles
from zones.survey import solve

CAMERA = Hung()

JOINTS = {
    "ankle": 0.13, "knee": 0.48, "hip": 0.92, "shoulder": 1.44,
    "elbow": 1.1, "wrist": 0.9, "eye": 1.6, "ear": 1.6,
}  # fmt: skip
"""Heights as a network sees them, metres."""


def calibrated(camera: Hung = CAMERA, stature_m: float = 1.70) -> FloorCalibration:
    places = np.array(
        [(-2.0, 5.0), (2.5, 5.5), (5.0, 14.0), (-4.0, 15.0), (0.3, 9.0), (2.0, 11.0), (0.0, 19.0)]
    )
    pairs = tuple(
        PointPair(picture=(u, v), plan_m=(x, y))
        for (u, v), (x, y) in zip(camera.project(places).tolist(), places.tolist(), strict=True)
    )
    return solve(CalibrationSpec(pairs=pairs, stature_m=stature_m))


def standing(
    x: float, y: float, *, hidden_m: float = 0.0, height_m: float = 1.7, seen: bool = True
) -> TrackedPerson:
    """Somebody who stands there; nothing below ``hidden_m`` is to be seen."""
    place = np.array([(x, y)])
    scale = height_m / 1.7
    keypoints = np.zeros((17, 3), np.float32)
    for row, name in enumerate(KEYPOINTS):
        level = 1.58 if name == "nose" else JOINTS[name.partition("_")[2]]
        keypoints[row, :2] = CAMERA.project(place, height_m=level * scale)[0]
        keypoints[row, 2] = 0.9 if level * scale > hidden_m and seen else 0.1
    top = CAMERA.project(place, height_m=height_m)[0]
    bottom = CAMERA.project(place, height_m=hidden_m)[0]
    half = 0.2 * (CAMERA.project(place)[0, 1] - top[1]) / CAMERA.aspect
    box = np.array([top[0] - half, top[1], top[0] + half, bottom[1]], np.float32).clip(0, 1)
    return TrackedPerson(track_id=1, box=box, score=0.9, keypoints=keypoints, age_s=1.0)


def placed(person: TrackedPerson) -> FloorPosition:
    (found,) = locate([person], calibrated())
    assert found.floor is not None
    return found.floor


def sigma_m(place: FloorPosition) -> tuple[float, float]:
    xx, _, yy = place.covariance_m2
    return float(np.sqrt(xx)), float(np.sqrt(yy))


@pytest.mark.parametrize("where", [(0.0, 7.0), (-2.0, 10.0), (2.0, 14.0), (0.5, 20.0)])
@pytest.mark.parametrize(
    ("hidden_m", "source"),
    [(0.0, "ankles"), (0.3, "box_bottom"), (0.7, "extrapolated")],
)
def test_people_are_found_where_they_stand(
    where: tuple[float, float], hidden_m: float, source: str
) -> None:
    place = placed(standing(*where, hidden_m=hidden_m))
    off = np.array([place.x_m - where[0], place.y_m - where[1]])
    (xx, xy, yy) = place.covariance_m2
    assert off @ np.linalg.solve([[xx, xy], [xy, yy]], off) < 4
    if hidden_m != 0.3:
        assert place.source == source


def test_the_less_is_seen_the_vaguer_the_place() -> None:
    whole, legless, headless = (
        placed(standing(1.0, 12.0)),
        placed(standing(1.0, 12.0, hidden_m=0.7)),
        placed(standing(1.0, 12.0, hidden_m=1.0, seen=False)),
    )
    assert sigma_m(whole)[1] < sigma_m(legless)[1] < sigma_m(headless)[1]
    assert sigma_m(whole)[1] < 0.3


def test_somebody_cut_by_the_lower_edge_is_placed_by_the_trunk() -> None:
    person = standing(0.2, 3.1)
    assert person.box[3] >= EDGE
    place = placed(person)
    assert place.source == "extrapolated"
    assert place.y_m == pytest.approx(3.1, abs=0.4)


def test_a_box_that_ends_at_an_obstacle_is_not_believed() -> None:
    """The box's bottom would be 6 m behind; without joints both places are possible."""
    place = placed(standing(1.0, 12.0, hidden_m=1.0, seen=False))
    assert place.source == "extrapolated"
    assert abs(place.y_m - 12.0) < 2 * sigma_m(place)[1]


def test_one_ankle_is_less_sure_than_two() -> None:
    person = standing(0.0, 9.0)
    keypoints = person.keypoints.copy()
    keypoints[KEYPOINTS.index("left_ankle"), 2] = 0.2
    one = placed(replace(person, keypoints=keypoints))
    assert one.source == "ankles"
    assert sigma_m(one)[0] > 2 * sigma_m(placed(person))[0]


def test_lying_people_without_ankles_are_where_their_box_is() -> None:
    centre = CAMERA.project(np.array([(0.0, 10.0)]))[0]
    box = np.array([centre[0] - 0.08, centre[1] - 0.04, centre[0] + 0.08, centre[1] + 0.02])
    person = replace(
        standing(0.0, 10.0, seen=False),
        box=box.astype(np.float32),
        keypoints=np.zeros((17, 3), np.float32),
    )
    place = placed(person)
    assert place.source == "box_bottom"
    assert abs(place.y_m - 10.0) < 1.0
    assert min(sigma_m(place)) > 0.7


def test_above_the_horizon_nobody_has_a_place() -> None:
    camera = Hung(tilt_deg=14, height_m=3.0)
    person = replace(
        standing(0.0, 9.0, seen=False), box=np.array([0.4, 0.0, 0.45, 0.05], np.float32)
    )
    (found,) = locate([person], calibrated(camera))
    assert found.floor is None


def test_far_away_a_place_that_says_nothing_is_none() -> None:
    camera = Hung(tilt_deg=14, height_m=3.0)
    horizon = calibrated(camera).horizon()[0][1]
    keypoints = np.full((17, 3), 0.9, np.float32)
    keypoints[:, :2] = (0.5, horizon + 0.012)
    box = np.array([0.49, horizon - 0.01, 0.51, horizon + 0.014], np.float32)
    person = replace(standing(0.0, 9.0), keypoints=keypoints, box=box)
    (found,) = locate([person], calibrated(camera))
    assert found.floor is None


def test_broken_values_place_nobody_and_break_nothing() -> None:
    keypoints = np.full((17, 3), np.nan, np.float32)
    broken = replace(standing(0.0, 9.0), box=np.full(4, np.nan, np.float32), keypoints=keypoints)
    lost, found = locate([broken, standing(0.0, 9.0)], calibrated())
    assert lost.floor is None
    assert found.floor is not None


def test_nothing_else_of_a_person_changes() -> None:
    person = standing(0.0, 9.0)
    (found,) = locate([person], calibrated())
    for field in fields(TrackedPerson):
        if field.name != "floor":
            assert getattr(found, field.name) is getattr(person, field.name)
    assert locate([], calibrated()) == ()


def test_a_vehicle_stands_at_its_near_edge() -> None:
    corners = np.array([(-0.6, 9.0), (0.6, 9.0), (-0.6, 10.5), (0.6, 10.5)])
    low, high = CAMERA.project(corners), CAMERA.project(corners, height_m=0.4)
    every = np.vstack([low, high])
    box = np.concatenate([every.min(axis=0), every.max(axis=0)]).astype(np.float32)
    vehicle = SeenVehicle(track_id=1, kind=ObjectClass.AMR, box=box, score=0.9, age_s=1.0)
    (found,) = locate_vehicles([vehicle], calibrated())
    assert found.floor is not None
    assert found.floor.x_m == pytest.approx(0.0, abs=0.1)
    assert found.floor.y_m == pytest.approx(9.0, abs=0.2)
    assert min(sigma_m(found.floor)) >= 0.25
    assert locate_vehicles([], calibrated()) == ()


@pytest.mark.parametrize("scene", SCENES)
def test_the_scenes_people_are_where_they_are_said_to_be(scene: str) -> None:
    """Truth with noise; what the network sees is measured by the bench ``floor``."""
    third_party(f"scenes/{scene}/truth.json")
    places = [
        each
        for seed in range(2)
        for each in bench_floor.placed_from_truth(scene, solve(true_floor(scene).clicked(8, seed)))
    ]
    errors = np.array([each.error_m for each in places])
    assert len(errors) > 20
    assert np.median(errors) < 0.3
    assert np.mean([each.nees <= bench_floor.INSIDE_95 for each in places]) > 0.9
