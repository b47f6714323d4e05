"""Writes for how long protective equipment was worn, as the shards add it up."""

import asyncio
from datetime import UTC, datetime
from typing import Final

import structlog

from cameras.messages import PpeSums
from safety.clock import Clock
from safety.errors import StoreUnavailable
from safety.store import ppe_hours
from safety.store.database import Database
from safety.store.ppe_hours import PpeAmount, PpeKey

log = structlog.get_logger(__name__)

FLUSH_S: Final = 60.0

MOST_WAITING: Final = 50_000
"""Hours of rules and items that wait while the record cannot be reached: 64 cameras with four
rules each for some days."""


class PpeSumDesk:
    """Takes sums and writes them once a minute; what the record does not take waits."""

    def __init__(self, *, clock: Clock, database: Database) -> None:
        self._clock = clock
        self._database = database
        self._waiting: dict[PpeKey, PpeAmount] = {}

    def take(self, message: PpeSums) -> None:
        """Add what a shard has told."""
        for each in message.sums:
            key = PpeKey(
                datetime.fromtimestamp(each.hour, UTC), message.camera_id, each.rule_id, each.item
            )
            amount = PpeAmount(
                zone_id=each.zone_id,
                worn_s=each.worn_s,
                missing_s=each.missing_s,
                unknown_s=each.unknown_s,
                stays=each.stays,
            )
            self._add(key, amount)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._clock.sleep_async(FLUSH_S)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        going, self._waiting = self._waiting, {}
        try:
            await asyncio.to_thread(self._write, going)
        except StoreUnavailable as error:
            log.warning("ppe_sums_wait_for_store", why=str(error))
            for key, amount in going.items():
                self._add(key, amount)
        except Exception:
            log.exception("ppe_sums_not_written")

    def _add(self, key: PpeKey, amount: PpeAmount) -> None:
        known = self._waiting.get(key)
        if known is None and len(self._waiting) >= MOST_WAITING:
            return
        self._waiting[key] = amount if known is None else known.plus(amount)

    def _write(self, going: dict[PpeKey, PpeAmount]) -> None:
        with self._database.transaction() as session:
            ppe_hours.add(session, going)
