"""The supervisor keeps exactly the wanted shards running."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cameras import shardlock, supervisor
from cameras.runners import LocalRunner
from cameras.supervisor import Supervisor
from safety.clock import SystemClock
from safety.config import Settings
from tests.support.waiting import until

HOLDER = Path(__file__).parent.parent / "support" / "lock_holder.py"


class Journal:
    """What the supervisor reported."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def started(self, shard_id: str) -> None:
        self.events.append(("started", shard_id))

    def died(self, shard_id: str, status: int | None) -> None:
        self.events.append(("died", shard_id))

    def count(self, event: str) -> int:
        return sum(kind == event for kind, _ in self.events)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent.parent))
    return Settings(data_dir=tmp_path)


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
async def shards(settings: Settings, journal: Journal) -> AsyncIterator[Supervisor]:
    found = Supervisor(
        LocalRunner(settings, command=(sys.executable, str(HOLDER))),
        clock=SystemClock(),
        started=journal.started,
        died=journal.died,
    )
    yield found
    await found.stop()


def pid_of(settings: Settings, shard_id: str) -> int | None:
    found = shardlock.holder(settings, shard_id)
    return None if found is None else found.pid


async def test_runs_what_is_wanted_and_ends_the_rest(
    settings: Settings, shards: Supervisor
) -> None:
    await shards.want(["shard-0", "shard-1"])
    await until(lambda: all(pid_of(settings, f"shard-{n}") for n in (0, 1)))
    kept = pid_of(settings, "shard-1")
    await shards.want(["shard-1"])
    assert pid_of(settings, "shard-0") is None
    assert pid_of(settings, "shard-1") == kept
    assert shards.alive == {"shard-1": True}


async def test_a_killed_shard_is_reported_and_started_again(
    settings: Settings, shards: Supervisor, journal: Journal
) -> None:
    await shards.want(["shard-0"])
    await until(lambda: pid_of(settings, "shard-0") is not None)
    first = pid_of(settings, "shard-0")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: pid_of(settings, "shard-0") not in (None, first))
    assert journal.events == [(e, "shard-0") for e in ("started", "died", "started")]


async def test_a_silent_shard_is_killed_and_one_that_speaks_is_not(
    settings: Settings, shards: Supervisor, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "SILENT_S", 1.0)
    monkeypatch.setattr(supervisor, "STARTING_S", 3.0)
    monkeypatch.setattr(supervisor, "CHECK_S", 0.1)
    await shards.want(["quiet", "talks"])

    def talk_until_a_death() -> bool:
        shards.heard("talks")
        return journal.count("died") > 0

    await until(talk_until_a_death)
    assert journal.events[-1] == ("died", "quiet")
    assert ("died", "talks") not in journal.events


async def test_a_shard_that_cannot_start_is_tried_again(
    settings: Settings, journal: Journal, tmp_path: Path
) -> None:
    program = tmp_path / "not-there-yet"
    shards = Supervisor(
        LocalRunner(settings, command=(str(program),)),
        clock=SystemClock(),
        started=journal.started,
        died=journal.died,
    )
    await shards.want(["shard-0"])
    await asyncio.sleep(0)
    assert shards.alive == {"shard-0": False}
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    await until(lambda: shards.alive == {"shard-0": True})
    await shards.stop()
    assert shards.alive == {}
