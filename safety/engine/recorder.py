"""Writes to the database in order, for as long as it takes: nothing reported is dropped."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from safety.clock import Clock
from safety.errors import StoreUnavailable

log = structlog.get_logger(__name__)

FIRST_RETRY_S = 0.25
LAST_RETRY_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One piece of work for the database.

    Attributes:
        key: What makes two entries the same; a repeated key replaces nothing, it is dropped
            while the first one waits.
        write: Runs in a thread; raises ``StoreUnavailable`` to be tried again.
        stored: Runs in the event loop once ``write`` has committed.
    """

    key: tuple[str, ...]
    write: Callable[[], None]
    stored: Callable[[], Awaitable[None]] | None = None


class Recorder:
    """A queue of entries, written one after the other, retried while the database is away.

    The queue is as long as the shards' spools make it: every violation report in it is also
    on a shard's disk until ``stored`` has run, so a crash of this process loses none.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._entries: deque[Entry] = deque()
        self._keys: set[tuple[str, ...]] = set()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.available = True
        self.refused = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: Entry) -> None:
        """Queue an entry; an entry whose key is already waiting is ignored."""
        if entry.key in self._keys:
            return
        self._keys.add(entry.key)
        self._entries.append(entry)
        self._idle.clear()
        self._wake.set()

    async def drained(self) -> None:
        """Wait until everything is written."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write for ever; cancel to stop."""
        pause_s = FIRST_RETRY_S
        while True:
            if not self._entries:
                self._idle.set()
                self._wake.clear()
                await self._wake.wait()
            entry = self._entries[0]
            try:
                await asyncio.to_thread(entry.write)
            except StoreUnavailable as error:
                if self.available:
                    log.warning("store_unavailable", waiting=len(self._entries), why=str(error))
                self.available = False
                await self._clock.sleep_async(pause_s)
                pause_s = min(LAST_RETRY_S, pause_s * 2)
                continue
            except Exception:
                # A report that can never be written must not hold up all others. It stays
                # in the shard's spool, unconfirmed, and in the log.
                log.exception("record_refused", key=entry.key)
                self.refused += 1
                self._forget(entry)
                continue
            if not self.available:
                log.info("store_available", waiting=len(self._entries))
            self.available, pause_s = True, FIRST_RETRY_S
            self._forget(entry)
            if entry.stored is not None:
                await entry.stored()

    def _forget(self, entry: Entry) -> None:
        self._entries.popleft()
        self._keys.discard(entry.key)
