"""Drills: the film is what the camera sends, and a siren that sounds late is worse than none."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import av
import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from alerts.channels.recording import RecordingSpec, read_recording
from alerts.dispatcher import Dispatcher
from alerts.sirens import SirenControl
from cameras.drill_film import Screen, write_drill_film
from cameras.messages import CameraStatus, DrillPlayed, DrillRequest, PlayDrill
from cameras.regions import Region
from cameras.specs import CameraSpec, SyntheticSpec
from safety.app.drill import rule_of, screen_of
from safety.clock import SystemClock
from safety.engine import drills
from safety.engine.channels import ChannelDesk
from safety.engine.drills import DrillDesk
from safety.engine.recorder import Recorder
from safety.site.spec import SiteSpec
from safety.store.database import Database
from safety.types import CameraState
from tests.support.videos import moving_square, write_film
from zones.arming import Always, OnMachine
from zones.rules.intrusion import IntrusionSpec
from zones.specs import ZoneSpec

CLOCK = SystemClock()
CORNER = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5))
SCENES_RULE = IntrusionSpec(id="scene", name="Scene", zone_id="scene-zone")
HALF = Region(left=0.5, top=0.5, right=1.0, bottom=1.0)


@pytest.mark.parametrize(
    ("screen", "place"),
    [
        (Screen(width_px=1920, height_px=1080), (0, 0, 1920, 1080)),
        (Screen(width_px=1024, height_px=768), (0, 96, 1024, 576)),
        (Screen(width_px=1920, height_px=1080, region=HALF), (960, 540, 960, 540)),
        (Screen(width_px=900, height_px=1600), (0, 547, 900, 506)),
    ],
)
def test_the_scene_fills_what_is_looked_at_most_closely(
    screen: Screen, place: tuple[int, int, int, int]
) -> None:
    assert screen.place(16 / 9) == place
    corners = np.array(screen.polygon(((0.0, 0.0), (1.0, 1.0)), 16 / 9))
    left, top, width, height = place
    ends = np.array([[left, top], [left + width, top + height]])
    assert corners * (screen.width_px, screen.height_px) == pytest.approx(ends)


@pytest.mark.parametrize(("codec", "name"), [("h264", "h264"), ("h265", "hevc")])
def test_the_film_is_what_the_camera_sends(tmp_path: Path, codec: str, name: str) -> None:
    """A scene of 10 frames/s for a camera of 15: from 1 to 3 of its 4 seconds."""
    scene = write_film(tmp_path / "scene.mp4", moving_square(4))
    film = tmp_path / "film.mkv"
    status = CameraStatus(
        camera_id="cam",
        shard="shard-0",
        state=CameraState.LIVE,
        reason="ok",
        since=CLOCK.now(),
        at=CLOCK.now(),
        codec=codec,
        width_px=641,
        height_px=480,
        capture_fps=15.2,
        regions=((0.5, 0.5, 1.0, 1.0),),
    )
    write_drill_film(scene, film, screen_of(status), start_s=1.0, end_s=3.0)
    with av.open(film) as container:
        stream = container.streams.video[0]
        pictures = [each.to_ndarray(format="rgb24") for each in container.decode(stream)]
        assert stream.codec_context.name == name
        assert float(stream.average_rate or 0) == 15
    assert len(pictures) == pytest.approx(30, abs=2)
    assert {each.shape for each in pictures} == {(480, 640, 3)}
    assert pictures[0][:200].std() < 5, "grey where nobody looks closely"
    assert pictures[0][300:].std() > 20


def test_a_camera_that_has_shown_nothing_is_drilled_with_the_scenes_own_picture() -> None:
    assert screen_of(None) == Screen(width_px=1280, height_px=720)


@pytest.mark.parametrize(
    ("fields", "chosen"),
    [
        ({}, "own"),
        ({"arming": OnMachine(machine_id="press"), "mode": "shadow"}, "own"),
        ({"enabled": False}, "scene"),
        ({"hold_to_open_s": 5.0}, "scene"),
        ({"body": "hands"}, "scene"),
    ],
)
def test_the_cameras_own_rule_is_drilled_with_if_the_scene_can_break_it(
    fields: dict[str, object], chosen: str
) -> None:
    camera = CameraSpec(id="cam", name="Cam", source=SyntheticSpec())
    zone = ZoneSpec(id="press", name="Press", camera_id="cam", polygon=CORNER)
    own = IntrusionSpec(id="own", name="Own", zone_id="press", hold_to_open_s=0.7)
    site = SiteSpec(name="Site", cameras=(camera,), zones=(zone,)).model_copy(
        update={"rules": (own.model_copy(update=fields),)}
    )
    rule = rule_of(site, camera, SCENES_RULE)
    assert rule.id == chosen
    assert (rule.zone_id, rule.arming, rule.mode) == ("scene-zone", Always(), "active")
    assert rule.hold_to_open_s == (0.7 if chosen == "own" else SCENES_RULE.hold_to_open_s)


class Desk:
    """A drill desk with a recording siren, and what it asked of the shard."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[PlayDrill] = []
        self.there = True
        registry = CollectorRegistry()
        database = Database(f"sqlite:///{folder / 'record.db'}")
        self.sirens = SirenControl(
            {},
            clock=CLOCK,
            registry=registry,
            on_first_command=lambda violation_id, seconds: None,
            on_channel_health=lambda channel_id, works, why: None,
        )
        dispatcher = Dispatcher(
            database,
            {},
            clock=CLOCK,
            registry=registry,
            on_channel_health=lambda channel_id, works, why: None,
        )
        self.channels = ChannelDesk(self.sirens, dispatcher, clock=CLOCK, data_dir=folder)
        self.desk = DrillDesk(
            clock=CLOCK,
            recorder=Recorder(database, clock=CLOCK),
            sirens=self.sirens,
            channels=self.channels,
            cameras=lambda: frozenset({"cam"}),
            send=self._send,
        )

    def _send(self, order: PlayDrill) -> bool:
        self.asked.append(order)
        return self.there

    def request(self, number: int = 1, fields: Mapping[str, object] | None = None) -> DrillRequest:
        values: dict[str, object] = {
            "drill_id": f"drill-{number}",
            "camera_id": "cam",
            "channel_id": "siren",
            "scene": "scene.mp4",
            "film": self.folder / "film.mkv",
            "seconds": 0.0,
            "zone": ZoneSpec(id="scene-zone", name="Zone", camera_id="cam", polygon=CORNER),
            "rule": SCENES_RULE,
            "by": "test",
        }
        return DrillRequest.model_validate(values | dict(fields or {}))

    def fired(self, number: int = 1, *, fired: bool = True, reason: str = "") -> None:
        """The shard's word."""
        now = CLOCK.now()
        self.desk.played(
            DrillPlayed(
                drill_id=f"drill-{number}",
                captured_at=now if fired else None,
                reported_at=now,
                reason=reason,
                watched="live",
                watched_frames=7,
            )
        )

    def sounded(self) -> int:
        path = self.folder / "recording-siren.jsonl"
        return len(read_recording(path)) if path.exists() else 0


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    await made.channels.configure((RecordingSpec(id="siren", name="Siren"),))
    yield made
    await made.channels.close()


