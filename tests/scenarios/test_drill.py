"""A drill through a running shard: the camera's own chain, tried, measured and put on record."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from prometheus_client import CollectorRegistry
from sqlmodel import SQLModel, select

from alerts.channels.base import SirenLevel
from alerts.channels.recording import RecordingSpec, read_recording
from cameras.runners import LocalRunner
from cameras.specs import CameraSpec, SyntheticSpec
from safety.app.drill import DrillError, run_drill
from safety.clock import SystemClock
from safety.config import Settings
from safety.engine.process import Engine
from safety.site.apply import apply_site
from safety.site.spec import SiteSpec
from safety.store.database import Database
from safety.store.tables import Alert, Audit, Coverage, Drill, Evidence, ViolationRow
from safety.store.times import utc
from tests.support.plant import pose_model
from tests.support.shards import film_camera
from tests.support.violations import opened
from tests.support.waiting import until
from zones.rules.intrusion import IntrusionSpec
from zones.specs import ZoneSpec

Row = TypeVar("Row", bound=SQLModel)

CORNER = ((0.0, 0.0), (0.05, 0.0), (0.05, 0.05))
"""Nobody ever stands there."""

SITE = SiteSpec(
    name="Drilled",
    cameras=(
        # A busy machine may take longer to load the network than people wait for a camera.
        film_camera("gate").model_copy(update={"blind_alert_after_s": 600.0}),
        CameraSpec(id="off", name="Off", enabled=False, source=SyntheticSpec()),
    ),
    zones=(ZoneSpec(id="corner", name="Corner", camera_id="gate", polygon=CORNER),),
    rules=(IntrusionSpec(id="keep-out", name="Keep out", zone_id="corner", hold_to_open_s=0.3),),
    channels=(RecordingSpec(id="siren", name="Siren"),),
)


@pytest.fixture
def settings() -> Iterator[Settings]:
    """In a directory short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="anj") as directory:
        made = Settings(data_dir=Path(directory), pose_model=pose_model())
        made.make_data_dir()
        made.run_dir.mkdir(exist_ok=True)
        yield made


@asynccontextmanager
async def running_engine(settings: Settings) -> AsyncIterator[tuple[Engine, Database]]:
    """An engine whose shard sees the gate."""
    clock = SystemClock()
    database = Database(settings.database)
    database.migrate()
    apply_site(database, SITE, by="test", now=utc(clock.now()))
    engine = Engine(
        settings,
        database,
        clock=clock,
        runner=LocalRunner(settings),
        registry=CollectorRegistry(),
    )
    async with engine.running(), asyncio.timeout(200):
        await until(lambda: engine.readiness().get("camera gate") == "ok", limit_s=120)
        yield engine, database
    database.dispose()


def rows(database: Database, table: type[Row]) -> list[Row]:
    with database.reading() as session:
        return list(session.exec(select(table)).all())


def commands(settings: Settings) -> list[tuple[str, str]]:
    """Level and reason of every command that the siren had."""
    recorded = read_recording(settings.data_dir / "recording-siren.jsonl")
    return [(each["level"], each["reason"]) for each in recorded if each["what"] == "siren"]


def drill(settings: Settings, *, camera: str = "gate", siren: str = "siren") -> bool:
    return run_drill(settings, camera_id=camera, channel_id=siren)


@pytest.mark.timeout(240)
async def test_the_cameras_chain_is_tried_while_the_camera_is_watched(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_engine(settings) as (engine, database):
        assert await asyncio.to_thread(drill, settings)
        assert "confirmed" in capsys.readouterr().out
        assert commands(settings) == [("warning", "drill")]
        assert list(settings.drills_dir.iterdir()) == []
        assert engine.readiness()["camera gate"] == "ok"

        assert not await asyncio.to_thread(drill, settings, siren="bell")
        assert "no siren" in capsys.readouterr().out
        await engine._sirens.report(opened(at=SystemClock().now()), None)
        assert not await asyncio.to_thread(drill, settings)
        assert "something real" in capsys.readouterr().out
        assert {level for level, _ in commands(settings)[1:]} == {SirenLevel.DANGER}
        await until(lambda: len(rows(database, Drill)) == 3)

    on_record = rows(database, Drill)
    assert sorted((each.channel_id, each.outcome) for each in on_record) == [
        ("bell", "refused"),
        ("siren", "refused"),
        ("siren", "sounded"),
    ]
    sounded = next(each for each in on_record if each.outcome == "sounded")
    assert sounded.total_s is not None
    assert 0 < sounded.total_s < 30
    entry = next(each for each in rows(database, Audit) if each.subject == sounded.id)
    assert (entry.detail["rule"], entry.detail["camera_meanwhile"]) == ("keep-out", "live")
    assert entry.detail["frames_meanwhile"] > 0
    # Nothing of it looks real, and nobody was blind for it.
    for table in (ViolationRow, Alert, Evidence):
        assert rows(database, table) == []
    watched = sorted(rows(database, Coverage), key=lambda each: each.started_at)
    gate = [(each.state, each.reason) for each in watched if each.camera_id == "gate"]
    lived = gate[gate.index(("live", "ok")) :]
    assert {*lived[:-1], ("live", "ok")} == {("live", "ok")}
    assert lived[-1] in {("live", "ok"), ("blind", "shard_lost")}, "the end of the test"


@pytest.mark.parametrize(
    ("camera", "key"),
    [("gat", "drill.camera"), ("off", "drill.camera_off"), ("gate", "drill.no_engine")],
)
def test_what_is_missing_is_named(settings: Settings, camera: str, key: str) -> None:
    database = Database(settings.database)
    database.migrate()
    apply_site(database, SITE, by="test", now=utc(SystemClock().now()))
    with pytest.raises(DrillError) as caught:
        drill(settings, camera=camera)
    assert caught.value.key == key
