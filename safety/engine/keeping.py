"""Looks after what is kept: deletes what has had its time, and checks that the rest is sound."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from alerts.intake_events import Keeping, clear_keeping, raise_keeping
from safety.clock import Clock
from safety.config import Settings
from safety.engine.metrics import EngineMetrics
from safety.engine.site import EngineSite
from safety.engine.versions import record_versions
from safety.errors import StoreUnavailable
from safety.evidence.orphans import tidy
from safety.evidence.retention import GB, Limits, Room, sweep
from safety.evidence.verification import verify_and_record
from safety.store import audit, exposure, ppe_hours
from safety.store.database import Database
from safety.store.times import utc

log = structlog.get_logger(__name__)

SWEEP_EVERY_S: Final = 300.0
VERIFY_EVERY: Final = timedelta(days=1)
BY: Final = "anjeon"


class KeepingDesk:
    """Sweeps every five minutes, goes through the audit trail once a day, tidies up at the start.

    Args:
        site: The configuration in force, asked anew every time.
        told: Called after something may have been put into the outbox.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        database: Database,
        settings: Settings,
        metrics: EngineMetrics,
        site: Callable[[], EngineSite],
        told: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._database = database
        self._settings = settings
        self._metrics = metrics
        self._site = site
        self._told = told
        self._versions_known = False
        self._tidied = False

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except StoreUnavailable as error:
                log.warning("keeping_waits_for_store", why=str(error))
            except Exception:
                log.exception("keeping_failed")
            else:
                self._told()
            await self._clock.sleep_async(SWEEP_EVERY_S)

    def look(self) -> None:
        """Do once whatever is due; blocking.

        Raises:
            StoreUnavailable: Not all was done; call again later.
        """
        now = utc(self._clock.now())
        if not self._versions_known:
            record_versions(self._database, self._settings, now=now)
            self._versions_known = True
        directory = self._settings.evidence_dir
        if not self._tidied:
            tidy(self._database, directory, now=now)
            self._tidied = True
        room = sweep(self._database, directory, Limits.of(self._settings), now=now)
        self._metrics.evidence_bytes.set(room.used_bytes)
        self._metrics.evidence_most_bytes.set(room.most_bytes)
        self._metrics.evidence_disk_free_bytes.set(room.free_bytes)
        self._report(room)
        self._forget_sums(now)
        self._verify(now)

    def _report(self, room: Room) -> None:
        params = {
            "used": f"{room.used_bytes / GB:.1f}",
            "most": f"{room.most_bytes / GB:.1f}",
            "free": f"{room.free_bytes / GB:.1f}",
        }
        self._set("disk_full", on=room.state == "full", params=params)
        self._set("disk_low", on=room.state == "low", params=params)

    def _forget_sums(self, now: datetime) -> None:
        before = now - timedelta(days=self._settings.sums_years * 365.25)
        with self._database.transaction() as session:
            exposure.prune(session, before=before.date().isoformat())
            ppe_hours.prune(session, before=before)

    def _verify(self, now: datetime) -> None:
        with self._database.reading() as session:
            last = audit.newest(session, actions=("audit.verify",), subject="audit")
        if last is not None and now - last.at < VERIFY_EVERY:
            return
        findings = verify_and_record(self._database, by=BY, at=now)
        if findings:
            log.error("audit_trail_is_broken", findings=findings)
        self._set("record_broken", on=findings > 0, params={"findings": findings})

    def _set(self, kind: Keeping, *, on: bool, params: dict[str, Any]) -> None:
        context, now = self._site().context, self._clock.now()
        with self._database.transaction() as session:
            if on:
                raise_keeping(session, kind, params, site=context, now=now)
            else:
                clear_keeping(session, kind, site=context, now=now)
