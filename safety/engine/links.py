"""The engine's socket: shards and dashboards connect here."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from cameras.messages import AnyMessage, Hello
from cameras.wire import encode, read_frame
from safety.errors import WireError

log = structlog.get_logger(__name__)

MAX_WAITING_BYTES = 8 * 1024 * 1024
"""Unsent bytes after which a peer that does not read is cut off."""


class Link:
    """One connected shard or dashboard."""

    def __init__(self, hello: Hello, writer: asyncio.StreamWriter) -> None:
        self.name = hello.name
        self.role = hello.role
        self._writer = writer

    def send(self, message: AnyMessage) -> None:
        """Queue one message; a peer that has stopped reading is disconnected."""
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > MAX_WAITING_BYTES:
            log.warning("peer_does_not_read", peer=self.name)
            self._writer.transport.abort()
            return
        self._writer.write(encode(message))

    def close(self) -> None:
        """Cut the connection."""
        self._writer.close()


Handler = Callable[[Link, AnyMessage], Awaitable[None]]
Change = Callable[[Link], Awaitable[None]]


class LinkServer:
    """Accepts connections and hands their messages to one handler, in order per peer."""

    def __init__(self, path: Path, *, connected: Change, message: Handler, lost: Change) -> None:
        self._path = path
        self._connected = connected
        self._message = message
        self._lost = lost
        self._server: asyncio.Server | None = None
        self._links: set[Link] = set()
        self.refused_messages = 0

    async def start(self) -> None:
        """Listen; the socket is readable and writable by this user alone."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        self._path.chmod(0o600)

    async def stop(self) -> None:
        """Stop listening and cut all connections."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.close()
        self._path.unlink(missing_ok=True)

    def broadcast(self, message: AnyMessage, role: str) -> None:
        """Send to every peer of one role."""
        for link in self._links:
            if link.role == role:
                link.send(message)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link: Link | None = None
        try:
            hello, _ = await read_frame(reader)
            if not isinstance(hello, Hello):
                raise WireError("wire.no_hello", "the first message must be hello")
            link = Link(hello, writer)
            self._links.add(link)
            await self._connected(link)
            while True:
                await self._read_one(link, reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except WireError as error:
            self.refused_messages += 1
            log.warning("connection_refused", why=str(error))
        finally:
            writer.close()
            if link is not None:
                self._links.discard(link)
                await self._lost(link)

    async def _read_one(self, link: Link, reader: asyncio.StreamReader) -> None:
        try:
            message, _ = await read_frame(reader)
        except WireError as error:
            if error.key != "wire.malformed":
                raise
            self.refused_messages += 1
            log.warning("message_refused", peer=link.name, why=str(error))
            return
        try:
            await self._message(link, message)
        except Exception:
            # One message that we cannot handle must not cut off a shard.
            self.refused_messages += 1
            log.exception("message_failed", peer=link.name, type=message.type)
