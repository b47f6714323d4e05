"""An engine that only talks to a shard, and shards as processes of their own."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self, TypeVar

from cameras.messages import (
    AnyMessage,
    CameraStatus,
    Configure,
    EvidenceFailed,
    EvidenceReady,
    EvidenceStored,
    Hello,
    ViolationReport,
    ViolationStored,
)
from cameras.runners import environment
from cameras.sockets import listening_socket
from cameras.wire import encode, read_frame
from safety.config import Settings
from safety.types import Phase, Violation

ROOT = Path(__file__).resolve().parents[2]

M = TypeVar("M", bound=AnyMessage)


class TalkingEngine:
    """Listens where shards expect the engine; configures them and remembers what they say.

    A context manager: entering it starts to listen.

    Args:
        configure: What every shard that connects is told first; None: nothing.

    Attributes:
        confirms: Whether reports and evidence are confirmed, as if they were in the database.
        messages: Everything received, in order, over all connections.
    """

    def __init__(self, settings: Settings, configure: Configure | None = None) -> None:
        self.settings = settings
        self.configure = configure
        self.confirms = True
        self.messages: list[AnyMessage] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(
            self._serve, sock=listening_socket(self.settings.engine_socket)
        )

    async def stop(self) -> None:
        """Go away as if killed: connections break, and nobody listens; harmless if it has."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for writer in list(self._writers):
            writer.transport.abort()
        while self._writers:  # noqa: ASYNC110 - the connections' own tasks remove them
            await asyncio.sleep(0.01)
        self.settings.engine_socket.unlink(missing_ok=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def tell(self, message: AnyMessage) -> None:
        """Send one message to every shard."""
        self.tell_raw(encode(message))

    def tell_raw(self, data: bytes) -> None:
        """Send bytes as they are to every shard."""
        for writer in self._writers:
            writer.write(data)

    def received(self, kind: type[M]) -> list[M]:
        """All messages of one kind."""
        return [message for message in self.messages if isinstance(message, kind)]

    def violations(self, phase: Phase | None = None) -> list[Violation]:
        """All reports of violations, in order."""
        reports = [message.violation for message in self.received(ViolationReport)]
        return [v for v in reports if phase is None or v.phase is phase]

    def state(self, camera_id: str) -> tuple[str, str] | None:
        """The newest state and reason of a camera."""
        for message in reversed(self.messages):
            if isinstance(message, CameraStatus) and message.camera_id == camera_id:
                return message.state.value, message.reason
        return None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                message, _ = await read_frame(reader)
                self.messages.append(message)
                self._answer(message, writer)
        self._writers.discard(writer)
        writer.close()

    def _answer(self, message: AnyMessage, writer: asyncio.StreamWriter) -> None:
        if isinstance(message, Hello) and self.configure is not None:
            writer.write(encode(self.configure))
        if not self.confirms:
            return
        if isinstance(message, ViolationReport):
            violation = message.violation
            writer.write(
                encode(ViolationStored(violation_id=violation.id, revision=violation.revision))
            )
        elif isinstance(message, EvidenceReady | EvidenceFailed):
            writer.write(
                encode(
                    EvidenceStored(
                        violation_id=message.violation_id,
                        kind=message.kind,
                        other_camera=message.other_camera,
                    )
                )
            )


@contextmanager
def shard_process(
    settings: Settings, shard_id: str = "shard-0", variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A shard, started as the engine starts it; killed at the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "safety.cli", "shard", "--id", shard_id],
        cwd=ROOT,
        env={**os.environ, **environment(settings), **(variables or {})},
        stdin=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
