"""The recorder writes in order and goes on trying while the database is away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from safety.clock import ManualClock
from safety.engine.recorder import Entry, Recorder
from safety.errors import StoreUnavailable


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    recorder = Recorder(clock=ManualClock())
    task = asyncio.create_task(recorder.run())
    yield recorder
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_order_is_kept_through_an_outage_and_each_entry_is_written_once(
    recorder: Recorder,
) -> None:
    written: list[int] = []
    stored: list[int] = []
    outage = 7

    def write(number: int) -> None:
        nonlocal outage
        if number == 1 and outage:
            outage -= 1
            raise StoreUnavailable("store.locked", "locked")
        written.append(number)

    async def confirm(number: int) -> None:
        stored.append(number)

    for number in (0, 1, 2, 1):
        recorder.put(
            Entry(
                key=("violation", str(number)),
                write=lambda n=number: write(n),  # type: ignore[misc]
                stored=lambda n=number: confirm(n),  # type: ignore[misc]
            )
        )
    await recorder.drained()
    assert written == stored == [0, 1, 2]
    assert (outage, recorder.available, len(recorder)) == (0, True, 0)


async def test_an_entry_that_can_never_be_written_holds_up_nobody_and_is_not_confirmed(
    recorder: Recorder,
) -> None:
    confirmed: list[str] = []

    def broken() -> None:
        raise ValueError("no such thing")

    async def confirm(name: str) -> None:
        confirmed.append(name)

    recorder.put(Entry(key=("a",), write=broken, stored=lambda: confirm("a")))
    recorder.put(Entry(key=("b",), write=lambda: None, stored=lambda: confirm("b")))
    await recorder.drained()
    assert confirmed == ["b"]
    assert recorder.refused == 1
