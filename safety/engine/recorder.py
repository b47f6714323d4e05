"""Writes to the database in order, for as long as it takes: nothing reported is dropped."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

import structlog
from sqlmodel import Session

from safety.clock import Clock
from safety.errors import StoreUnavailable
from safety.store.database import Database

log = structlog.get_logger(__name__)

FIRST_RETRY_S = 0.25
LAST_RETRY_S = 5.0

BATCH = 50
"""Entries in one transaction at most: others want to write, too."""

Stored = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One piece of work for the database.

    Attributes:
        key: What makes two entries the same; a repeated key replaces nothing, it is dropped
            while the first one waits.
        write: Runs in a thread, in a transaction that it may share with others, and perhaps
            again; raises ``StoreUnavailable`` to be tried again.
        stored: Runs in the event loop once the transaction has been committed.
    """

    key: tuple[str, ...]
    write: Callable[[Session], None]
    stored: Stored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """As ``Entry``, but what has to be done makes its own transactions, if any."""

    key: tuple[str, ...]
    do: Callable[[], None]
    stored: Stored | None = None


Work = Entry | Chore


class Recorder:
    """A queue of entries, written in order, retried while the database is away.

    What has gathered while the database was busy goes into one transaction, so that it keeps up
    with more than it could commit one by one.

    The queue is as long as the shards' spools make it: every violation report in it is also
    on a shard's disk until ``stored`` has run, so a crash of this process loses none.
    """

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: deque[Work] = deque()
        self._keys: set[tuple[str, ...]] = set()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.available = True
        self.refused = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, work: Work) -> None:
        """Queue work; if there is some of the same key waiting, this is ignored."""
        if work.key in self._keys:
            return
        self._keys.add(work.key)
        self._waiting.append(work)
        self._idle.clear()
        self._wake.set()

    async def drained(self) -> None:
        """Wait until everything is written."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write for ever; cancel to stop."""
        pause_s = FIRST_RETRY_S
        while True:
            if not self._waiting:
                self._idle.set()
                self._wake.clear()
                await self._wake.wait()
            batch = self._batch()
            try:
                written = await asyncio.to_thread(self._write, batch)
            except StoreUnavailable as error:
                if self.available:
                    log.warning("store_unavailable", waiting=len(self), why=str(error))
                self.available = False
                await self._clock.sleep_async(pause_s)
                pause_s = min(LAST_RETRY_S, pause_s * 2)
                continue
            if not self.available:
                log.info("store_available", waiting=len(self))
            self.available, pause_s = True, FIRST_RETRY_S
            for work in batch:
                self._waiting.popleft()
                self._keys.discard(work.key)
            for work in written:
                if work.stored is not None:
                    await work.stored()

    def _batch(self) -> Sequence[Work]:
        """What to write next: a chore by itself, or entries that may share a transaction."""
        first = self._waiting[0]
        if isinstance(first, Chore):
            return [first]
        entries = takewhile(lambda work: isinstance(work, Entry), self._waiting)
        return list(islice(entries, BATCH))

    def _write(self, batch: Sequence[Work]) -> Sequence[Work]:
        """Write all of it; what cannot be written is left out.

        Raises:
            StoreUnavailable: Something was not written, and should be tried again.
        """
        try:
            self._write_at_once(batch)
        except StoreUnavailable:
            raise
        except Exception:
            # A report that can never be written must not hold up all others. It stays in
            # the shard's spool, unconfirmed, and in the log.
            if len(batch) > 1:
                return [work for one in batch for work in self._write([one])]
            log.exception("record_refused", key=batch[0].key)
            self.refused += 1
            return []
        return batch

    def _write_at_once(self, batch: Sequence[Work]) -> None:
        if isinstance(batch[0], Chore):
            batch[0].do()
            return
        with self._database.transaction() as session:
            for entry in batch:
                assert isinstance(entry, Entry)
                entry.write(session)
