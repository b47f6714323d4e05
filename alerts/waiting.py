"""Waiting in real time: networks and devices do not follow a simulated clock."""

import asyncio


async def wait_set(event: asyncio.Event, seconds: float) -> bool:
    """Wait for ``event``, ``seconds`` at the most; True if it is set."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True


async def pause(seconds: float) -> None:
    """Let ``seconds`` pass."""
    await wait_set(asyncio.Event(), seconds)
