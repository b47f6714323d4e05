"""Connections to the sockets of the engine and the shards that come back by themselves."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from cameras.messages import AnyMessage
from cameras.wire import encode, read_frame
from safety.clock import Clock
from safety.errors import WireError

_LOG = structlog.get_logger(__name__)

MAX_UNSENT_BYTES = 1024 * 1024
"""A peer that reads so little is given up and connected anew."""


class Link:
    """One Unix socket, connected for as long as the link is wanted.

    Attributes:
        connected: Whether the other side is there now.
        refused_messages: Malformed messages received so far.
        failures: Conversations ended by a fault of ours; the link connects anew.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        greet: Callable[[], list[AnyMessage]],
        receive: Callable[[AnyMessage, bytes], None],
        lost: Callable[[], None] = lambda: None,
        retry_s: tuple[float, float] = (0.2, 2.0),
    ) -> None:
        """Prepare, without connecting.

        Args:
            path: The socket.
            clock: Where waiting happens.
            greet: What to say first after every connecting.
            receive: Takes every message with its body.
            lost: Called whenever a connection ended.
            retry_s: Wait before the first and at most before any further attempt.
        """
        self.connected = False
        self.refused_messages = 0
        self.failures = 0
        self._path = path
        self._clock = clock
        self._greet = greet
        self._receive = receive
        self._lost = lost
        self._retry_s = retry_s
        self._writer: asyncio.StreamWriter | None = None
        self._there = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Start connecting, if that has not happened yet."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"link {self._path.name}")

    async def close(self) -> None:
        """Disconnect for good."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def ready(self, *, within_s: float) -> bool:
        """Wait for the connection, but not longer than ``within_s``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._there.wait()
        return self.connected

    def send(self, message: AnyMessage) -> bool:
        """Write a message; False if nobody is there to read it."""
        writer = self._writer
        if writer is None or writer.is_closing():
            return False
        if writer.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            writer.close()
            return False
        writer.write(encode(message))
        return True

    async def _run(self) -> None:
        wait_s = self._retry_s[0]
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._path))
            except OSError:
                await self._clock.sleep_async(wait_s)
                wait_s = min(wait_s * 2, self._retry_s[1])
                continue
            wait_s = self._retry_s[0]
            await self._converse(reader, writer)
            await self._clock.sleep_async(wait_s)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer, self.connected = writer, True
        self._there.set()
        _LOG.info("link_connected", socket=self._path.name)
        try:
            for message in self._greet():
                self.send(message)
            while True:
                await self._read_one(reader)
        except (asyncio.IncompleteReadError, OSError, WireError) as error:
            _LOG.warning("link_lost", socket=self._path.name, error=repr(error))
        except Exception:
            self.failures += 1
            _LOG.exception("link_failed", socket=self._path.name)
        finally:
            self._writer, self.connected = None, False
            self._there.clear()
            writer.close()
            self._lost()

    async def _read_one(self, reader: asyncio.StreamReader) -> None:
        try:
            message, body = await read_frame(reader)
        except WireError as error:
            self.refused_messages += 1
            if error.key != "wire.malformed":
                raise
            _LOG.warning("message_refused", socket=self._path.name, error=str(error))
            return
        self._receive(message, body)
