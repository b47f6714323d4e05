"""The machine under the engine: power cuts, a full log, no memory, and far too much to tell."""

import asyncio
import resource
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import insert

from safety.config import Settings
from safety.demo import SITE as DEMO
from safety.store import alerts, outbox
from safety.store.database import Database
from safety.store.tables import Delivery
from safety.types import Severity
from tests.faults.test_processes import crowded, unique_alerts
from tests.support.plant import RECORDING, MakePlant, Plant, cell_site
from tests.support.ports import free_port
from tests.support.reporting_shard import ReportingShard, alert_path
from tests.support.spools import spooled
from tests.support.waiting import until

FILM = {"kind": "file", "path": str(DEMO.parent / "scenes" / "cell_intrusion.mp4")}
SITE = {"version": 1, "name": "Site", "language": "en", "channels": [RECORDING]}
CUTS = 3
REPORTS = 40
WAITING = 100_000


@pytest.fixture
async def shard() -> AsyncIterator[Callable[[Plant], ReportingShard]]:
    """A shard's end for a plant without cameras."""
    made: list[ReportingShard] = []

    def of(plant: Plant) -> ReportingShard:
        made.append(ReportingShard(socket=plant.settings.engine_socket))
        return made[-1]

    yield of
    for each in made:
        await each.close()


def on_record(plant: Plant) -> set[str]:
    """Violations with their alert; fails if one has two."""
    return {row.id for row in plant.violations()} & unique_alerts(plant)


def told(plant: Plant) -> set[str]:
    """Violations with an alert that somebody is told of."""
    leads = {row.alert_id for row in plant.deliveries()}
    return on_record(plant) & {str(a.violation_id) for a in plant.alerts() if a.id in leads}


def siren_s(plant: Plant, violations: set[str]) -> list[float]:
    """From report to the siren's confirmation, as the engine put it on record."""
    found = {row.id: row.siren_latency_s for row in plant.violations()}
    return [latency for key in violations if (latency := found[key]) is not None]


Shard = Callable[[Plant], ReportingShard]


