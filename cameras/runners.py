"""Where shards run. Nothing outside this file knows whether that is this machine."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from cameras import shardlock
from safety.config import Settings

log = structlog.get_logger(__name__)

STOP_S = 12.0
"""Seconds a shard gets to finish its evidence before it is killed."""


class RunningShard(Protocol):
    """One shard that was started (or found running)."""

    shard_id: str

    async def ended(self) -> int | None:
        """Wait until it is no more; its exit status (negative: signal), None if unknown."""
        ...

    async def stop(self) -> None:
        """Ask it to finish, kill it if it does not; returns when it is gone."""
        ...

    async def kill(self) -> None:
        """End it at once; returns when it is gone."""
        ...


class Runner(Protocol):
    """Starts shards, on this machine or elsewhere."""

    async def start(self, shard_id: str) -> RunningShard:
        """Start a shard, or take over one of that name that outlived a former engine.

        Raises:
            OSError: It cannot be started now.
        """
        ...


class LocalRunner:
    """Runs every shard as a process on this machine.

    A shard is no child that dies with its parent: it goes on watching and spooling while the
    engine is restarted, and the new engine's runner finds it by its lock. One that runs other
    code or other settings is stopped and started anew.

    Args:
        settings: Handed to the shards through their environment.
        command: What to run; the shard's id is appended.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        command: Sequence[str] = (sys.executable, "-m", "safety.cli", "shard", "--id"),
    ) -> None:
        self._settings = settings
        self._command = tuple(command)

    async def start(self, shard_id: str) -> RunningShard:
        """Start a shard, or take over the one that has its name."""
        found = shardlock.holder(self._settings, shard_id)
        survivor = _survivor(shard_id, found)
        if found is not None and survivor is not None:
            if found.stamp == shardlock.stamp(self._settings):
                log.info("shard_adopted", shard=shard_id, pid=found.pid)
                return survivor
            log.info("shard_outdated", shard=shard_id, pid=found.pid)
            await survivor.stop()
        return self._spawn(shard_id)

    def _spawn(self, shard_id: str) -> "LocalShard":
        process = subprocess.Popen(
            [*self._command, shard_id],
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment(self._settings)},
            start_new_session=True,
        )
        log.info("shard_spawned", shard=shard_id, pid=process.pid)
        return LocalShard(shard_id, os.pidfd_open(process.pid), process)


class LocalShard:
    """A shard on this machine, a child of this process or not.

    It is watched through a descriptor of the process, which, unlike its number, cannot come
    to mean another one.
    """

    def __init__(
        self, shard_id: str, descriptor: int, process: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.shard_id = shard_id
        self._descriptor = descriptor
        self._process = process
        self._gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self._on_gone)

    async def ended(self) -> int | None:
        """Wait until it is no more."""
        await self._gone.wait()
        return None if self._process is None else self._process.returncode

    async def stop(self) -> None:
        """Ask it to finish, kill it if it does not."""
        self._send(signal.SIGTERM)
        # A stopped process takes the request only when it goes on.
        self._send(signal.SIGCONT)
        try:
            async with asyncio.timeout(STOP_S):
                await self.ended()
        except TimeoutError:
            log.warning("shard_does_not_stop", shard=self.shard_id)
            await self.kill()

    async def kill(self) -> None:
        """End it at once."""
        self._send(signal.SIGKILL)
        await self.ended()

    def _send(self, number: signal.Signals) -> None:
        if not self._gone.is_set():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def _on_gone(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        if self._process is not None:
            self._process.wait()  # returns at once, and leaves no zombie if nobody asks
        self._gone.set()


def _survivor(shard_id: str, holder: shardlock.Holder | None) -> LocalShard | None:
    if holder is None:
        return None
    try:
        descriptor = os.pidfd_open(holder.pid)
    except ProcessLookupError:
        return None
    if shardlock.start_ticks(holder.pid) != holder.start_ticks:
        os.close(descriptor)
        return None
    return LocalShard(shard_id, descriptor)


def environment(settings: Settings) -> Mapping[str, str]:
    """The settings as environment variables, paths made absolute."""
    paths = {"data_dir": settings.data_dir.resolve()}
    if settings.pose_model is not None:
        paths["pose_model"] = settings.pose_model.resolve()
    values = settings.model_copy(update=paths).model_dump(mode="json", exclude_none=True)
    return {f"ANJEON_{name.upper()}": str(value) for name, value in values.items()}
