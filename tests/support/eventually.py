"""Waiting until something has become true in the real world."""

import asyncio
from collections.abc import Callable


async def eventually(condition: Callable[[], object], *, within_s: float = 10.0) -> None:
    """Return once ``condition()`` is true; fail if it is not within ``within_s`` seconds."""
    try:
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - the world sets no events
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"did not become true within {within_s:g} s") from None
