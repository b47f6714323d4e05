"""The shard's connection to the engine: kept up for ever, nothing owed is forgotten."""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

import structlog

from cameras.backoff import Backoff
from cameras.messages import (
    AnyMessage,
    CameraStatus,
    ClipRequest,
    Configure,
    Configured,
    DrillPlayed,
    EvidenceStored,
    FloorSighting,
    Hello,
    PlantUpdate,
    PlayDrill,
    PpeSums,
    ShardStats,
    Shutdown,
    ViolationReport,
    ViolationStored,
)
from cameras.spool import Spool
from cameras.wire import encode, read_frame
from safety.clock import Clock
from safety.errors import WireError
from safety.types import Phase

log = structlog.get_logger(__name__)

STABLE_S = 5.0
"""A connection that lasted this long starts the pauses anew."""

Order = Configure | PlantUpdate | ClipRequest | PlayDrill | Shutdown
"""What the engine tells a shard to do, or to know."""

Figure = CameraStatus | ShardStats | Configured | FloorSighting | PpeSums | DrillPlayed
"""What may be lost: a newer one of the same kind replaces it; sums are added to what waits."""


class EngineLink:
    """Sends what the spool holds, and the newest figures; hands on the engine's orders.

    After every (re)connection all unconfirmed messages are sent again, and the newest report
    of every open violation, so that an engine that was restarted arms its sirens again.

    Args:
        path: The engine's socket.
        obey: Called with every order; must not block.
        connected: Called after every (re)connection.
    """

    def __init__(
        self,
        path: Path,
        *,
        shard_id: str,
        spool: Spool,
        clock: Clock,
        obey: Callable[[Order], None],
        connected: Callable[[], None],
    ) -> None:
        self._path = path
        self._shard_id = shard_id
        self._spool = spool
        self._clock = clock
        self._obey = obey
        self._connected = connected
        self._figures: dict[tuple[str, str], Figure] = {}
        self._wake = asyncio.Event()
        self._latencies: deque[float] = deque(maxlen=1000)
        self.refused_messages = 0

    def post(self, figure: Figure) -> None:
        """Send a figure as soon as possible; only the newest of its kind is kept."""
        camera = (
            "" if isinstance(figure, ShardStats | Configured | DrillPlayed) else figure.camera_id
        )
        key = figure.type, camera
        waiting = self._figures.get(key)
        if isinstance(figure, PpeSums) and isinstance(waiting, PpeSums):
            figure = figure.with_earlier(waiting)
        self._figures[key] = figure
        self._wake.set()

    def take_latencies(self) -> tuple[float, ...]:
        """Capture → report seconds of the violations opened since the last call."""
        latencies = tuple(self._latencies)
        self._latencies.clear()
        return latencies

    async def run(self) -> None:
        """Connect, talk, reconnect; ends only by cancellation."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(self._wake.set)

        self._spool.on_put(wake)
        backoff = Backoff(first_s=0.1, last_s=2.0)
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self._path)
            except OSError:
                await self._clock.sleep_async(backoff.next())
                continue
            log.info("engine_connected", path=str(self._path))
            self._connected()
            since = self._clock.now().monotonic
            try:
                await self._converse(reader, writer)
            finally:
                writer.close()
            log.warning("engine_lost", waiting=self._spool.waiting)
            if self._clock.now().monotonic - since > STABLE_S:
                backoff.reset()
            await self._clock.sleep_async(backoff.next())

    async def drained(self, timeout_s: float) -> None:
        """Wait until the engine has confirmed everything, at most ``timeout_s``."""
        deadline = self._clock.now().monotonic + timeout_s
        while self._spool.waiting and self._clock.now().monotonic < deadline:
            await self._clock.sleep_async(0.02)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks = {asyncio.create_task(self._send(writer)), asyncio.create_task(self._read(reader))}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, Exception) and not isinstance(outcome, OSError):
                log.error("engine_link_failed", error=repr(outcome))

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        writer.write(encode(Hello(role="shard", name=self._shard_id, pid=os.getpid())))
        for report in self._spool.confirmed_open():
            writer.write(encode(report))
        sent = await self._send_owed(writer, 0, fresh=False)
        while True:
            self._wake.clear()
            # Whom a violation is about must be known on the plan before it comes.
            for key in [key for key, each in self._figures.items() if _is_place(each)]:
                writer.write(encode(self._figures.pop(key)))
            sent = await self._send_owed(writer, sent, fresh=True)
            figures, self._figures = self._figures, {}
            for figure in figures.values():
                writer.write(encode(figure))
            await writer.drain()
            await self._wake.wait()

    async def _send_owed(self, writer: asyncio.StreamWriter, sent: int, *, fresh: bool) -> int:
        for number, record in self._spool.after(sent):
            sent = number
            writer.write(encode(record))
            if fresh and isinstance(record, ViolationReport):
                self._measure(record)
            await writer.drain()
        return sent

    def _measure(self, report: ViolationReport) -> None:
        violation = report.violation
        if violation.phase is Phase.OPENED:
            now = self._clock.now().monotonic
            self._latencies.append(now - violation.captured_at.monotonic)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                message, _ = await read_frame(reader)
            except WireError as error:
                self._refuse(error)
                if error.key != "wire.malformed":
                    return
            except (asyncio.IncompleteReadError, OSError):
                return
            else:
                self._take(message)

    def _take(self, message: AnyMessage) -> None:
        match message:
            case ViolationStored() | EvidenceStored():
                self._spool.confirm(message)
            case Configure() | PlantUpdate() | ClipRequest() | PlayDrill() | Shutdown():
                self._obey(message)
            case _:
                self._refuse(
                    WireError("wire.unexpected", "a {type} is not for a shard", type=message.type)
                )

    def _refuse(self, error: WireError) -> None:
        self.refused_messages += 1
        log.warning("message_refused", error=str(error))


def _is_place(figure: Figure) -> bool:
    return isinstance(figure, FloorSighting)
