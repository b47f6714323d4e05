"""Calls that block, kept away from the event loop and from the end of the program.

Threads of the usual pools are waited for when a program ends; one that hangs in somebody
else's library would keep the engine from ending. These are not.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

import structlog

log = structlog.get_logger(__name__)


class BlockingCalls:
    """Runs each call in a thread of its own, and each key's call once at a time.

    Args:
        name: Of the threads.
        at_most: How many may be under way.
    """

    def __init__(self, name: str, *, at_most: int = 8) -> None:
        self._name = name
        self._at_most = at_most
        self._under_way: dict[str, asyncio.Future[Exception | None]] = {}

    @property
    def full(self) -> bool:
        """No further call can begin: all hang."""
        return len(self._under_way) >= self._at_most

    async def run(
        self, key: str, call: Callable[[], None], *, done: Callable[[], None]
    ) -> Exception | None:
        """Call, and give back what it raised.

        Whoever stops waiting does not stop the call. If the same key comes again meanwhile,
        that waits for the call that is under way.

        Args:
            key: Names what is done.
            call: Blocks.
            done: Called in the event loop when the call has ended well, however late.
        """
        future = self._under_way.get(key) or self._start(key, call, done)
        return await asyncio.shield(future)

    def _start(
        self, key: str, call: Callable[[], None], done: Callable[[], None]
    ) -> "asyncio.Future[Exception | None]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Exception | None] = loop.create_future()
        self._under_way[key] = future

        def finish(error: Exception | None) -> None:
            self._under_way.pop(key, None)
            if error is None:
                done()
            if not future.cancelled():
                future.set_result(error)

        def work() -> None:
            error: Exception | None = None
            try:
                call()
            except Exception as caught:
                log.warning("blocking_call_failed", thread=self._name, why=type(caught).__name__)
                error = caught
            with suppress(RuntimeError):  # The loop may have ended before we did.
                loop.call_soon_threadsafe(finish, error)

        threading.Thread(target=work, name=self._name, daemon=True).start()
        return future
