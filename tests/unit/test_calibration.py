"""Calibrations: what they compute, what they refuse, and whether they know how sure they are."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from cameras.specs import CameraSpec
from tests.support.pinholes import Array, Hung
from zones.calibration import CalibrationSpec, PointPair
from zones.homography import CLICK_NOISE, PLAN_NOISE_M
from zones.lens import LensSpec
from zones.survey import solve, survey

CORNERS = ((-2.0, 5.0), (2.5, 5.5), (5.0, 14.0), (-4.0, 15.0))
SPREAD = (*CORNERS, (0.3, 9.0), (2.0, 11.0), (-2.0, 8.0), (0.0, 13.0))

hung = st.builds(
    Hung,
    height_m=st.floats(2.5, 10),
    tilt_deg=st.floats(20, 60),
    roll_deg=st.floats(-10, 10),
    view_deg=st.floats(45, 100),
    yaw_deg=st.floats(-180, 180),
    place_m=st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
)


def spec_of(camera: Hung, places: Sequence[tuple[float, float]]) -> CalibrationSpec:
    picture = camera.project(np.array(places))
    return CalibrationSpec(
        aspect=camera.aspect,
        lens=camera.lens,
        pairs=tuple(
            PointPair(picture=(u, v), plan_m=place)
            for (u, v), place in zip(picture.tolist(), places, strict=True)
        ),
    )


def floor_in_view(camera: Hung, count: int) -> list[tuple[float, float]]:
    """Places all over the part of the picture that shows floor at most 40 m away."""
    u, v = np.meshgrid(np.linspace(0.05, 0.95, 12), np.linspace(0.05, 0.95, 12))
    places = camera.unproject(np.stack([u.ravel(), v.ravel()], axis=1))
    near = np.hypot(*(places - np.array(camera.place_m)).T) < 40
    kept = places[near & np.isfinite(places).all(axis=1)]
    assume(len(kept) >= 24)
    chosen = kept[np.random.default_rng(count).permutation(len(kept))[:count]]
    return [(float(x), float(y)) for x, y in chosen]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(camera=hung)
def test_perfect_pairs_give_the_perfect_camera(camera: Hung) -> None:
    places = floor_in_view(camera, 9)
    calibration = solve(spec_of(camera, places))
    wanted = np.array(floor_in_view(camera, 20))
    found = calibration.to_floor(camera.project(wanted))
    np.testing.assert_allclose(found.places_m, wanted, atol=1e-4)
    np.testing.assert_allclose(calibration.to_picture(wanted), camera.project(wanted), atol=1e-6)
    assert calibration.pose is not None
    np.testing.assert_allclose(
        calibration.pose.location_m, (*camera.place_m, camera.height_m), atol=1e-2
    )
    overhead = camera.project(wanted, height_m=1.7)
    np.testing.assert_allclose(calibration.to_picture(wanted, height_m=1.7), overhead, atol=1e-4)
    again = calibration.to_floor(overhead, height_m=1.7).places_m
    np.testing.assert_allclose(again, wanted, atol=1e-3)


def test_four_pairs_are_enough() -> None:
    camera = Hung()
    calibration = solve(spec_of(camera, CORNERS))
    wanted = np.array([(0.5, 10.0)])
    found = calibration.to_floor(camera.project(wanted)).places_m
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("count", [6, 8, 12])
def test_the_covariance_is_that_of_the_errors(count: int) -> None:
    """Monte Carlo: pairs are clicked and measured anew, the same point is looked at."""
    camera, draw = Hung(), np.random.default_rng(count)
    places = np.array([*SPREAD, (3.0, 8.0), (-1.0, 11.0), (1.0, 6.0), (-3.0, 12.0)])[:count]
    picture = camera.project(places)
    wanted = np.array([(0.0, 6.0), (1.5, 10.0), (-1.0, 14.0), (2.0, 18.0)])
    distances: list[Array] = []
    for _ in range(120):
        clicked = picture + draw.normal(0, CLICK_NOISE, picture.shape) / (camera.aspect, 1)
        measured = places + draw.normal(0, PLAN_NOISE_M, places.shape)
        spec = CalibrationSpec(
            aspect=camera.aspect,
            pairs=tuple(
                PointPair(picture=(u, v), plan_m=(x, y))
                for (u, v), (x, y) in zip(clicked.tolist(), measured.tolist(), strict=True)
            ),
        )
        noise = draw.normal(0, 0.004, wanted.shape) / (camera.aspect, 1)
        floor = survey(spec).calibration.to_floor(camera.project(wanted) + noise, noise=0.004)
        off = floor.places_m - wanted
        distances.append(np.einsum("ni,nij,nj->n", off, np.linalg.inv(floor.covariance_m2), off))
    nees = np.array(distances)
    assert (nees.mean(axis=0) < 2.6).all()
    assert (nees.mean(axis=0) > 1.2).all()
    assert (nees < 5.99).mean() > 0.92


def test_what_is_far_from_the_pairs_is_less_sure() -> None:
    calibration = solve(spec_of(Hung(), SPREAD))
    places = np.array([(0.0, y) for y in (8.0, 16.0, 24.0, 32.0)])
    spread = calibration.to_floor(Hung().project(places)).covariance_m2
    assert (np.diff(np.trace(spread, axis1=1, axis2=2)) > 0).all()


def test_an_unknown_height_spreads_along_the_ray() -> None:
    camera = Hung()
    calibration = solve(spec_of(camera, SPREAD))
    points = camera.project(np.array([(0.0, 12.0)]), height_m=1.0)
    floor = calibration.to_floor(points, noise=1e-6, height_m=1.0, height_noise_m=0.1)
    # Similar triangles: 0.1 m of height at 12 m under a camera 4 m high, 3 m above the point.
    assert math.sqrt(floor.covariance_m2[0, 1, 1]) == pytest.approx(0.4, rel=0.05)
    assert math.sqrt(floor.covariance_m2[0, 0, 0]) < 0.05


@pytest.mark.parametrize("wrong", range(8))
def test_one_wrong_pair_among_eight_is_found_and_left_out(wrong: int) -> None:
    camera = Hung()
    spec = spec_of(camera, SPREAD)
    pairs = list(spec.pairs)
    x, y = pairs[wrong].plan_m
    pairs[wrong] = pairs[wrong].model_copy(update={"plan_m": (x + 1.5, y - 1.0)})
    found = survey(spec.model_copy(update={"pairs": tuple(pairs)}))
    assert np.flatnonzero(~found.inliers).tolist() == [wrong]
    assert found.residuals_m[wrong] == pytest.approx(math.hypot(1.5, 1.0), abs=0.1)
    assert found.rms_m < 1e-6


def test_above_the_horizon_there_is_no_floor() -> None:
    camera = Hung(tilt_deg=20)
    calibration = solve(spec_of(camera, SPREAD))
    (_, left), (_, right) = calibration.horizon()
    assert left == pytest.approx(right, abs=1e-6)
    above = np.array([(0.5, left - 0.01), (0.2, left - 0.1)])
    floor = calibration.to_floor(above)
    assert np.isnan(floor.places_m).all()
    assert np.isnan(floor.covariance_m2).all()
    below = calibration.to_floor(np.array([(0.5, left + 0.1)]))
    assert np.isfinite(below.places_m).all()


def test_behind_the_camera_there_is_no_picture() -> None:
    calibration = solve(spec_of(Hung(), SPREAD))
    assert np.isnan(calibration.to_picture(np.array([(0.0, -5.0)]))).all()


def test_a_camera_that_looks_straight_down_has_no_horizon_and_no_pose() -> None:
    places = [(float(x), float(y)) for x in (-2, 0, 2) for y in (-1, 1)]
    pairs = tuple(
        PointPair(picture=(0.5 + x / 8 * 9 / 16, 0.5 - y / 8), plan_m=(x, y)) for x, y in places
    )
    calibration = solve(CalibrationSpec(pairs=pairs))
    assert calibration.horizon() == ()
    assert calibration.pose is None
    assert np.isnan(calibration.heights(np.zeros((1, 2)), 1.7)).all()
    np.testing.assert_allclose(
        calibration.to_floor(np.array([(0.5, 0.5)]), height_m=1.0).places_m, [(0, 0)], atol=1e-6
    )


@settings(max_examples=20, deadline=None, derandomize=True)
@given(camera=hung, k1=st.floats(-0.1, 0.4), k2=st.floats(-0.03, 0.1))
def test_a_bent_lens_is_straightened(camera: Hung, k1: float, k2: float) -> None:
    bent = Hung(**{**vars(camera), "lens": LensSpec(k1=k1, k2=k2)})
    places = floor_in_view(bent, 10)
    calibration = solve(spec_of(bent, places))
    wanted = np.array(floor_in_view(bent, 20))
    found = calibration.to_floor(bent.project(wanted))
    off = np.hypot(*(found.places_m - wanted).T)
    away = np.hypot(*(wanted - np.array(bent.place_m)).T)
    assert (off < 0.01 + 0.002 * away).all()


# Zones


def test_a_zone_in_view_is_projected_corner_by_corner() -> None:
    camera = Hung()
    zone = ((-1.0, 8.0), (1.0, 8.0), (1.0, 10.0), (-1.0, 10.0))
    polygon = solve(spec_of(camera, SPREAD)).picture_polygon(zone)
    assert polygon is not None
    found, wanted = np.array(polygon), camera.project(np.array(zone))
    assert len(found) == 4
    for corner in wanted:
        assert np.hypot(*(found - corner).T).min() < 1e-4


@pytest.mark.parametrize(
    ("zone", "seen"),
    [
        pytest.param(((-1.0, -9.0), (1.0, -9.0), (0.0, -4.0)), False, id="behind"),
        pytest.param(((60.0, 8.0), (64.0, 8.0), (62.0, 12.0)), False, id="beside"),
        pytest.param(((-50.0, -50.0), (50.0, -50.0), (50.0, 50.0), (-50.0, 50.0)), True, id="all"),
        pytest.param(((-1.0, -2.0), (1.0, -2.0), (1.0, 12.0), (-1.0, 12.0)), True, id="under"),
        pytest.param(((-1.0, 900.0), (1.0, 900.0), (0.0, 910.0)), False, id="far"),
    ],
)
def test_a_zone_is_cut_to_what_is_seen(zone: tuple[tuple[float, float], ...], seen: bool) -> None:
    polygon = solve(spec_of(Hung(), SPREAD)).picture_polygon(zone)
    assert (polygon is not None) == seen
    if polygon is not None:
        corners = np.array(polygon)
        assert ((corners >= -1e-9) & (corners <= 1 + 1e-9)).all()


# Refusals


def change(number: int, **update: tuple[float, float]) -> Callable[[list[PointPair]], None]:
    def apply(pairs: list[PointPair]) -> None:
        pairs[number] = pairs[number].model_copy(update=update)

    return apply


def mirror(pairs: list[PointPair]) -> None:
    for number, pair in enumerate(pairs):
        pairs[number] = pair.model_copy(update={"plan_m": (-pair.plan_m[0], pair.plan_m[1])})


def line(pairs: list[PointPair]) -> None:
    for number, pair in enumerate(pairs):
        v = 0.3 + 0.05 * number
        pairs[number] = pair.model_copy(
            update={"plan_m": (1.0 * number, 2.0 * number), "picture": (v, 0.9 - v / 2)}
        )


def in_millimetres(pairs: list[PointPair]) -> None:
    for number, pair in enumerate(pairs):
        x, y = pair.plan_m
        pairs[number] = pair.model_copy(update={"plan_m": (x * 300, y * 300)})


def scrambled(pairs: list[PointPair]) -> None:
    places = [pair.plan_m for pair in pairs]
    for number, place in enumerate([places[i] for i in (5, 4, 7, 6, 2, 3, 0, 1)]):
        pairs[number] = pairs[number].model_copy(update={"plan_m": place})


def cut(pairs: list[PointPair]) -> None:
    del pairs[3:]


def crossed(pairs: list[PointPair]) -> None:
    """Two of four corners exchanged: no camera sees a floor like that."""
    del pairs[4:]
    pairs[0], pairs[1] = (
        pairs[0].model_copy(update={"plan_m": pairs[1].plan_m}),
        pairs[1].model_copy(update={"plan_m": pairs[0].plan_m}),
    )


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        pytest.param(cut, "calibration.too_few", id="three"),
        pytest.param(list[PointPair].clear, "calibration.too_few", id="none"),
        pytest.param(change(2, picture=(1.2, 0.5)), "calibration.outside_picture", id="outside"),
        pytest.param(
            change(2, picture=(math.nan, 0.5)), "calibration.outside_picture", id="nan in picture"
        ),
        pytest.param(change(2, plan_m=(1e6, 2.0)), "calibration.outside_plan", id="absurd"),
        pytest.param(change(2, plan_m=(math.inf, 0.0)), "calibration.outside_plan", id="infinite"),
        pytest.param(change(2, plan_m=SPREAD[1]), "calibration.repeated", id="same place"),
        pytest.param(line, "calibration.collinear", id="line"),
        pytest.param(mirror, "calibration.mirrored", id="mirrored"),
        pytest.param(in_millimetres, "calibration.camera_height", id="units"),
        pytest.param(crossed, "calibration.above_horizon", id="crossed"),
    ],
)
def test_what_cannot_be_a_floor_is_refused(
    spoil: Callable[[list[PointPair]], None], key: str
) -> None:
    pairs = list(spec_of(Hung(), SPREAD).pairs)
    spoil(pairs)
    with pytest.raises(PydanticCustomError) as refused:
        solve(CalibrationSpec(pairs=tuple(pairs)))
    assert refused.value.type == key


def test_pairs_in_disorder_are_refused() -> None:
    pairs = list(spec_of(Hung(), SPREAD).pairs)
    scrambled(pairs)
    with pytest.raises(PydanticCustomError) as refused:
        solve(CalibrationSpec(pairs=tuple(pairs)))
    assert refused.value.type.startswith("calibration.")


def test_contradictions_over_the_limit_name_the_worst_pair() -> None:
    camera = Hung()
    spec = spec_of(camera, SPREAD[:6])
    pairs = list(spec.pairs)
    for number, off in ((1, 1.2), (4, -1.4), (5, 1.1)):
        x, y = pairs[number].plan_m
        pairs[number] = pairs[number].model_copy(update={"plan_m": (x + off, y)})
    spec = spec.model_copy(update={"pairs": tuple(pairs), "limit_m": 0.2})
    with pytest.raises(PydanticCustomError) as refused:
        solve(spec)
    assert refused.value.type == "calibration.residual"
    assert (refused.value.context or {})["number"] in {1, 2, 3, 4, 5, 6}
    assert solve(spec.model_copy(update={"limit_m": 5.0})) is not None


def test_a_lens_that_folds_the_picture_is_refused() -> None:
    spec = spec_of(Hung(), SPREAD).model_copy(update={"lens": LensSpec(k1=-0.6)})
    with pytest.raises(PydanticCustomError) as refused:
        solve(spec)
    assert refused.value.type == "lens.folds"


def test_a_camera_with_an_unusable_calibration_is_refused() -> None:
    def camera(calibration: CalibrationSpec) -> CameraSpec:
        source = {"kind": "synthetic"}
        return CameraSpec.model_validate(
            {"id": "c", "name": "C", "source": source, "calibration": calibration.model_dump()}
        )

    good = spec_of(Hung(), SPREAD)
    assert camera(good).calibration == good
    with pytest.raises(ValidationError, match="not enough"):
        camera(good.model_copy(update={"pairs": good.pairs[:3]}))