@pytest.mark.timeout(300)
async def test_power_cuts_while_it_writes(
    make_plant: MakePlant, shard: Shard, cost: Callable[..., None]
) -> None:
    plant = make_plant(SITE)
    reporter = shard(plant)
    for _ in range(CUTS):
        plant.start("engine")
        await reporter.connect()
        known = len(reporter.confirmed)
        reporting = asyncio.create_task(reporter.report(60, every_s=0.005))
        await until(lambda before=known: len(reporter.confirmed) >= before + 15)  # type: ignore[misc]
        plant.kill("engine")
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        await reporter.close()
        with closing(sqlite3.connect(plant.settings.data_dir / "anjeon.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert reporter.confirmed.keys() <= told(plant), "what was confirmed is there"
    plant.start("engine")
    await reporter.connect()
    await reporter.all_confirmed()
    cost(
        "Machine",
        "power cut",
        f"`kill -9` of the engine while it writes, {CUTS} times; then `PRAGMA integrity_check`, "
        "and everything confirmed before is there",
        alerts=len(reporter.sent),
        lost=len(reporter.sent.keys() - told(plant)),
        waits_s=list(reporter.waited_s().values()),
        sounded=True,
    )


@pytest.mark.faults_long
@pytest.mark.timeout(300)
def test_a_power_cut_of_a_whole_plant(make_plant: MakePlant, cost: Callable[..., None]) -> None:
    plant = make_plant(crowded(cell_site(FILM, [RECORDING])))
    plant.start("engine")
    plant.start("dashboard")
    plant.wait_for(lambda: len(plant.violations()) >= 3, why="violations are on record")
    for process in plant.shards():
        process.kill()
    plant.kill("engine")
    plant.kill("dashboard")
    on_disk = {row.id for row in plant.violations()} | spooled(plant.settings.spool_dir)
    with closing(sqlite3.connect(plant.settings.data_dir / "anjeon.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    plant.start("engine")
    plant.wait_for(lambda: on_disk <= on_record(plant), why="all of it is on record")
    plant.wait_live("cell")
    blind = [row for row in plant.coverage("cell") if row.state == "blind"]
    cost(
        "Machine",
        "power cut of a whole plant",
        "`kill -9` of engine, shard and dashboard at once, during alarms",
        alerts=len(on_disk),
        lost=len(on_disk - on_record(plant)),
        covered=bool(blind),
    )


@pytest.mark.timeout(300)
async def test_a_log_that_cannot_be_written(
    make_plant: MakePlant, shard: Shard, cost: Callable[..., None]
) -> None:
    plant = make_plant(SITE)
    plant.start("engine", log=Path("/dev/full"))
    reporter = shard(plant)
    await reporter.connect()
    await reporter.report(1)
    await reporter.all_confirmed()
    reported = set(await reporter.report(REPORTS))
    await reporter.all_confirmed()
    cost(
        "Machine",
        "log disk full",
        "the engine's log is `/dev/full`: every line fails with ENOSPC",
        alerts=len(reporter.sent),
        lost=len(reporter.sent.keys() - told(plant)),
        waits_s=list(reporter.waited_s().values()),
        siren_s=siren_s(plant, reported),
    )


@pytest.mark.faults_long
@pytest.mark.timeout(300)
async def test_memory_that_is_all_taken(
    make_plant: MakePlant, shard: Shard, cost: Callable[..., None]
) -> None:
    plant = make_plant(SITE)
    engine = plant.start("engine")
    reporter = shard(plant)
    await reporter.connect()
    await reporter.report(1)
    await reporter.all_confirmed()
    process = psutil.Process(engine.pid)
    unlimited = resource.RLIM_INFINITY
    process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms, unlimited))
    reported = set(await reporter.report(REPORTS, every_s=0.1))
    process.rlimit(psutil.RLIMIT_AS, (unlimited, unlimited))
    assert engine.poll() is None, "it lives on"
    await reporter.close()
    await reporter.connect()
    await reporter.all_confirmed()
    cost(
        "Machine",
        "no memory",
        "for 4 s the engine gets not one page more (`RLIMIT_AS`)",
        alerts=len(reporter.sent),
        lost=len(reporter.sent.keys() - told(plant)),
        waits_s=list(reporter.waited_s().values()),
        siren_s=siren_s(plant, reported),
    )


@pytest.fixture
def directory() -> Iterator[Path]:
    """Short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="anj") as directory:
        yield Path(directory)


def fill_outbox(database: Database, channel_id: str) -> None:
    """Far too many deliveries that are due."""
    now = datetime.now(UTC)
    with database.transaction() as session:
        alert = alerts.raise_alert(
            session,
            kind="camera_blind",
            dedupe_key="old",
            severity=Severity.WARNING,
            message_key="alert.camera_blind",
            params={"camera": "Gate", "reason": "no_frames", "time": "12:00"},
            raised_at=now,
        )
        assert alert is not None
        payload = {
            "severity": "warning", "raised_at": now.timestamp(), "at": now.timestamp(),
            "text": "[Site] Gate sees nothing", "language": "en", "data": {}, "recipients": [],
        }  # fmt: skip
        common: dict[str, Any] = {
            "alert_id": alert.id, "channel_id": channel_id, "payload": payload,
            "state": "pending", "attempts": 0, "created_at": now, "next_attempt_at": now,
            "deadline_at": now + timedelta(days=1),
        }  # fmt: skip
        for start in range(0, WAITING, 10_000):
            some = [
                {**common, "id": f"old-{number}", "event": f"updated:{number}"}
                for number in range(start, start + 10_000)
            ]
            session.connection().execute(insert(Delivery), some)


@pytest.mark.faults_long
@pytest.mark.timeout(300)
async def test_an_outbox_that_is_far_too_long(
    directory: Path, monkeypatch: pytest.MonkeyPatch, cost: Callable[..., None]
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")
    url = f"http://127.0.0.1:{free_port()}/nobody"
    hook = {
        "id": "hook", "name": "Hook", "kind": "webhook", "url": url, "secret": "env:HOOK_SECRET",
    }  # fmt: skip
    async with alert_path(Settings(data_dir=directory), channels=[hook]) as path:
        await asyncio.to_thread(fill_outbox, path.database, "hook")
        reported = await path.shard.report(REPORTS, every_s=0.25)
        await path.shard.all_confirmed()

        def delivered() -> list[Delivery]:
            with path.database.reading() as session:
                return list(outbox.of_channel(session, "twin", state="delivered", limit=1000))

        await until(lambda: len(delivered()) == len(path.shard.sent))
        waits_s = [
            (row.delivered_at - row.created_at).total_seconds()
            for row in delivered()
            if row.delivered_at is not None
        ]
        cost(
            "Messenger",
            f"{WAITING:,} messages wait",
            "in the outbox for a receiver that is not there; the twin beside it gets its own",
            alerts=len(path.shard.sent),
            lost=len(path.lost()),
            waits_s=waits_s,
            siren_s=path.siren_s(reported),
        )
