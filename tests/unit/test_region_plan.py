"""Which parts of which camera's picture the network is given, for what it may cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cameras.budget import USABLE, NetworkCosts, picture_ms
from cameras.region_plan import (
    CONTEXT_S,
    CameraPlan,
    CameraTask,
    least_px,
    plan_cameras,
)
from cameras.region_plan_heights import CalibratedHeights, LearnedHeights
from cameras.region_plan_zones import SeenZone, seen_zone
from safety.clock import SystemClock
from safety.perception.letterbox import network_size
from safety.perception.recorded import RecordedDetector
from safety.types import Detections
from tests.support.pinholes import Hung
from zones.calibration import CalibrationSpec, PointPair
from zones.geometry import Polygon
from zones.survey import solve

MS = 20.0
"""A picture at 640x384."""

FLOOR = LearnedHeights(horizon=0.2, growth=0.5)
"""A person whose feet are in the middle of the picture is 0.15 of it tall."""

NEAR: Polygon = ((0.3, 0.75), (0.6, 0.75), (0.6, 0.95), (0.3, 0.95))
FAR: Polygon = ((0.60, 0.34), (0.70, 0.34), (0.70, 0.42), (0.60, 0.42))
FAR_LEFT: Polygon = ((0.05, 0.34), (0.10, 0.34), (0.10, 0.42), (0.05, 0.42))
WIDE: Polygon = ((0.02, 0.34), (0.98, 0.34), (0.98, 0.42), (0.02, 0.42))
VERY_FAR: Polygon = ((0.60, 0.22), (0.66, 0.22), (0.66, 0.24), (0.60, 0.24))


def zone(
    polygon: Polygon, name: str = "zone", *, ruled: bool = True, known: bool = True
) -> SeenZone:
    heights = FLOOR if known else None
    return seen_zone(name, polygon, None, ruled=ruled, heights=heights, calibration=None)


def task(
    *zones: SeenZone,
    camera_id: str = "cam-1",
    size: tuple[int, int] = (1920, 1080),
    width: int = 640,
    fps: float = 10.0,
    everywhere: bool = False,
    free: bool = True,
) -> CameraTask:
    return CameraTask(
        camera_id=camera_id,
        width_px=size[0],
        height_px=size[1],
        network_width=width,
        fps=fps,
        zones=zones,
        everywhere=everywhere,
        free=free,
    )


def cost(size: tuple[int, int]) -> float | None:
    return picture_ms({(640, 384): MS}, size)


def plan(camera: CameraTask, *, share: float = 1.0) -> CameraPlan:
    return plan_cameras([camera], cost, share=share)[camera.camera_id]


def spent_ms(camera: CameraTask, chosen: CameraPlan) -> float:
    whole = camera.fps if not chosen.context_s else min(camera.fps, 1 / chosen.context_s)
    ms = cost(network_size(chosen.width, camera.aspect))
    assert ms is not None
    return ms * (camera.fps * len(chosen.regions) + whole)


@pytest.mark.parametrize(
    ("camera", "share", "width", "close_ups", "unresolved"),
    [
        # People are large enough: nothing more is spent.
        (task(zone(NEAR)), 1.0, 640, 0, ()),
        (task(), 1.0, 640, 0, ()),
        # Too small in the whole picture, large enough in a close-up.
        (task(zone(FAR)), 1.0, 640, 1, ()),
        # Nobody can afford it.
        (task(zone(FAR)), 0.25, 640, 0, ("zone",)),
        # Two zones far apart.
        (task(zone(FAR), zone(FAR_LEFT, "left")), 1.0, 640, 2, ()),
        # A zone without a rule is worth nothing, and is told of nevertheless.
        (task(zone(FAR, ruled=False)), 1.0, 640, 0, ("zone",)),
        # Rules about the whole picture need all of it in every frame: twice the cost.
        (task(zone(FAR), everywhere=True), 0.45, 640, 0, ("zone",)),
        (task(zone(FAR), everywhere=True), 1.0, 640, 1, ()),
        # Where a close-up would be nearly the whole picture, a wider network is what is left.
        (task(zone(WIDE), everywhere=True, size=(2560, 1440)), 2.0, 1280, 0, ()),
        # Whoever wants the whole picture gets that.
        (task(zone(FAR), free=False), 1.0, 640, 0, ("zone",)),
        # Nobody knows how tall people look.
        (task(zone(FAR, known=False)), 1.0, 640, 0, ()),
        # Too far for the camera itself: nothing is spent on that, and other zones have theirs.
        (task(zone(VERY_FAR)), 1.0, 640, 0, ("zone",)),
        (task(zone(VERY_FAR), zone(FAR, "far")), 1.0, 640, 1, ("zone",)),
        # Not quite enough is better than what there was.
        (task(zone(FAR), size=(1440, 810)), 1.0, 640, 1, ("zone",)),
        # A small camera's pixels cannot be made more.
        (task(zone(FAR), size=(640, 360)), 1.0, 640, 0, ("zone",)),
    ],
)
def test_a_camera_is_planned(
    camera: CameraTask, share: float, width: int, close_ups: int, unresolved: tuple[str, ...]
) -> None:
    chosen = plan(camera, share=share)
    assert (chosen.width, len(chosen.regions)) == (width, close_ups)
    assert chosen.unresolved == unresolved


def test_a_height_that_nobody_knows_is_said_to_be_unknown() -> None:
    chosen = plan(task(zone(FAR, known=False), zone(NEAR, "near")))
    assert chosen.zone_px["zone"] is None
    # Three quarters of the zone's rows are nearer than where 0.6 of the picture lie above.
    assert chosen.zone_px["near"] == pytest.approx((0.8 - 0.2) * 0.5 * 360, rel=0.05)


def test_a_close_up_makes_people_as_much_larger_as_it_is_smaller_than_the_picture() -> None:
    whole, close_up = plan(task(zone(FAR)), share=0.25), plan(task(zone(FAR)))
    (region,) = close_up.regions
    assert whole.zone_px["zone"] is not None
    assert close_up.zone_px["zone"] == pytest.approx(whole.zone_px["zone"] / region.share, rel=0.01)


def test_who_is_seen_by_nobody_comes_before_who_could_be_seen_better() -> None:
    better: Polygon = ((0.3, 0.5), (0.4, 0.5), (0.4, 0.54), (0.3, 0.54))
    could_be_better = task(zone(better, "a"), camera_id="a")
    cannot_be_seen = task(zone(FAR, "b"), camera_id="b")
    plans = plan_cameras([could_be_better, cannot_be_seen], cost, share=0.58)
    assert [len(plans[each].regions) for each in ("a", "b")] == [0, 1]


def test_spare_time_goes_to_the_whole_picture_beside_close_ups() -> None:
    seldom, always = plan(task(zone(FAR)), share=0.4), plan(task(zone(FAR)), share=1.0)
    assert (seldom.context_s, always.context_s) == (CONTEXT_S, 0.0)


def test_before_anything_was_measured_the_whole_picture_is_looked_at() -> None:
    chosen = plan_cameras([task(zone(FAR))], lambda _: None)["cam-1"]
    assert (chosen.width, chosen.regions, chosen.unresolved) == (640, (), ("zone",))


@pytest.mark.parametrize(("scale", "px"), [(1 / 3, 48), (2 / 3, 64), (1.0, 80)])
def test_people_must_be_taller_where_the_camera_shows_no_more_detail(
    scale: float, px: float
) -> None:
    assert least_px(scale) == pytest.approx(px)


def test_a_calibrated_camera_knows_how_tall_people_look() -> None:
    """Against the pinhole that the calibration was made from: 1.7 m in the far tenth of a zone."""
    camera = Hung()
    floor_m = ((-1.0, 8.0), (1.0, 8.0), (1.0, 10.0), (-1.0, 10.0))
    grid = [(float(x), float(y)) for x in (-3, 0, 3) for y in (6, 9, 14)]
    seen = camera.project(np.array(grid))
    pairs = tuple(
        PointPair(picture=(float(x), float(y)), plan_m=place)
        for (x, y), place in zip(seen, grid, strict=True)
    )
    calibration = solve(CalibrationSpec(pairs=pairs))
    polygon = calibration.picture_polygon(floor_m)
    assert polygon is not None
    far = seen_zone(
        "far",
        polygon,
        floor_m,
        ruled=True,
        heights=CalibratedHeights(calibration),
        calibration=calibration,
    )
    place = np.array([[0.0, 9.8]])
    head, foot = camera.project(place, height_m=1.7), camera.project(place)
    assert far.far_height == pytest.approx(float(foot[0, 1] - head[0, 1]), rel=0.03)


def test_a_network_is_timed_once_and_other_sizes_are_reckoned() -> None:
    costs = NetworkCosts()
    nothing = [Detections.empty()] * 20
    costs.measure(RecordedDetector(nothing, network_px=(640, 384)), SystemClock())
    costs.put((640, 384), MS)
    assert picture_ms(costs.known(), (1280, 768)) == pytest.approx(4 * MS)
    assert picture_ms({}, (640, 384)) is None


corners = st.tuples(st.floats(0.0, 0.9), st.floats(0.25, 0.9), st.floats(0.03, 0.1))


def test_rules_about_the_whole_picture_have_it_in_every_frame() -> None:
    assert plan(task(zone(FAR)), share=0.45).context_s > 0
    assert plan(task(zone(FAR), everywhere=True), share=1.0).context_s == 0


@st.composite
def cameras(draw: st.DrawFn) -> list[CameraTask]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        places = draw(st.lists(corners, max_size=4))
        found.append(
            task(
                *(
                    zone(((x, y), (x + s, y), (x + s, y + s), (x, y + s)), f"zone-{i}")
                    for i, (x, y, s) in enumerate(places)
                ),
                camera_id=f"cam-{number}",
                size=draw(st.sampled_from([(640, 480), (1280, 720), (1920, 1080), (2560, 1440)])),
                fps=draw(st.sampled_from([2.0, 5.0, 10.0, 15.0])),
                everywhere=draw(st.booleans()),
            )
        )
    return found


@settings(deadline=None, max_examples=40)
@given(tasks=cameras(), share=st.floats(0.05, 3.0))
def test_no_plan_costs_more_than_there_is_or_leaves_its_zones_out(
    tasks: list[CameraTask], share: float
) -> None:
    plans = plan_cameras(tasks, cost, share=share)
    whole = {each.camera_id: CameraPlan(width=each.network_width) for each in tasks}
    least = sum(spent_ms(each, whole[each.camera_id]) for each in tasks)
    spent = sum(spent_ms(each, plans[each.camera_id]) for each in tasks)
    assert spent <= max(least, 1000 * USABLE * share) + 1e-6
    for each in tasks:
        chosen = plans[each.camera_id]
        assert set(chosen.unresolved) <= {zone.zone_id for zone in each.zones}
        for region in chosen.regions:
            assert 0 <= region.left < region.right <= 1
            assert region.right - region.left == pytest.approx(region.share, abs=0.01)
        for seen in each.zones if chosen.regions else ():
            assert any(
                region.left - 0.01 <= np.min(np.array(seen.polygon)[:, 0])
                and region.right + 0.01 >= np.max(np.array(seen.polygon)[:, 0])
                and region.top - 0.01 <= np.min(np.array(seen.polygon)[:, 1])
                and region.bottom + 0.01 >= np.max(np.array(seen.polygon)[:, 1])
                for region in chosen.regions
            )
