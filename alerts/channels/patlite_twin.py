"""A PATLITE signal tower that exists only as a program: obeys PNS and PHN, byte by byte.

``python -m alerts.channels.patlite_twin --protocol pns_nh`` writes one JSON line for every change
of what it shows. For demos, drills and tests.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress

from alerts.channels.patlite_frames import ACK, FLASH, KEEP, LA6, NAK, NH, OFF, ON, Show

_LAMP_STATES = {"pns_nh": {OFF, ON, FLASH, 3, KEEP}, "pns_la6": {OFF, ON, FLASH, KEEP}}
_BUZZERS = {"pns_nh": {0, 1, 2, 3, 4, KEEP}, "pns_la6": {0, 1, 2, 3, KEEP}}


class TowerTwin:
    """One tower; what it does not understand it refuses and leaves everything as it was.

    Attributes:
        show: What it shows now.
        refused: How many commands it did not understand.
    """

    def __init__(self, protocol: str, *, on_change: Callable[[Show], None] | None = None) -> None:
        self.show = Show()
        self.refused = 0
        self._protocol = protocol
        self._family = NH if protocol == "pns_nh" else LA6
        self._on_change = on_change
        self._phn = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Obey what comes over one connection, until it ends."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await self._read(reader)
                writer.write(self.answer(request))
                await writer.drain()
        writer.close()

    def answer(self, request: bytes) -> bytes:
        """Obey one command, and what the tower says to it."""
        before = self.show
        said = self._answer_phn(request) if self._protocol == "phn" else self._answer_pns(request)
        if said in (b"NAK", bytes((NAK,))):
            self.refused += 1
        if self.show != before and self._on_change is not None:
            self._on_change(self.show)
        return said

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        if self._protocol == "phn":
            command = await reader.readexactly(1)
            return command + (await reader.readexactly(1) if command == b"W" else b"")
        head = await reader.readexactly(6)
        return head + await reader.readexactly(int.from_bytes(head[4:6], "big"))

    def _answer_pns(self, request: bytes) -> bytes:
        head, data = request[:6], request[6:]
        known = head[:2] == self._family and head[3] == 0 and int.from_bytes(head[4:]) == len(data)
        done = False
        match head[2:3] if known else b"":
            case b"S":
                done = self._operate(data)
            case b"D" if self._family == LA6:
                done = self._operate_in_colour(data)
            case b"C":
                self.show, done = Show(), not data
            case b"G":
                return bytes((*self.show.lamps, self.show.buzzer))
        return bytes((ACK if done else NAK,))

    def _operate(self, data: bytes) -> bool:
        lamps, buzzer = tuple(data[:5]), data[5] if len(data) == 6 else -1
        if not set(lamps) <= _LAMP_STATES[self._protocol]:
            return False
        if buzzer not in _BUZZERS[self._protocol]:
            return False
        now = self.show.lamps
        self.show = Show(
            lamps=tuple(now[i] if state == KEEP else state for i, state in enumerate(lamps)),
            buzzer=self.show.buzzer if buzzer == KEEP else buzzer,
        )
        return True

    def _operate_in_colour(self, data: bytes) -> bool:
        if len(data) != 7 or max(data[:5]) > 9 or data[5] > 1 or data[6] > 11:
            return False
        self.show = Show(colours=tuple(data[:5]), flash=bool(data[5]), buzzer=data[6])
        return True

    def _answer_phn(self, request: bytes) -> bytes:
        if request == b"R":
            return b"R" + bytes((self._phn,))
        if len(request) != 2 or request[:1] != b"W":
            return b"NAK"
        self._phn = bits = request[1]
        states = [FLASH if bits >> i + 5 & 1 else ON if bits >> i & 1 else OFF for i in range(3)]
        buzzer = 2 if bits & 0x10 else 1 if bits & 0x08 else 0
        self.show = Show(lamps=(*states, OFF, OFF), buzzer=buzzer)
        return b"ACK"


def _write(show: Show) -> None:
    line = {"lamps": show.lamps, "colours": show.colours, "flash": show.flash}
    sys.stdout.write(json.dumps({**line, "buzzer": show.buzzer}) + "\n")
    sys.stdout.flush()


async def _run(host: str, port: int, protocol: str) -> None:
    twin = TowerTwin(protocol, on_change=_write)
    async with await asyncio.start_server(twin.serve, host, port) as server:
        await server.serve_forever()


def main() -> None:
    """Command line of the tower."""
    parser = argparse.ArgumentParser(description="A signal tower that exists only as a program.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=10000)
    parser.add_argument("--protocol", choices=("pns_nh", "pns_la6", "phn"), default="pns_nh")
    options = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(options.host, options.port, options.protocol))


if __name__ == "__main__":
    main()
