"""A real HTTP server on loopback that answers as a service does, or misbehaves as services do."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal[
    "ok", "500", "503-later", "429-later", "410", "401", "403", "302", "hang", "slow-loris", "close"
]

Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body."""

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


@dataclass(kw_only=True)
class HttpService:
    """The server; subclasses say what they answer while all is well.

    Attributes:
        mode: What it does with the next request.
        asked: Every request.
    """

    mode: Mode = "ok"
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _connections: set["asyncio.Task[None]"] = field(default_factory=set)

    def well(self, asked: Asked) -> Answer:
        """What is answered in mode ``ok``."""
        raise NotImplementedError

    def noted(self, asked: Asked) -> None:
        """Called with every request, before anything is done about it."""

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
        asked = await read_request(reader)
        self.asked.append(asked)
        self.noted(asked)
        if self.mode == "close":
            return False
        if self.mode == "hang":
            await asyncio.Event().wait()
        if self.mode == "slow-loris":
            await trickle(writer)
        if self.mode == "ok":
            status, headers, body = self.well(asked)
        else:
            (status, headers), body = MISBEHAVIOUR[self.mode], b""
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        await writer.drain()
        return True


async def read_request(reader: asyncio.StreamReader) -> Asked:
    """The next request of a connection.

    Raises:
        asyncio.IncompleteReadError: The client has gone.
    """
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *rest = head.split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (r.partition(":") for r in rest if r)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(path=first.split(" ")[1], headers=headers, body=body)


async def trickle(writer: asyncio.StreamWriter) -> None:
    """An answer that never ends to begin: a header byte now and then."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b"z")
        await writer.drain()
        await asyncio.sleep(0.05)
