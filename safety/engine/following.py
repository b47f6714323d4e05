"""How the engine begins, and how it learns of every new configuration."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog

from safety.engine.recorder import Chore, Recorder
from safety.engine.site import EngineSite, SiteKeeper
from safety.errors import AnjeonError, StoreUnavailable

log = structlog.get_logger(__name__)

CONFIG_EVERY_S = 1.0
TAKE_OVER_S = 3.0
"""How long the start waits for the database before it watches without it."""


class SiteFollower:
    """Takes over an earlier life's state once, then applies every new configuration.

    Args:
        look_back: Reads what an earlier life left, in a thread; what it returns is then called
            in the event loop.
        apply: Makes a configuration the one in force.
        known: The revision in force; None: none yet.
    """

    def __init__(
        self,
        keeper: SiteKeeper,
        recorder: Recorder,
        *,
        look_back: Callable[[], Sequence[Callable[[], None]]],
        apply: Callable[[EngineSite], Awaitable[None]],
        known: Callable[[], int | None],
    ) -> None:
        self._keeper = keeper
        self._recorder = recorder
        self._look_back = look_back
        self._apply = apply
        self._known = known
        self._wanted = asyncio.Event()

    def look_now(self) -> None:
        """Somebody has changed the configuration."""
        self._wanted.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        await self._take_over()
        while True:
            self._wanted.clear()
            try:
                fresh = await asyncio.to_thread(self._keeper.read, self._known())
            except StoreUnavailable as error:
                self._recorder.available = False
                log.warning("configuration_unavailable", why=str(error))
            except AnjeonError as error:
                log.error("configuration_unusable", why=str(error))
            else:
                if fresh is not None:
                    await self._apply(fresh)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONFIG_EVERY_S):
                    await self._wanted.wait()

    async def _take_over(self) -> None:
        """Migrate and go on with an earlier life's state, as soon as the database is there."""
        found: list[Callable[[], None]] = []
        taken_over = asyncio.Event()

        def look_back() -> None:
            found[:] = self._look_back()

        async def resume() -> None:
            for step in found:
                step()
            taken_over.set()

        self._recorder.put(Chore(key=("take_over",), do=look_back, stored=resume))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TAKE_OVER_S):
                await taken_over.wait()
