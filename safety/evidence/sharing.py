"""Pictures for messengers: of a violation, with nobody to be recognised in them."""

import asyncio
from pathlib import Path
from typing import Final

import structlog

from safety.clock import Clock
from safety.errors import AnjeonError
from safety.evidence.copies import Copies
from safety.store import evidence
from safety.store.database import Database

log = structlog.get_logger(__name__)

WAIT_S: Final = 4.0
"""How long a notice waits for its picture: the words matter more."""

_LOOK_EVERY_S: Final = 0.25


class SharedPictures:
    """Blurred pictures, each made once; called from the event loop."""

    def __init__(self, database: Database, copies: Copies, *, clock: Clock) -> None:
        self._database = database
        self._copies = copies
        self._clock = clock
        self._jobs: dict[str, asyncio.Task[bytes | None]] = {}

    async def blurred_picture(self, violation_id: str) -> bytes | None:
        """A JPEG in which nobody can be recognised; None: there is none, or not in time.

        One that comes too late for this notice is there for the next one.
        """
        job = self._jobs.get(violation_id)
        if job is None:
            job = asyncio.create_task(self._make(violation_id))
            self._jobs[violation_id] = job
            job.add_done_callback(lambda _: self._jobs.pop(violation_id, None))
        done, _ = await asyncio.wait({job}, timeout=WAIT_S)
        return job.result() if done else None

    async def close(self) -> None:
        """Give up what is being made."""
        for job in list(self._jobs.values()):
            job.cancel()
        self._copies.close()

    async def _make(self, violation_id: str) -> bytes | None:
        """Wait until the picture is on record, and blur it."""
        ends = self._clock.now().monotonic + WAIT_S
        try:
            while True:
                path = await asyncio.to_thread(self._copy, violation_id)
                if path is not None:
                    return await asyncio.to_thread(path.read_bytes)
                if self._clock.now().monotonic >= ends:
                    return None
                await self._clock.sleep_async(_LOOK_EVERY_S)
        except (AnjeonError, OSError) as error:
            # The notice goes without it.
            log.warning("no_picture_to_share", violation=violation_id, why=str(error))
            return None

    def _copy(self, violation_id: str) -> Path | None:
        with self._database.reading() as session:
            found = evidence.of_violations(session, [violation_id], kind="picture")
        row = found.get(violation_id)
        return self._copies.blurred(row, "bodies") if row is not None else None
