"""A drill: film, network, rule, engine and siren, tried and put on record."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

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
from safety.store import audit, drills
from safety.store.database import Database
from safety.store.tables import Drill
from safety.store.times import utc
from tests.support.violations import opened
from tests.support.waiting import until

SITE = SiteSpec(
    name="Drilled",
    cameras=(CameraSpec(id="gate", name="Gate", enabled=False, source=SyntheticSpec()),),
    channels=(RecordingSpec(id="siren", name="Siren"),),
)


@asynccontextmanager
async def running_engine(settings: Settings) -> AsyncIterator[tuple[Engine, Database]]:
    """An engine without cameras that run."""
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
    async with engine.running(), asyncio.timeout(90):
        await until(lambda: engine.readiness().get("configuration") == "ok")
        yield engine, database
    database.dispose()


def on_record(database: Database) -> Sequence[Drill]:
    with database.reading() as session:
        return drills.list_drills(session)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(data_dir=tmp_path)
    made.make_data_dir()
    made.run_dir.mkdir(exist_ok=True)
    return made


def drill(settings: Settings, *, camera: str = "gate", siren: str = "siren") -> bool:
    return run_drill(settings, camera_id=camera, channel_id=siren)


async def test_the_siren_sounds_at_its_mildest_and_the_drill_is_on_record(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_engine(settings) as (_, database):
        assert await asyncio.to_thread(drill, settings)
        assert "confirmed" in capsys.readouterr().out
        commands = read_recording(settings.data_dir / "recording-siren.jsonl")
        assert [(each["level"], each["reason"]) for each in commands] == [("warning", "drill")]
        assert not await asyncio.to_thread(drill, settings, siren="bell")
        assert "no siren" in capsys.readouterr().out
        await until(lambda: len(on_record(database)) == 2)
        recorded = on_record(database)
        assert sorted((each.channel_id, each.outcome) for each in recorded) == [
            ("bell", "refused"),
            ("siren", "sounded"),
        ]
        sounded = next(each for each in recorded if each.outcome == "sounded")
        assert sounded.total_s is not None
        assert 0 < sounded.total_s < 10
        with database.reading() as session:
            assert {each.action for each in audit.list_entries(session)} >= {"drill"}


async def test_no_drill_while_a_siren_is_needed(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_engine(settings) as (engine, _):
        await engine._sirens.report(opened(at=SystemClock().now()), None)
        assert not await asyncio.to_thread(drill, settings)
        assert "something real" in capsys.readouterr().out
        commands = read_recording(settings.data_dir / "recording-siren.jsonl")
        assert {each["level"] for each in commands} == {SirenLevel.DANGER}


def test_what_is_missing_is_named(settings: Settings) -> None:
    database = Database(settings.database)
    database.migrate()
    apply_site(database, SITE, by="test", now=utc(SystemClock().now()))
    with pytest.raises(DrillError) as caught:
        drill(settings, camera="gat")
    assert "known are gate" in str(caught.value)
    with pytest.raises(DrillError) as caught:
        drill(settings)
    assert caught.value.key == "drill.no_engine"
