"""Whatever dies, hangs or fills up, a shard loses no violation and says what it cannot see."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from cameras.messages import (
    EvidenceFailed,
    EvidenceReady,
    Hello,
    ShardStats,
    ViolationReport,
)
from cameras.spool import unfinished_shards
from safety.config import Settings
from safety.types import Phase
from tests.support.engine import TalkingEngine, shard_process
from tests.support.shards import film_camera, watching
from tests.support.small_disk import MakeSmallDisk
from tests.support.spools import spooled
from tests.support.waiting import until

pytestmark = [pytest.mark.third_party, pytest.mark.timeout(300)]

LIVE = ("live", "ok")


@pytest.fixture
async def engine(shard_settings: Settings) -> AsyncIterator[TalkingEngine]:
    async with TalkingEngine(shard_settings, watching(film_camera())) as engine:
        yield engine


def opened(engine: TalkingEngine) -> set[str]:
    return {v.id for v in engine.violations(Phase.OPENED)}


def closed(engine: TalkingEngine) -> dict[str, str | None]:
    return {v.id: v.end_reason for v in engine.violations(Phase.CLOSED)}


def settled(engine: TalkingEngine) -> set[tuple[str, str]]:
    """Evidence that is there, or of which is said that there is none."""
    ready = {(m.violation_id, m.kind) for m in engine.received(EvidenceReady)}
    return ready | {(m.violation_id, m.kind) for m in engine.received(EvidenceFailed)}


async def test_kill_9_of_a_shard_loses_nothing(
    shard_settings: Settings, engine: TalkingEngine, cost: Callable[..., None]
) -> None:
    engine.confirms = False
    with shard_process(shard_settings) as process:
        await until(lambda: bool(opened(engine)))
        await until(lambda: unfinished_shards(shard_settings.spool_dir) == {"shard-0"})
        process.kill()
        process.wait()
    before = spooled(shard_settings.spool_dir)
    assert before
    said = len(engine.messages)
    engine.configure = None
    with shard_process(shard_settings):
        await until(lambda: set(closed(engine)) >= before)
        pieces = {(violation, kind) for violation in before for kind in ("clip", "picture")}
        await until(lambda: settled(engine) >= pieces)
        again = [m.violation for m in engine.messages[said:] if isinstance(m, ViolationReport)]
    assert {v.id for v in again if v.phase is Phase.OPENED} == before
    assert closed(engine) == dict.fromkeys(before, "shard_lost")
    newest = max(v.revision for v in engine.violations() if v.phase is not Phase.CLOSED)
    assert all(v.revision > newest for v in engine.violations(Phase.CLOSED))
    assert {m.reason for m in engine.received(EvidenceFailed)} == {"shard_lost"}
    how = "`kill -9` before the engine has confirmed anything, then started again"
    cost("Shard", "killed with reports in its spool", how, alerts=len(before))


async def test_what_the_engine_confirmed_is_not_sent_after_a_restart(
    shard_settings: Settings, engine: TalkingEngine
) -> None:
    with shard_process(shard_settings) as process:
        await until(lambda: len(engine.received(EvidenceReady)) >= 4)
        process.send_signal(signal.SIGTERM)
        await until(lambda: process.poll() is not None)
    said = len(engine.messages)
    engine.configure = None
    with shard_process(shard_settings):
        await until(lambda: any(isinstance(m, ShardStats) for m in engine.messages[said:]))
    assert not [m for m in engine.messages[said:] if isinstance(m, ViolationReport)]


async def test_a_dead_engine_stops_no_watching_and_its_successor_is_told(
    shard_settings: Settings, engine: TalkingEngine
) -> None:
    with shard_process(shard_settings) as process:
        await until(lambda: bool(opened(engine)))
        before = opened(engine)
        await engine.stop()
        await asyncio.sleep(3)
        assert process.poll() is None

        async with TalkingEngine(shard_settings, engine.configure) as successor:
            await until(lambda: {v.id for v in successor.violations()} >= before)
            await until(lambda: successor.state("cam-1") == LIVE)
        hello, *_ = successor.received(Hello)
        assert (hello.role, hello.name, hello.pid) == ("shard", "shard-0", process.pid)
        statuses = [m for m in successor.messages if m.type == "camera_status"]
        assert {m.reconnects for m in statuses} == {0}


async def test_violations_while_the_engine_is_away_arrive_later(
    shard_settings: Settings, engine: TalkingEngine
) -> None:
    with shard_process(shard_settings):
        await until(lambda: engine.state("cam-1") == LIVE)
        await until(lambda: bool(opened(engine)))
        configure = engine.configure
        assert configure is not None
        engine.tell(
            configure.model_copy(update={"revision": 2, "rule_revisions": {"rule-cam-1": 2}})
        )
        await engine.stop()
        await asyncio.sleep(3)
        async with TalkingEngine(shard_settings) as successor:
            await until(lambda: 2 in {v.rule_revision for v in successor.violations(Phase.OPENED)})
            assert set(closed(engine)) | set(closed(successor)) >= opened(engine)


async def test_a_second_shard_of_the_same_name_is_refused(
    shard_settings: Settings, engine: TalkingEngine, cost: Callable[..., None]
) -> None:
    with shard_process(shard_settings):
        await until(lambda: bool(engine.received(Hello)))
        with shard_process(shard_settings) as one_too_many:
            await until(lambda: one_too_many.poll() is not None)
        assert one_too_many.returncode == 2
        await until(lambda: engine.state("cam-1") == LIVE)
        assert len(engine.received(Hello)) == 1
    cost("Shard", "two of the same name", "a second one is started; it is refused", covered=True)


async def test_a_missing_network_blinds_its_cameras_until_it_is_there(
    shard_settings: Settings, engine: TalkingEngine, tmp_path: Path, cost: Callable[..., None]
) -> None:
    model = tmp_path / "pose.onnx"
    settings = shard_settings.model_copy(update={"pose_model": model})
    with shard_process(settings) as process:
        await until(lambda: engine.state("cam-1") == ("blind", "model_error"))
        assert shard_settings.pose_model is not None
        shutil.copy(shard_settings.pose_model, model)
        await until(lambda: engine.state("cam-1") == LIVE)
        assert process.poll() is None
    cost(
        "Shard",
        "no network to see with",
        "its model's file is missing, and put there",
        covered=True,
    )


async def test_a_full_disk_delays_no_report_and_loses_none(
    shard_settings: Settings,
    engine: TalkingEngine,
    make_small_disk: MakeSmallDisk,
    cost: Callable[..., None],
) -> None:
    engine.confirms = False
    disk = make_small_disk(shard_settings.spool_dir, "64k")
    disk.fill()
    with shard_process(shard_settings):
        await until(lambda: bool(opened(engine)))
        await until(lambda: engine.received(ShardStats)[-1].spool_degraded)
        disk.empty()
        await until(lambda: not engine.received(ShardStats)[-1].spool_degraded)
        assert unfinished_shards(shard_settings.spool_dir) == {"shard-0"}
    found = len(opened(engine))
    cost("Shard", "spool's disk full", "a disk of 64 KiB, filled, then freed", alerts=found)


async def test_a_full_disk_is_said_of_the_evidence(
    shard_settings: Settings, engine: TalkingEngine, cost: Callable[..., None]
) -> None:
    shard_settings.evidence_dir.write_text("a file where the directory should be")
    with shard_process(shard_settings):
        await until(lambda: len(engine.received(EvidenceFailed)) >= 2)
        assert {m.reason for m in engine.received(EvidenceFailed)} == {"not_written"}
        await until(lambda: engine.state("cam-1") == LIVE)
    how = "its directory cannot be made; the alert goes out and says that there is none"
    cost("Shard", "evidence cannot be kept", how, alerts=len(opened(engine)), covered=True)


async def test_a_dead_camera_closes_its_violations(
    shard_settings: Settings, engine: TalkingEngine
) -> None:
    spec = film_camera()
    once = spec.model_copy(update={"source": spec.source.model_copy(update={"loop": False})})
    engine.configure = watching(once)
    with shard_process(shard_settings):
        await until(lambda: bool(closed(engine)))
        await until(lambda: engine.state("cam-1") == ("blind", "no_frames"))
        await until(lambda: set(closed(engine)) == opened(engine))
        assert "camera_blind" in closed(engine).values()
