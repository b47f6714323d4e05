"""Vehicles and their protective fields over the live picture."""

from dataclasses import replace

import numpy as np
import pytest
import shapely

from cameras.analysis import Analysis
from cameras.drawn import drawn_vehicles
from safety.types import Frame, ObjectClass, Observation, PlantState, VehiclePose
from tests.support.bodies import camera, project
from tests.support.moments import forklift, middle, traffic
from tests.support.pictures import WholePicture

PICTURE = np.zeros((36, 64, 3), np.uint8)


def analysis(seen: Observation, plant: PlantState | None = None, *, known: bool = True) -> Analysis:
    return Analysis(
        frame=Frame(
            camera_id="cam", sequence=1, captured_at=seen.at, width_px=1280, height_px=720,
            picture=PICTURE, full=WholePicture(PICTURE),
        ),
        observation=seen,
        plant=plant or PlantState(),
        open_violations=(),
        calibration=camera() if known else None,
    )  # fmt: skip


def reporting(seen: Observation, *, y_m: float = 9.0) -> PlantState:
    return PlantState(
        vehicles={
            "amr-7": VehiclePose(
                vehicle_id="amr-7", kind=ObjectClass.AMR, at=seen.at, x_m=0.0, y_m=y_m,
                heading_rad=0.0, velocity_mps=(1.0, 0.0),
                footprint_m=((0.5, 0.3), (-0.5, 0.3), (-0.5, -0.3), (0.5, -0.3)),
            )
        }
    )  # fmt: skip


def test_a_seen_vehicle_has_box_speed_and_field() -> None:
    seen = traffic([], [forklift(x_m=0.0, at_s=2, velocity_mps=(0.0, 1.0))], 2.0)
    [drawn] = drawn_vehicles(analysis(seen))
    assert (drawn.name, drawn.speed_mps, drawn.reported) == ("forklift-1", 1.0, False)
    assert drawn.box == pytest.approx((0.45, 0.3, 0.55, 0.5))
    assert drawn.field is not None
    field = shapely.Polygon(drawn.field)
    ahead, behind = project(np.array([[1.0, 10.8, 0.0], [1.0, 7.5, 0.0]]))
    assert field.contains(shapely.Point(ahead))
    assert not field.contains(shapely.Point(behind))


def test_without_a_floor_there_is_a_box_and_no_field() -> None:
    seen = traffic([], [forklift(x_m=0.0, at_s=2, floor=False)], 2.0)
    [drawn] = drawn_vehicles(analysis(seen, known=False))
    assert drawn.box is not None
    assert (drawn.field, drawn.speed_mps) == (None, None)


def test_a_vehicle_that_reports_itself_is_drawn_where_it_is() -> None:
    seen = traffic([middle(1, 2.0)], [], 2.0)
    [drawn] = drawn_vehicles(analysis(seen, reporting(seen)))
    assert (drawn.name, drawn.reported, drawn.box) == ("amr-7", True, None)
    assert drawn.field is not None
    [here] = project(np.array([[0.0, 9.0, 0.0]]))
    assert shapely.Polygon(drawn.field).contains(shapely.Point(here))


def test_one_outside_the_picture_is_not_drawn() -> None:
    seen = traffic([], [], 2.0)
    assert drawn_vehicles(analysis(seen, reporting(seen, y_m=-30.0))) == ()


def test_one_that_is_seen_and_reports_is_drawn_once() -> None:
    seen = traffic([], [replace(forklift(x_m=-0.5, at_s=2), kind=ObjectClass.AMR)], 2.0)
    [drawn] = drawn_vehicles(analysis(seen, reporting(seen)))
    assert drawn.name == "amr-7"
    assert drawn.box is not None
