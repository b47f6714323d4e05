"""Writes to the database in order, for as long as it takes: nothing reported is dropped."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

import structlog
from sqlmodel import Session

from alerts.waiting import pause
from safety.clock import Clock
from safety.errors import StoreUnavailable
from safety.store.database import Database

log = structlog.get_logger(__name__)

FIRST_RETRY_S = 0.25
LAST_RETRY_S = 5.0

BATCH = 50
BATCH_S = 0.2
"""Entries in one transaction at most, and after how long it takes no more: others write, too."""

GATHER_S = 0.05
"""Least time between two transactions, unless a whole batch is waiting: what comes meanwhile
shares the next one. Nothing that comes alone waits."""

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

    def put(self, work: Work) -> bool:
        """Queue work, unless some of the same key is waiting; whether it was queued."""
        if work.key in self._keys:
            return False
        self._keys.add(work.key)
        self._waiting.append(work)
        self._idle.clear()
        self._wake.set()
        return True

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
                done, written = await asyncio.to_thread(self._write, batch)
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
            for work in batch[:done]:
                self._waiting.popleft()
                self._keys.discard(work.key)
            for work in written:
                if work.stored is not None:
                    await work.stored()
            if len(self) < BATCH:
                await pause(GATHER_S)

    def _batch(self) -> Sequence[Work]:
        """What to write next: a chore by itself, or entries that may share a transaction."""
        first = self._waiting[0]
        if isinstance(first, Chore):
            return [first]
        entries = takewhile(lambda work: isinstance(work, Entry), self._waiting)
        return list(islice(entries, BATCH))

    def _write(self, batch: Sequence[Work]) -> tuple[int, Sequence[Work]]:
        """Write from the first on: how many are dealt with, and those that are on record.

        Raises:
            StoreUnavailable: Nothing was written, and should be tried again.
        """
        writing = 0
        try:
            if isinstance(batch[0], Chore):
                batch[0].do()
                return 1, batch
            until = self._clock.now().monotonic + BATCH_S
            with self._database.transaction() as session:
                for writing, entry in enumerate(batch):  # noqa: B007 - named in the handler
                    assert isinstance(entry, Entry)
                    entry.write(session)
                    if self._clock.now().monotonic > until:
                        break
                done, writing = writing + 1, 0  # What fails from here on may be anybody's fault.
            return done, batch[:done]
        except StoreUnavailable:
            raise
        except Exception:
            if len(batch) == 1:
                # A report that can never be written must not hold up all others. It stays
                # in the shard's spool, unconfirmed, and in the log.
                log.exception("record_refused", key=batch[0].key)
                self.refused += 1
                return 1, ()
        # What came before the one that cannot be written; if that is not known, the first alone.
        return self._write(batch[: max(1, writing)])
