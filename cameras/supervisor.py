"""Keeps shards running: starts them, restarts them with growing pauses, ends hung ones."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

import structlog

from cameras.backoff import Backoff
from cameras.runners import Runner, RunningShard
from safety.clock import Clock

log = structlog.get_logger(__name__)

STABLE_S = 60.0
"""A shard that lived this long is restarted without the pauses its predecessors earned."""

STARTING_S = 60.0
"""How long a shard that was just started may be silent."""

SILENT_S = 15.0
"""How long a running shard, which reports every second, may be silent before it is killed."""

CHECK_S = 1.0


class Supervisor:
    """Keeps the wanted shards running, wherever ``runner`` puts them.

    Args:
        started: Called when a shard's process runs; it is not connected yet.
        died: Called with the exit status when a wanted shard is gone; its cameras are blind
            from that moment.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        clock: Clock,
        started: Callable[[str], None],
        died: Callable[[str, int | None], None],
    ) -> None:
        self._runner = runner
        self._clock = clock
        self._started = started
        self._died = died
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._running: dict[str, RunningShard] = {}
        self._heard: dict[str, float] = {}
        self._changing = asyncio.Lock()

    @property
    def alive(self) -> dict[str, bool]:
        """Every wanted shard, and whether its process runs."""
        return {shard_id: shard_id in self._running for shard_id in self._keepers}

    async def want(self, shard_ids: Iterable[str]) -> None:
        """Run exactly these shards; returns when those no longer wanted are gone."""
        wanted = set(shard_ids)
        async with self._changing:
            for shard_id in wanted - self._keepers.keys():
                self._keepers[shard_id] = asyncio.create_task(self._keep(shard_id))
            unwanted = self._keepers.keys() - wanted
            await asyncio.gather(*(self._end(shard_id) for shard_id in unwanted))

    def heard(self, shard_id: str) -> None:
        """Something came from this shard: it is not hung."""
        self._heard[shard_id] = self._clock.now().monotonic

    async def stop(self) -> None:
        """End all shards; returns when they are gone."""
        await self.want(())

    async def _end(self, shard_id: str) -> None:
        keeper = self._keepers.pop(shard_id)
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        shard = self._running.pop(shard_id, None)
        if shard is not None:
            await shard.stop()

    async def _keep(self, shard_id: str) -> None:
        backoff = Backoff(first_s=0.2, last_s=30.0)
        while True:
            begun = self._clock.now().monotonic
            try:
                shard = await self._runner.start(shard_id)
            except OSError as error:
                log.error("shard_does_not_start", shard=shard_id, error=str(error))
            else:
                await self._follow(shard)
            if self._clock.now().monotonic - begun > STABLE_S:
                backoff.reset()
            await self._clock.sleep_async(backoff.next())

    async def _follow(self, shard: RunningShard) -> None:
        self._running[shard.shard_id] = shard
        self._heard[shard.shard_id] = self._clock.now().monotonic + STARTING_S - SILENT_S
        self._started(shard.shard_id)
        status = await self._until_ended(shard)
        del self._running[shard.shard_id]
        log.warning("shard_died", shard=shard.shard_id, status=status)
        self._died(shard.shard_id, status)

    async def _until_ended(self, shard: RunningShard) -> int | None:
        ended = asyncio.ensure_future(shard.ended())
        checked = self._clock.now().monotonic
        try:
            while not ended.done():
                await asyncio.wait({ended}, timeout=CHECK_S)
                former, checked = checked, self._clock.now().monotonic
                if checked - former > SILENT_S / 2:
                    # It was this process that slept; nobody was heard meanwhile.
                    self._heard[shard.shard_id] = checked
                if checked - self._heard[shard.shard_id] > SILENT_S and not ended.done():
                    log.error("shard_hung", shard=shard.shard_id)
                    await shard.kill()
            return ended.result()
        finally:
            ended.cancel()
