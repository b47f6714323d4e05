"""Outlines of vehicles that a camera sees, against the rendered scenes' truth."""

import json

import numpy as np
import pytest
import shapely

from safety.types import ObjectClass
from tests.support.third_party import third_party
from tests.support.traffic import Street
from zones.motion import SIZE_M, outline


def box_of(corners: tuple[tuple[float, float], ...]) -> tuple[float, float, float, float]:
    polygon = shapely.Polygon(corners)
    return tuple(round(value, 3) for value in polygon.bounds)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("heading", "seen_m", "expected"),
    [
        (np.pi / 2, 0.7, (-0.35, 5.0, 0.35, 6.0)),  # drives away: its end is near
        (0.0, 1.0, (-0.5, 5.0, 0.5, 5.7)),  # crosses: its side is near
        (None, 0.7, (-0.35, 5.0, 0.35, 6.0)),  # looks narrow
        (None, 1.0, (-0.5, 5.0, 0.5, 5.7)),  # looks wide
        (np.pi / 2, 1.05, (-0.525, 5.0, 0.525, 6.5)),  # a larger one
        (np.pi / 2, 0.3, (-0.35, 5.0, 0.35, 6.0)),  # half hidden
        (np.pi / 2, 9.0, (-0.56, 5.0, 0.56, 6.6)),  # cannot be
    ],
)
def test_outline_behind_a_near_edge(
    heading: float | None, seen_m: float, expected: tuple[float, ...]
) -> None:
    """The edge's middle is at (0, 5); the camera looks along y."""
    corners = outline((0.0, 5.0), (0.0, 1.0), seen_m, ObjectClass.AMR, heading)
    assert box_of(corners) == pytest.approx(expected, abs=1e-3)


def test_a_forklift_is_longer_than_it_is_wide() -> None:
    length, width = SIZE_M[ObjectClass.FORKLIFT]
    assert length > 2 * width


@pytest.mark.third_party
@pytest.mark.parametrize(
    ("name", "until_s", "worst_m"), [("amr_crossing", 10.0, 0.2), ("forklift_aisle", 7.9, 0.45)]
)
def test_seen_outlines_are_where_the_vehicles_are(
    name: str, until_s: float, worst_m: float
) -> None:
    """Eight clicked points, boxes without error; until the picture's edge cuts the vehicle."""
    path = third_party(f"scenes/{name}/truth.json")
    frames = json.loads(path.read_text(encoding="utf-8"))["frames"]
    off = []
    for number, seen in enumerate(Street(name=name).observations()):
        [vehicle] = seen.vehicles
        if frames[number]["t"] < 1.0 or frames[number]["t"] > until_s:
            continue
        assert vehicle.footprint_m is not None
        true = shapely.Polygon(frames[number]["vehicles"][0]["footprint_m"])
        off.append(shapely.hausdorff_distance(shapely.Polygon(vehicle.footprint_m), true))
    assert np.percentile(off, 95) < worst_m


@pytest.mark.third_party
@pytest.mark.parametrize("fps", [10.0, 5.0, 3.0])
def test_seen_velocity_is_the_vehicles(fps: float) -> None:
    third_party("scenes/forklift_aisle/truth.json")
    speeds = [
        np.hypot(*vehicle.velocity_mps)
        for seen in Street(name="forklift_aisle", fps=fps).observations()
        for vehicle in seen.vehicles
        if vehicle.velocity_mps is not None and 2 < vehicle.age_s < 8
    ]
    assert speeds == pytest.approx([2.0] * len(speeds), abs=0.2)
    assert len(speeds) > 5 * fps
