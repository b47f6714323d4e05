"""Waiting for something that another thread or process does."""

import asyncio
import threading
from collections.abc import Callable

LIMIT_S = 90.0
"""Waiting costs nothing once it has happened, and other tests want the processor too."""

PAUSE_S = 0.02


async def until(condition: Callable[[], bool], *, limit_s: float = LIMIT_S) -> None:
    """Return as soon as ``condition`` holds.

    Raises:
        TimeoutError: It did not within ``limit_s``.
    """
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - another process will not set our events
            await asyncio.sleep(PAUSE_S)


def wait_until(condition: Callable[[], bool], *, limit_s: float = LIMIT_S) -> None:
    """Block until ``condition`` holds.

    Raises:
        TimeoutError: It did not within ``limit_s``.
    """
    for _ in range(round(limit_s / PAUSE_S)):
        if condition():
            return
        threading.Event().wait(PAUSE_S)
    raise TimeoutError(f"did not happen within {limit_s:g} s")