async def test_the_rule_fires_and_the_siren_answers(desk: Desk) -> None:
    held = asyncio.create_task(desk.desk.hold(desk.request()))
    await asyncio.sleep(0)
    second = await desk.desk.hold(desk.request(2))
    assert (second.outcome, "another drill" in second.reason) == ("refused", True)
    desk.fired(number=2)
    assert not held.done(), "another drill's word is not this one's"
    desk.fired()
    result = await held
    assert (result.outcome, result.watched, result.watched_frames) == ("sounded", "live", 7)
    assert desk.sounded() == 1
    assert [order.drill_id for order in desk.asked] == ["drill-1"]


NOT_SOUNDED: dict[str, tuple[Callable[[Desk], None], dict[str, object], str]] = {
    "nobody": (lambda desk: desk.fired(fired=False, reason="nobody came"), {}, "nobody came"),
    "silence": (lambda desk: None, {}, "did not say"),
    "camera": (lambda desk: None, {"camera_id": "gone"}, "no camera 'gone'"),
    "siren": (lambda desk: None, {"channel_id": "bell"}, "no siren in use"),
}


@pytest.mark.parametrize("name", NOT_SOUNDED)
async def test_why_no_siren_sounded(desk: Desk, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    happens, fields, why = NOT_SOUNDED[name]
    monkeypatch.setattr(drills, "PLAY_S", 0.3)
    held = asyncio.create_task(desk.desk.hold(desk.request(fields=fields)))
    await asyncio.sleep(0)
    happens(desk)
    result = await held
    assert result.outcome in {"failed", "refused"}
    assert why in result.reason
    desk.fired()
    await asyncio.sleep(0)
    assert desk.sounded() == 0, "nobody waits for it any more"


async def test_a_camera_whose_shard_is_away_is_not_drilled(desk: Desk) -> None:
    desk.there = False
    result = await desk.desk.hold(desk.request())
    assert (result.outcome, "no shard" in result.reason) == ("refused", True)
