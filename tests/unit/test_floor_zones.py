"""Zones on the floor reach the cameras that see them; where none does, that is said."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cameras.fleet import part_of
from cameras.messages import MESSAGES, Configure, FloorSighting
from cameras.sightings import Sightings
from cameras.specs import CameraSpec, SyntheticSpec
from safety.app.site import check_file
from safety.clock import Instant, ManualClock
from safety.errors import ConfigError
from safety.site.document import write_site
from safety.site.spec import SiteSpec
from safety.site.watching import unwatched_zones
from safety.types import Frame, PlantState
from tests.support.analyses import analysis_of
from tests.support.observations import observation, person
from tests.support.pictures import WholePicture
from tests.support.pinholes import Hung
from zones.calibration import CalibrationSpec, PointPair
from zones.engine import RuleEngine
from zones.examine import examine
from zones.floor import locate
from zones.rules.intrusion import IntrusionSpec
from zones.specs import ZoneSpec
from zones.survey import solve

CAMERA = Hung()
PLACES = np.array([(-2.0, 5.0), (2.5, 5.5), (5.0, 14.0), (-4.0, 15.0), (0.3, 9.0), (2.0, 11.0)])
CALIBRATION = CalibrationSpec(
    pairs=tuple(
        PointPair(picture=(u, v), plan_m=(x, y))
        for (u, v), (x, y) in zip(CAMERA.project(PLACES).tolist(), PLACES.tolist(), strict=True)
    )
)
AHEAD = ZoneSpec(id="ahead", name="Ahead", floor_m=((-1, 8), (1, 8), (1, 10), (-1, 10)))
BEHIND = ZoneSpec(id="behind", name="Behind", floor_m=((-1, -8), (1, -8), (0, -10)))
DRAWN = ZoneSpec(
    id="drawn", name="Drawn", camera_id="two", polygon=((0.1, 0.1), (0.4, 0.1), (0.2, 0.4))
)


def camera(camera_id: str, calibration: CalibrationSpec | None) -> CameraSpec:
    return CameraSpec(id=camera_id, name=camera_id, source=SyntheticSpec(), calibration=calibration)


def rule(zone: ZoneSpec) -> IntrusionSpec:
    return IntrusionSpec(id=f"in-{zone.id}", name=zone.name, zone_id=zone.id)


ONE, TWO = camera("one", CALIBRATION), camera("two", None)
ZONES = (AHEAD, BEHIND, DRAWN)


def test_a_camera_gets_the_zones_it_sees() -> None:
    rules = tuple(map(rule, ZONES))
    message = Configure(
        revision=1,
        rule_revisions={each.id: 1 for each in rules},
        cameras=(ONE, TWO),
        zones=ZONES,
        rules=rules,
    )
    one, two = part_of(message, ONE), part_of(message, TWO)
    assert [zone.id for zone in one.zones] == ["ahead"]
    assert [each.id for each in one.rules] == ["in-ahead"]
    assert one.calibration is not None
    assert [zone.id for zone in two.zones] == ["drawn"]
    assert [each.id for each in two.rules] == ["in-drawn"]
    corners = np.array(one.polygons["ahead"])
    for corner in CAMERA.project(np.array(AHEAD.floor_m)):
        assert np.hypot(*(corners - corner).T).min() < 1e-3


def engine(zone: ZoneSpec, calibration: CalibrationSpec | None) -> RuleEngine:
    return RuleEngine(
        camera_id="cam",
        zones=(zone,),
        rules=(rule(zone),),
        rule_revisions={rule(zone).id: 1},
        new_id=lambda: "v1",
        calibration=None if calibration is None else solve(calibration),
    )


@pytest.mark.parametrize(("place", "inside"), [((0.0, 9.0), True), ((0.0, 12.0), False)])
def test_a_rule_on_the_floor_works_in_the_picture(place: tuple[float, float], inside: bool) -> None:
    x, y = CAMERA.project(np.array([place]))[0]
    rules = engine(AHEAD, CALIBRATION)
    reports = []
    for at_s in (0.0, 0.1, 0.2):
        seen = locate([person(1, (float(x), float(y)), age_s=at_s)], solve(CALIBRATION))
        reports += rules.update(observation(seen, at_s), PlantState())
    assert [report.zone_id for report in reports] == (["ahead"] if inside else [])


@pytest.mark.parametrize(("zone", "known"), [(BEHIND, CALIBRATION), (AHEAD, None)])
def test_floor_that_a_camera_does_not_see_is_refused(
    zone: ZoneSpec, known: CalibrationSpec | None
) -> None:
    with pytest.raises(ConfigError) as refused:
        engine(zone, known)
    assert refused.value.key == "config.zone_not_seen"


def site(*cameras: CameraSpec) -> SiteSpec:
    zones = tuple(zone for zone in ZONES if zone.camera_id is None)
    return SiteSpec(name="Hall", cameras=cameras, zones=zones)


@pytest.mark.parametrize(
    ("cameras", "unwatched"),
    [
        pytest.param((ONE, TWO), ["behind"], id="calibrated"),
        pytest.param((TWO,), ["ahead", "behind"], id="uncalibrated"),
        pytest.param(
            (ONE.model_copy(update={"enabled": False}),), ["ahead", "behind"], id="switched off"
        ),
    ],
)
def test_zones_that_no_camera_sees_are_named(
    cameras: tuple[CameraSpec, ...], unwatched: list[str]
) -> None:
    assert [zone.id for zone in unwatched_zones(site(*cameras))] == unwatched


def test_the_site_check_warns_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(write_site(site(ONE)), encoding="utf-8")
    check_file(file, secrets=False)
    said = capsys.readouterr()
    assert "ok; 1 cameras, 2 zones" in said.out
    assert "'behind'" in said.err
    assert "'ahead'" not in said.err
    assert "NOT MONITORED" in said.err


# What an installer is shown


def test_the_report_shows_how_every_pair_fits() -> None:
    pairs = list(CALIBRATION.pairs)
    pairs[2] = pairs[2].model_copy(update={"plan_m": (7.0, 12.0)})
    spec = CALIBRATION.model_copy(update={"pairs": tuple(pairs)})
    report = examine(spec, [(0.5, 0.6), (0.5, 0.0)])
    assert report.usable
    assert [pair.number for pair in report.pairs if not pair.used] == [3]
    assert [warning.key for warning in report.warnings] == ["calibration.outlier"]
    assert report.rms_m == pytest.approx(0, abs=1e-6)
    assert report.camera_m == pytest.approx((0, 0, 4), abs=0.01)
    assert report.view_deg == pytest.approx(66, abs=0.1)
    near, sky = report.ellipses
    assert near.plan_m is not None
    assert near.semi_axes_m[0] >= near.semi_axes_m[1] > 0
    # Depth is less sure than breadth: the long axis points away from the camera.
    assert abs(np.sin(near.angle_rad)) > 0.95
    assert report.model_validate_json(report.model_dump_json()) == report
    assert sky.plan_m is not None or sky.semi_axes_m == (0.0, 0.0)


def worse(spec: CalibrationSpec) -> CalibrationSpec:
    return spec.model_copy(update={"pairs": spec.pairs[:3]})


def tight(spec: CalibrationSpec) -> CalibrationSpec:
    pairs = list(spec.pairs[:5])
    pairs[4] = pairs[4].model_copy(update={"plan_m": (1.3, 9.5)})
    return spec.model_copy(update={"pairs": tuple(pairs), "limit_m": 0.05})


@pytest.mark.parametrize(
    ("spoil", "key"), [(worse, "calibration.too_few"), (tight, "calibration.residual")]
)
def test_the_report_says_why_a_calibration_cannot_be_used(
    spoil: Callable[[CalibrationSpec], CalibrationSpec], key: str
) -> None:
    report = examine(spoil(CALIBRATION))
    assert not report.usable
    assert report.refusal is not None
    assert report.refusal.key == key
    assert report.refusal.message


def test_four_pairs_are_said_to_be_unchecked() -> None:
    report = examine(CALIBRATION.model_copy(update={"pairs": CALIBRATION.pairs[:4]}))
    assert report.usable
    assert [warning.key for warning in report.warnings] == ["calibration.unchecked"]


# What the engine is told


def test_the_engine_is_told_five_times_a_second() -> None:
    told: list[FloorSighting] = []
    clock = ManualClock()
    sightings = Sightings(told.append, clock=clock)
    x, y = CAMERA.project(np.array([(0.0, 9.0)]))[0]
    placed = locate([person(4, (float(x), float(y)))], solve(CALIBRATION))
    picture = np.zeros((4, 4, 3), np.uint8)
    for number in range(31):
        captured = Instant(wall=0.0, monotonic=clock.now().monotonic - 0.05)
        frame = Frame(
            camera_id="one", sequence=number, captured_at=captured, width_px=4, height_px=4,
            picture=picture, full=WholePicture(picture),
        )  # fmt: skip
        sightings.analysed("one", analysis_of(frame, *placed))
        clock.sleep(1 / 15)
    assert len(told) in range(9, 12)
    before = len(told)
    sightings.analysed("one", analysis_of(frame, *placed))
    assert len(told) == before
    sightings.analysed("one", analysis_of(frame, *placed), at_once=True)
    assert len(told) == before + 1
    assert told[0].age_s == pytest.approx(0.05)
    assert MESSAGES.validate_json(told[0].model_dump_json()) == told[0]
    ((track_id, where_x, where_y, *_),) = told[0].people
    assert track_id == 4
    assert (where_x, where_y) == pytest.approx((0.0, 9.0), abs=0.4)
