"""A real HTTP server that takes webhooks: checks signatures, and misbehaves if told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"

Mode = Literal[
    "ok", "500", "503-later", "429-later", "410", "401", "302", "hang", "slow-loris", "close"
]

_ANSWERS: dict[str, tuple[str, dict[str, str]]] = {
    "ok": ("204 No Content", {}),
    "500": ("500 Internal Server Error", {}),
    "503-later": ("503 Service Unavailable", {"Retry-After": "120"}),
    "429-later": ("429 Too Many Requests", {"Retry-After": "7"}),
    "410": ("410 Gone", {}),
    "401": ("401 Unauthorized", {}),
    "302": ("302 Found", {"Location": "http://127.0.0.1:1/elsewhere"}),
}


@dataclass(slots=True, kw_only=True)
class Request:
    """One request as it came."""

    target: str
    headers: dict[str, str]
    body: bytes
    verified: bool
    accepted: bool = False

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent in it."""
        event: dict[str, Any] = json.loads(self.body)
        return event


@dataclass(slots=True, kw_only=True)
class WebhookReceiver:
    """The server; ``mode`` is what it does with the next request."""

    mode: Mode = "ok"
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it is; the query looks like a secret, and is one to whoever logs it."""
        return f"http://127.0.0.1:{self.port}/hook/path-token?sig=top-secret-signature"

    @property
    def taken(self) -> list[Request]:
        """Requests that were answered with success."""
        return [request for request in self.requests if request.accepted]

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more and drop every connection."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await _read(reader)
            mode = self.mode
            request.accepted = mode == "ok" and request.verified
            self.requests.append(request)
            self.arrived.set()
            if mode == "close":
                return
            if mode == "hang":
                await asyncio.Event().wait()
            if mode == "slow-loris":
                await _trickle(writer)
            status, headers = _ANSWERS[mode if request.verified else "401"]
            lines = [f"HTTP/1.1 {status}", "Content-Length: 0"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *rest = head.split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (r.partition(":") for r in rest if r)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(
        target=first.split(" ")[1], headers=headers, body=body, verified=_verified(body, headers)
    )


def _verified(body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(SECRET).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


async def _trickle(writer: asyncio.StreamWriter) -> None:
    """An answer that never ends to begin: a header byte now and then."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b"z")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.fixture
async def webhook_receiver() -> AsyncIterator[WebhookReceiver]:
    """A running receiver in mode ``ok``."""
    receiver = WebhookReceiver()
    await receiver.start()
    yield receiver
    await receiver.stop()
