"""Stands before an HTTP server on loopback and does what networks and bad services do."""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

from tests.support.certificates import Certificate
from tests.support.http_service import read_request, trickle

Fault = Literal["hang", "refused", "500", "429", "slow-loris", "expired", "other-name"]

_ANSWERS: Mapping[str, bytes] = {
    "500": b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "429": b"HTTP/1.1 429 Slow Down\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n",
}


class Front:
    """Forwards to a server while it is well, always on the same port.

    Args:
        backend_port: Where the server is.
        certificate: Shown to clients while it is well; None: no TLS.
        bad: Certificates to show instead, by fault.
    """

    def __init__(
        self,
        backend_port: int,
        *,
        certificate: Certificate | None = None,
        bad: Mapping[str, Certificate] = {},
    ) -> None:
        self.port = 0
        self._backend_port = backend_port
        self._certificate = certificate
        self._bad = bad
        self._fault: Fault | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, fault: Fault | None = None) -> None:
        """Begin anew, with a fault or well."""
        await self.stop()
        self._fault = fault
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        if fault == "refused":
            await self.stop()

    async def stop(self) -> None:
        """Listen no more and drop every connection."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                bad = self._bad.get(self._fault or "")
                if bad is not None:
                    await _offer(_context(bad), reader, writer)
                    return
                if self._certificate is not None:
                    await writer.start_tls(_context(self._certificate))
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._fault is None:
            await self._forward(reader, writer)
            return
        await read_request(reader)
        if self._fault == "hang":
            await asyncio.Event().wait()
        if self._fault == "slow-loris":
            await trickle(writer)
        writer.write(_ANSWERS[self._fault])
        await writer.drain()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", self._backend_port)
        ways = [asyncio.create_task(_pump(*way)) for way in ((reader, outer), (inner, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            outer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


async def _offer(
    context: ssl.SSLContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Shake hands with a certificate that nobody should accept, until the client gives up.

    Not asyncio's own TLS: what it leaves of a handshake that fails can be closed by nobody.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            writer.write(outgoing.read())
            await writer.drain()
        incoming.write(await reader.read(65536) or b"")
        if reader.at_eof():
            return


def _context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.certificate, certificate.key)
    return context
