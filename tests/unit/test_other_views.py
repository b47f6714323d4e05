"""Clips of other cameras: who is asked for one, what they keep, and what is said if they cannot."""

import asyncio
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from cameras.evidence import ClipCase, EvidenceMaker
from cameras.messages import ClipRequest, EvidenceFailed, EvidenceReady
from cameras.packets import PacketRing
from cameras.specs import CameraSpec, SyntheticSpec
from safety.clock import ManualClock, SystemClock
from safety.engine.other_views import OtherViews
from safety.engine.recorder import Recorder
from safety.engine.site import EngineSite
from safety.site.spec import SiteSpec
from safety.store import evidence
from safety.store.database import Database
from safety.types import Violation
from tests.support.database import NOON
from tests.support.packets import instant, read_packets
from tests.support.pinholes import Hung
from tests.support.videos import moving_square, write_film
from tests.support.violations import cleared, opened
from zones.calibration import CalibrationSpec, PointPair

CLICKED = np.array([(0.1, 0.6), (0.9, 0.6), (0.2, 0.95), (0.8, 0.95), (0.5, 0.75), (0.4, 0.65)])

PLACE = (0.0, 8.0)


def calibrated(camera_id: str, hung: Hung | None, *, enabled: bool = True) -> CameraSpec:
    pairs = None
    if hung is not None:
        pairs = CalibrationSpec(
            pairs=tuple(
                PointPair(picture=tuple(picture), plan_m=tuple(place))
                for picture, place in zip(
                    CLICKED.tolist(), hung.unproject(CLICKED).tolist(), strict=True
                )
            )
        )
    return CameraSpec(
        id=camera_id,
        name=camera_id.title(),
        source=SyntheticSpec(),
        calibration=pairs,
        enabled=enabled,
        evidence_before_s=4,
        evidence_after_s=2,
    )


CAMERAS = (
    calibrated("cam-1", Hung()),
    calibrated("opposite", Hung(place_m=(0.0, 16.0), yaw_deg=180.0)),
    calibrated("away", Hung(place_m=(0.0, 16.0))),
    calibrated("far", Hung(place_m=(0.0, -60.0), tilt_deg=5.0)),
    calibrated("off", Hung(), enabled=False),
    calibrated("blank", None),
)


class Others:
    """The desk, and what it has sent."""

    def __init__(self, database: Database, *, there: bool = True) -> None:
        self.sent: list[ClipRequest] = []
        self.recorder = Recorder(database, clock=SystemClock())
        site = EngineSite(
            spec=SiteSpec(name="Ansan", cameras=CAMERAS), revision=7, rule_revisions={}
        )
        self.place: tuple[float, float] | None = PLACE
        self.first = "v1"

        def send(request: ClipRequest) -> bool:
            if there:
                self.sent.append(request)
            return there

        self.desk = OtherViews(
            recorder=self.recorder,
            site=lambda: site,
            place_of=lambda camera_id, track_id: self.place,
            first_of=lambda violation_id: self.first,
            send=send,
        )

    async def report(self, *violations: Violation) -> None:
        for violation in violations:
            self.desk.violation(violation)
        writing = asyncio.create_task(self.recorder.run())
        await self.recorder.drained()
        writing.cancel()


def rows(database: Database) -> list[tuple[str, str, str | None]]:
    with database.reading() as session:
        return [(r.other_camera, r.state, r.reason) for r in evidence.of_violation(session, "v1")]


async def test_whoever_else_sees_the_place_is_asked_once_for_the_same_seconds(
    sqlite_database: Database,
) -> None:
    others = Others(sqlite_database)
    await others.report(opened(), opened(), replace(opened(), revision=1))
    (request,) = others.sent
    assert request.camera_id == "opposite"
    assert (request.before_s, request.after_s) == (4, 2)
    assert request.found_with["camera"] == {"id": "cam-1", "name": "Cam-1"}
    assert request.found_with["config_revision"] == 7
    # Until it answers, the record says that it has not.
    assert rows(sqlite_database) == [("opposite", "failed", evidence.ASKED)]


