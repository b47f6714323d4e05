"""The engine's socket survives whatever is sent to it."""

import asyncio
import stat
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cameras.messages import AnyMessage, Configured, Hello, Nudge
from cameras.wire import encode
from safety.engine.links import Link, LinkServer

HELLO = Hello(role="shard", name="shard-0", pid=1)


class Peer:
    """What the server told its owner."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.changed = asyncio.Event()

    async def connected(self, link: Link) -> None:
        self.note(f"+{link.name}")

    async def message(self, link: Link, message: AnyMessage) -> None:
        self.note(message.type)
        if isinstance(message, Configured) and message.revision == 13:
            raise RuntimeError("cannot handle that")

    async def lost(self, link: Link) -> None:
        self.note(f"-{link.name}")

    def note(self, event: str) -> None:
        self.events.append(event)
        self.changed.set()

    async def until(self, count: int) -> list[str]:
        async with asyncio.timeout(5):
            while len(self.events) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.events


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
async def server(tmp_path: Path, peer: Peer) -> AsyncIterator[LinkServer]:
    server = LinkServer(
        tmp_path / "run" / "engine.sock",
        connected=peer.connected,
        message=peer.message,
        lost=peer.lost,
    )
    await server.start()
    yield server
    await server.stop()


async def say(tmp_path: Path, *frames: bytes) -> None:
    _, writer = await asyncio.open_unix_connection(tmp_path / "run" / "engine.sock")
    writer.writelines(frames)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def framed(header: bytes) -> bytes:
    return struct.pack(">II", len(header), 0) + header


async def test_only_this_user_may_connect(server: LinkServer, tmp_path: Path) -> None:
    mode = (tmp_path / "run" / "engine.sock").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize(
    "junk",
    [
        b"not json",
        b"{}",
        b'{"type":"hello","role":"cook","name":"x","pid":1,"protocol":1}',
        b'{"type":"configured","revision":1,"protocol":99}',
        b'{"type":"configured","revision":1,"protocol":1,"extra":true}',
        b'{"type":"unheard_of","protocol":1}',
        b"\xff\xfe",
    ],
)
async def test_a_malformed_message_is_counted_and_the_next_one_is_read(
    server: LinkServer, peer: Peer, tmp_path: Path, junk: bytes
) -> None:
    await say(tmp_path, encode(HELLO), framed(junk), encode(Configured(revision=1)))
    assert await peer.until(3) == ["+shard-0", "configured", "-shard-0"]
    assert server.refused_messages == 1


async def test_a_message_that_fails_inside_does_not_cut_the_peer_off(
    server: LinkServer, peer: Peer, tmp_path: Path
) -> None:
    await say(
        tmp_path, encode(HELLO), encode(Configured(revision=13)), encode(Configured(revision=14))
    )
    assert await peer.until(4) == ["+shard-0", "configured", "configured", "-shard-0"]


@pytest.mark.parametrize(
    "first", [encode(Nudge(what="config")), framed(b"junk"), struct.pack(">II", 2**31, 0)]
)
async def test_who_does_not_say_hello_is_refused(
    server: LinkServer, peer: Peer, tmp_path: Path, first: bytes
) -> None:
    await say(tmp_path, first)
    await say(tmp_path, encode(HELLO))
    assert await peer.until(2) == ["+shard-0", "-shard-0"]
    assert server.refused_messages == 1


async def test_a_half_sent_frame_is_no_message(
    server: LinkServer, peer: Peer, tmp_path: Path
) -> None:
    await say(tmp_path, encode(HELLO), encode(Configured(revision=1))[:-3])
    assert await peer.until(2) == ["+shard-0", "-shard-0"]
