"""What every runner of shards must do; so far there is one."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cameras import runners, shardlock
from cameras.runners import LocalRunner, RunningShard
from cameras.shardlock import ShardAlreadyRuns, ShardLock
from safety.config import Settings

HOLDER = Path(__file__).parent.parent / "support" / "lock_holder.py"
COMMAND = (sys.executable, str(HOLDER))


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent.parent))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


class TidyRunner(LocalRunner):
    """Knows what it started, to end it after a test that failed."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, command=COMMAND)
        self.started: list[RunningShard] = []

    async def start(self, shard_id: str) -> RunningShard:
        self.started.append(await super().start(shard_id))
        return self.started[-1]


@pytest.fixture
async def runner(settings: Settings) -> AsyncIterator[LocalRunner]:
    tidy = TidyRunner(settings)
    yield tidy
    for shard in tidy.started:
        await shard.kill()


async def named(settings: Settings) -> int:
    """The process that has the name, once there is one."""
    async with asyncio.timeout(30):
        while (found := shardlock.holder(settings, "shard-0")) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found.pid


async def within(seconds: float, shard: RunningShard) -> int | None:
    async with asyncio.timeout(seconds):
        return await shard.ended()


@contextmanager
def survivor(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A shard that some former engine started."""
    with subprocess.Popen(
        [*COMMAND, "shard-0"],
        env={**os.environ, **runners.environment(settings)},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


async def test_a_shard_runs_until_it_is_stopped(settings: Settings, runner: LocalRunner) -> None:
    shard = await runner.start("shard-0")
    assert await named(settings) != os.getpid()
    await shard.stop()
    assert await within(1, shard) == 0
    assert shardlock.holder(settings, "shard-0") is None


async def test_a_crash_is_noticed(settings: Settings, runner: LocalRunner) -> None:
    shard = await runner.start("shard-0")
    os.kill(await named(settings), signal.SIGKILL)
    assert await within(5, shard) == -signal.SIGKILL


async def test_a_stopped_process_is_killed_at_once(settings: Settings, runner: LocalRunner) -> None:
    shard = await runner.start("shard-0")
    os.kill(await named(settings), signal.SIGSTOP)
    await shard.kill()
    assert await within(1, shard) == -signal.SIGKILL


async def test_one_that_ignores_the_request_is_killed(
    settings: Settings, runner: LocalRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCK_HOLDER_STUBBORN", "1")
    monkeypatch.setattr(runners, "STOP_S", 0.3)
    shard = await runner.start("shard-0")
    await named(settings)
    await shard.stop()
    assert await within(1, shard) == -signal.SIGKILL


async def test_a_survivor_is_taken_over(settings: Settings, runner: LocalRunner) -> None:
    with survivor(settings) as process:
        shard = await runner.start("shard-0")
        assert await named(settings) == process.pid
        process.kill()
        await within(5, shard)


async def test_a_survivor_with_other_settings_is_replaced(
    settings: Settings, runner: LocalRunner
) -> None:
    with survivor(settings.model_copy(update={"backend": "onnxruntime"})) as process:
        shard = await runner.start("shard-0")
        assert process.wait(timeout=5) == 0
        assert await named(settings) != process.pid
        await shard.stop()


async def test_a_name_is_given_once(settings: Settings, runner: LocalRunner) -> None:
    shard = await runner.start("shard-0")
    await named(settings)
    lock = ShardLock(settings, "shard-0")
    with pytest.raises(ShardAlreadyRuns):
        lock.acquire()
    await shard.stop()
    lock.acquire()
    lock.release()


async def test_shards_get_the_settings_and_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(data_dir=Path("here"), pose_model=None, cameras_per_shard=3)
    for name, value in runners.environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings.model_copy(update={"data_dir": tmp_path / "here"})