async def test_a_camera_whose_shard_is_gone_is_named(sqlite_database: Database) -> None:
    await Others(sqlite_database, there=False).report(opened())
    assert rows(sqlite_database) == [("opposite", "failed", "shard_lost")]


@pytest.mark.parametrize(
    "report",
    [
        opened(camera_id="blank"),
        opened(camera_id="gone"),
        replace(opened(), shadow=True),
        cleared(opened()),
        opened("follows-v1"),
    ],
)
async def test_nobody_is_asked(sqlite_database: Database, report: Violation) -> None:
    others = Others(sqlite_database)
    others.first = "v1" if report.id == "follows-v1" else report.id
    await others.report(report)
    assert others.sent == []


@pytest.mark.parametrize(("feet", "asked"), [((0.5, 0.55), True), ((0.5, 0.28), False)])
async def test_without_a_place_on_the_plan_it_is_where_the_box_stands(
    sqlite_database: Database, feet: tuple[float, float], asked: bool
) -> None:
    others = Others(sqlite_database)
    others.place = None
    x, y = feet
    await others.report(replace(opened(), box=(x - 0.05, max(0.0, y - 0.3), x + 0.05, y)))
    assert bool(others.sent) is asked


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("films") / "film.mp4", moving_square(4))


def ring_of(film: Path, *, begins_s: float) -> PacketRing:
    ring = PacketRing(seconds=60, max_bytes=10**7)
    for packet in read_packets(film, begins_s=begins_s):
        ring.append(packet)
    return ring


def case(ring: PacketRing, other_camera: str) -> ClipCase:
    return ClipCase(
        violation=opened(at=instant(2)),
        ring=ring,
        before_s=1,
        after_s=1,
        found_with={"rule": None},
        camera={"id": other_camera, "name": "Opposite"},
        other_camera=other_camera,
    )


async def made(directory: Path, *cases: ClipCase) -> list[EvidenceReady | EvidenceFailed]:
    said: list[EvidenceReady | EvidenceFailed] = []
    clock = ManualClock(wall=NOON.timestamp(), monotonic=instant(99).monotonic)
    maker = EvidenceMaker(directory, clock=clock, put=said.append, made_with=dict)
    for each in cases:
        maker.collect_asked(each)
    await maker.finish(30)
    return said


async def test_another_cameras_clip_has_its_own_name_and_sidecar_and_is_made_once(
    film: Path, tmp_path: Path
) -> None:
    asked = case(ring_of(film, begins_s=0), "opposite")
    (ready,) = await made(tmp_path, asked, asked)
    assert isinstance(ready, EvidenceReady)
    assert ready.other_camera == "opposite"
    path = tmp_path / ready.path
    assert path.name == "v1-opposite.mp4"
    sidecar = path.with_suffix(".json")
    assert ready.sidecar_sha256 == sha256(sidecar.read_bytes()).hexdigest()
    said = json.loads(sidecar.read_bytes())
    assert said["clip"]["camera"]["id"] == "opposite"
    assert said["clip"]["sha256"] == ready.sha256
    assert said["violation"]["camera_id"] == "cam-1"
    before = path.read_bytes()
    assert await made(tmp_path, asked) == []
    assert path.read_bytes() == before


async def test_a_camera_that_had_shown_nothing_for_long_has_no_clip(
    film: Path, tmp_path: Path
) -> None:
    (said,) = await made(tmp_path, case(ring_of(film, begins_s=-60), "opposite"))
    assert isinstance(said, EvidenceFailed)
    assert (said.reason, said.other_camera) == ("no_clip", "opposite")
    assert files_in(tmp_path) == []


def files_in(directory: Path) -> list[str]:
    return [path.name for path in directory.rglob("*.*")]
