"""A real HTTP server on loopback that behaves as a messenger's service, or misbehaves."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal[
    "ok", "500", "503-later", "429-later", "410", "401", "403", "302", "hang", "slow-loris", "close"
]

MISBEHAVIOUR: Mapping[str, tuple[int, dict[str, str]]] = {
    "500": (500, {}),
    "503-later": (503, {"retry-after": "120"}),
    "429-later": (429, {"retry-after": "7"}),
    "410": (410, {}),
    "401": (401, {}),
    "403": (403, {}),
    "302": (302, {"location": "http://127.0.0.1:1/elsewhere"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """The JSON in it."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a person, room or program got."""

    to: str
    text: str
    fallback: str = ""


@dataclass(kw_only=True)
class MessengerService:
    """The server; subclasses say what their API answers.

    Attributes:
        mode: What it does with the next request.
        asked: Every request.
        messages: What people got.
        refuses: Targets that are answered with status 500.
    """

    mode: Mode = "ok"
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _connections: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, asked: Asked) -> tuple[int, object]:
        """Status and JSON for one request."""
        raise NotImplementedError

    def deliver(self, to: str, text: str, fallback: str = "") -> bool:
        """Put a message into somebody's inbox; False for those that the test made unreachable."""
        if to in self.refuses:
            return False
        self.messages.append(Message(to=to, text=text, fallback=fallback))
        return True

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
            while await self._serve(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        asked = await _read(reader)
        self.asked.append(asked)
        if self.mode == "close":
            return False
        if self.mode == "hang":
            await asyncio.Event().wait()
        if self.mode == "slow-loris":
            await _trickle(writer)
        headers: dict[str, str] = {}
        content: object = {}
        if self.mode == "ok":
            status, content = self.answer(asked)
        else:
            status, headers = MISBEHAVIOUR[self.mode]
        body = json.dumps(content).encode()
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        await writer.drain()
        return True


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *rest = head.split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (r.partition(":") for r in rest if r)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(path=first.split(" ")[1], headers=headers, body=body)


async def _trickle(writer: asyncio.StreamWriter) -> None:
    """An answer that never ends to begin: a header byte now and then."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b"z")
        await writer.drain()
        await asyncio.sleep(0.05)
