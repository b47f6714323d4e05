"""A shard's end of the engine's socket, for tests that need violations and no cameras."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from alerts.channels.recording import RecordingSpec
from cameras.messages import Hello, ViolationReport, ViolationStored
from cameras.runners import LocalRunner
from cameras.wire import encode, read_frame
from safety.clock import Clock, SystemClock
from safety.config import Settings
from safety.engine.process import Engine
from safety.site.apply import apply_site
from safety.site.spec import SiteSpec
from safety.store.database import Database
from safety.store.tables import Alert, ViolationRow
from safety.store.times import utc
from safety.types import Violation
from tests.support.database import rows
from tests.support.violations import cleared, opened
from tests.support.waiting import PAUSE_S, until


@dataclass(kw_only=True)
class ReportingShard:
    """Reports violations as a shard does; like one, it keeps what is not confirmed.

    Attributes:
        sent: Every violation, by id.
        confirmed: Those that the engine says are on record, and when it said so (monotonic).
    """

    socket: Path
    clock: Clock = field(default_factory=SystemClock)
    sent: dict[str, Violation] = field(default_factory=dict)
    confirmed: dict[str, float] = field(default_factory=dict)
    _writer: asyncio.StreamWriter | None = None
    _reading: "asyncio.Task[None] | None" = None

    async def connect(self, *, limit_s: float = 90.0) -> None:
        """Connect as soon as the engine listens, and report again what it has not confirmed."""
        async with asyncio.timeout(limit_s):
            while True:
                try:
                    reader, self._writer = await asyncio.open_unix_connection(self.socket)
                    break
                except OSError:
                    await asyncio.sleep(PAUSE_S)
        self._reading = asyncio.create_task(self._read(reader))
        self._writer.write(encode(Hello(role="shard", name="shard-9", pid=os.getpid())))
        for violation_id, violation in self.sent.items():
            if violation_id not in self.confirmed:
                self._send(violation)

    async def report(self, count: int, *, every_s: float = 0.02) -> Sequence[str]:
        """New violations, each a situation of its own; their ids."""
        new = []
        for number in range(len(self.sent), len(self.sent) + count):
            violation = opened(f"v{number}", at=self.clock.now(), zone_id=f"zone-{number}")
            self.sent[violation.id] = violation
            self._send(violation)
            new.append(violation.id)
            await asyncio.sleep(every_s)
        return new

    async def end_all(self) -> None:
        """All of them are over."""
        for violation in self.sent.values():
            self._send(cleared(violation))
        assert self._writer is not None
        await self._writer.drain()

    async def close(self) -> None:
        """Disconnect; harmless if that has happened."""
        if self._writer is not None:
            self._writer.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def all_confirmed(self) -> None:
        """Wait until the engine says that everything is on record."""
        await until(lambda: self.confirmed.keys() >= self.sent.keys())

    def waited_s(self) -> dict[str, float]:
        """From capture to confirmation, seconds, by violation."""
        return {
            violation_id: at - self.sent[violation_id].captured_at.monotonic
            for violation_id, at in self.confirmed.items()
        }

    def _send(self, violation: Violation) -> None:
        assert self._writer is not None
        self._writer.write(encode(ViolationReport(violation=violation)))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                message, _ = await read_frame(reader)
                if isinstance(message, ViolationStored):
                    now = self.clock.now().monotonic
                    self.confirmed.setdefault(message.violation_id, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPath:
    """An engine in this process with a siren twin, and a shard that reports to it."""

    engine: Engine
    database: Database
    shard: ReportingShard

    def lost(self) -> set[str]:
        """Violations that are not on record, or without an alert; fails if one has two."""
        told = [alert.violation_id for alert in rows(self.database, Alert)]
        assert len(told) == len(set(told))
        known = {row.id for row in rows(self.database, ViolationRow)} & set(told)
        return self.shard.sent.keys() - known

    def siren_s(self, violations: Sequence[str]) -> list[float]:
        """From report to the siren's confirmation, seconds, as the engine put it on record."""
        wanted = set(violations)
        latencies = [
            row.siren_latency_s for row in rows(self.database, ViolationRow) if row.id in wanted
        ]
        return [latency for latency in latencies if latency is not None]


@asynccontextmanager
async def alert_path(
    settings: Settings, *, channels: Sequence[Mapping[str, Any]] = ()
) -> AsyncIterator[AlertPath]:
    """A running engine without cameras whose siren has sounded once, and is quiet again."""
    clock = SystemClock()
    settings.make_data_dir()
    settings.run_dir.mkdir(exist_ok=True)
    database = Database(settings.database)
    database.migrate()
    site = SiteSpec.model_validate(
        {
            "name": "Site",
            "language": "en",
            "channels": [TWIN, *channels],
            "policy": {"unlimited": ["twin"]},
        }
    )
    apply_site(database, site, by="test", now=utc(clock.now()))
    engine = Engine(
        settings,
        database,
        clock=clock,
        runner=LocalRunner(settings),
        registry=CollectorRegistry(),
    )
    shard = ReportingShard(socket=settings.engine_socket, clock=clock)
    try:
        async with engine.running():
            await until(lambda: engine.readiness().get("configuration") == "ok")
            await shard.connect()
            await shard.report(1)
            await shard.all_confirmed()
            yield AlertPath(engine=engine, database=database, shard=shard)
            await shard.close()
    finally:
        # Threads may still be reading; their connections come back first.
        await asyncio.get_running_loop().shutdown_default_executor()
        database.dispose()


TWIN = RecordingSpec(id="twin", name="Twin").model_dump(mode="json", exclude_none=True)
