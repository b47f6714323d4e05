"""Small servers that sirens are tried on: Modbus, and HTTP with digest authentication."""

import asyncio
import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

Mode = Literal["ok", "hang", "refuse"]
Handler = Callable[[str, str, str], tuple[int, str]]
"""Method, target and body of a request → status and text of the answer."""


class Server:
    """Listens on a port of its own that stays the same; ``mode`` says how it behaves."""

    def __init__(self) -> None:
        self.host, self.port = "127.0.0.1", 0
        self.mode: Mode = "ok"
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._connected, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Vanish, as a device without power does."""
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
            # Cancelled is only what ``stop`` cuts; asyncio would print it as an error.
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                await self.serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        raise NotImplementedError

    async def hang(self) -> None:
        """Answer nothing, if that is the mode."""
        if self.mode == "hang":
            await asyncio.Event().wait()


class ModbusDevice(Server):
    """A Modbus TCP device, written from the specification, not with the library of the client.

    Attributes:
        frames: Every request, whole, as it came.
        stuck: Takes every command and changes nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.coils: dict[int, bool] = {}
        self.registers: dict[int, int] = {}
        self.frames: list[bytes] = []
        self.stuck = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readexactly(7)
            pdu = await reader.readexactly(int.from_bytes(head[4:6]) - 1)
            self.frames.append(head + pdu)
            await self.hang()
            said = bytes((pdu[0] | 0x80, 4)) if self.mode == "refuse" else self._obey(pdu)
            writer.write(head[:4] + (len(said) + 1).to_bytes(2) + head[6:7] + said)
            await writer.drain()

    def _obey(self, pdu: bytes) -> bytes:
        code, first, value = pdu[0], int.from_bytes(pdu[1:3]), int.from_bytes(pdu[3:5])
        match code:
            case 0x01:
                bits = sum(self.coils.get(first + i, False) << i for i in range(value))
                data = bits.to_bytes((value + 7) // 8, "little")
                return bytes((code, len(data))) + data
            case 0x03:
                read = (self.registers.get(first + i, 0).to_bytes(2) for i in range(value))
                return bytes((code, 2 * value)) + b"".join(read)
            case 0x05:
                self._put({first: {0xFF00: True, 0: False}[value]})
                return pdu
            case 0x06:
                self.registers[first] = value
                return pdu
            case 0x0F:
                states = int.from_bytes(pdu[6:], "little")
                self._put({first + i: bool(states >> i & 1) for i in range(value)})
                return pdu[:5]
        return bytes((code | 0x80, 1))

    def _put(self, states: dict[int, bool]) -> None:
        if not self.stuck:
            self.coils |= states


class HttpServer(Server):
    """An HTTP server around a function; asks for a digest or basic login if it has a password.

    Attributes:
        targets: Method and target of every request that was let in.
    """

    def __init__(self, handler: Handler, *, login: str = "", basic: bool = False) -> None:
        super().__init__()
        self._handler = handler
        self._login = login
        self._basic = basic
        self.targets: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, target, _ = head.split(" ", 2)
            length = re.search(r"(?i)content-length: (\d+)", head)
            body = (await reader.readexactly(int(length[1]))).decode() if length else ""
            await self.hang()
            more = ""
            if not self._lets_in(method, head):
                status, text = 401, ""
                more = "WWW-Authenticate: " + (
                    "Basic realm=x" if self._basic else 'Digest realm="x", nonce="n", qop="auth"'
                )
            elif self.mode == "refuse":
                status, text = 503, "busy"
            else:
                self.targets.append(f"{method} {target}")
                status, text = self._handler(method, target, body)
            answer = f"HTTP/1.1 {status} x\r\nContent-Length: {len(text.encode())}\r\n{more}"
            writer.write((answer + ("\r\n" if more else "") + "\r\n" + text).encode())
            await writer.drain()

    def _lets_in(self, method: str, head: str) -> bool:
        found = re.search(r"(?i)authorization: (\w+) (.*)\r\n", head)
        if not self._login:
            return True
        if found is None:
            return False
        if self._basic:
            return found[2] == b64encode(self._login.encode()).decode()
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', found[2]))
        name, password = self._login.split(":")
        first = _md5(f"{name}:x:{password}")
        second = _md5(f"{method}:{said['uri']}")
        middle = f"n:{said['nc']}:{said['cnonce']}:auth"
        return str(said["response"]) == _md5(f"{first}:{middle}:{second}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
