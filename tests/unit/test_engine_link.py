"""What a shard tells the engine, and in which order."""

import asyncio
import contextlib
from pathlib import Path

from cameras.link import EngineLink
from cameras.messages import FloorSighting, ViolationReport
from cameras.spool import Spool
from cameras.wire import read_frame
from safety.clock import SystemClock
from tests.support.violations import opened


async def test_who_somebody_is_comes_before_what_they_did(tmp_path: Path) -> None:
    """The engine asks the plan who it is once, when it hears of the violation."""
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                message, _ = await read_frame(reader)
                heard.put_nowait(message.type)

    spool = Spool(tmp_path / "spool.jsonl", clock=SystemClock())
    spool.start()
    link = EngineLink(
        tmp_path / "engine.sock",
        shard_id="shard-0",
        spool=spool,
        clock=SystemClock(),
        obey=lambda _: None,
        connected=lambda: None,
    )
    server = await asyncio.start_unix_server(listen, tmp_path / "engine.sock")
    talking = asyncio.create_task(link.run())
    async with asyncio.timeout(30):
        assert await heard.get() == "hello"
        link.post(FloorSighting(camera_id="cam-1", age_s=0.0, people=(), vehicles=()))
        spool.put(ViolationReport(violation=opened("first")))
        assert [await heard.get(), await heard.get()] == ["floor_sighting", "violation"]
    talking.cancel()
    await asyncio.gather(talking, return_exceptions=True)
    spool.close()
    server.close()
    await server.wait_closed()
