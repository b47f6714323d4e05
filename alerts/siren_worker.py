"""Makes one siren show what it should, whatever happens to the others."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from alerts.channels.base import Receipt, Siren, SirenLevel
from alerts.episodes import Wanted
from alerts.waiting import wait_set
from safety.clock import Clock
from safety.errors import ChannelError

log = structlog.get_logger(__name__)

OFF_MESSAGES = 3
"""How often quiet is commanded and confirmed: a late command to sound may still be under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SirenTimings:
    """Seconds.

    Attributes:
        ttl_s: How long a command holds; it is repeated every third of this.
        retry_s: Pause after a failure while there is something to command.
        check_every_s: How often an idle siren is asked whether it is there.
        command_timeout_s: A driver that takes longer has failed.
    """

    ttl_s: float = 6.0
    retry_s: float = 0.5
    check_every_s: float = 10.0
    command_timeout_s: float = 4.0


class SirenWorker:
    """One siren's task: command, repeat, retry, check.

    Only the newest wish counts. A command that hangs is given up the moment something else
    is wanted.

    Args:
        wanted: What the siren should show now.
        succeeded: Called with the wish and the receipt after every confirmed command.
        answered: Called after every command or check, with the error or None.
    """

    def __init__(
        self,
        siren: Siren,
        *,
        clock: Clock,
        timings: SirenTimings,
        wanted: Callable[[], Wanted],
        succeeded: Callable[[Wanted, Receipt], None],
        answered: Callable[[ChannelError | None], None],
    ) -> None:
        self._siren = siren
        self._clock = clock
        self._timings = timings
        self._wanted = wanted
        self._succeeded = succeeded
        self._answered = answered
        self._poked = asyncio.Event()
        self._last = Wanted()
        self._due_at = clock.now().monotonic
        self._off_left = 0 if siren.quiet_by_itself else 1

    @property
    def level(self) -> SirenLevel:
        """The level commanded last, confirmed or not."""
        return self._last.level

    def poke(self) -> None:
        """Look again at what is wanted."""
        self._poked.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._poked.clear()
            wanted = self._wanted()
            wait_s = self._due_at - self._clock.now().monotonic
            if wait_s <= 0 or self._is_news(wanted):
                await self._act(wanted)
            else:
                await wait_set(self._poked, wait_s)

    async def quieten(self) -> None:
        """Command quiet once, if it was sounding: the siren is no longer ours to use."""
        if self.level is not SirenLevel.OFF:
            await self._act(Wanted(reason="channel removed"), supersede=False)

    def _is_news(self, wanted: Wanted) -> bool:
        return wanted.level is not self._last.level or bool(
            wanted.violations - self._last.violations
        )

    async def _act(self, wanted: Wanted, *, supersede: bool = True) -> None:
        """Command or check once, and set when to act next."""
        started = self._clock.now().monotonic
        quiet = wanted.level is SirenLevel.OFF
        if not quiet:
            self._off_left = OFF_MESSAGES
        changed = wanted.level is not self._last.level
        self._last = wanted
        commanding = not quiet or self._off_left > 0
        action = asyncio.create_task(self._command(wanted) if commanding else self._check())
        try:
            await self._done_or_outdated(action, wanted if supersede else None)
        finally:
            action.cancel()
        await asyncio.wait({action})
        if action.cancelled():
            self._due_at = started
            return
        receipt = action.result()
        if isinstance(receipt, ChannelError):
            self._due_at = self._clock.now().monotonic + self._timings.retry_s
            self._answered(receipt)
            return
        if commanding:
            self._off_left -= quiet
            self._succeeded(wanted, receipt)
        if changed:
            log.info("siren_commanded", channel=self._siren.channel_id, shows=wanted.level.value)
        idle = quiet and self._off_left == 0
        self._due_at = started + (self._timings.check_every_s if idle else self._timings.ttl_s / 3)
        self._answered(None)

    async def _done_or_outdated(
        self, action: "asyncio.Task[Receipt | ChannelError]", wanted: Wanted | None
    ) -> None:
        """Return when the action is done, or when another level is wanted meanwhile."""
        while not action.done():
            poked = asyncio.create_task(self._poked.wait())
            try:
                await asyncio.wait({action, poked}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                poked.cancel()
            self._poked.clear()
            if wanted is not None and self._wanted().level is not wanted.level:
                return

    async def _command(self, wanted: Wanted) -> Receipt | ChannelError:
        return await self._bounded(
            self._siren.set(wanted.level, ttl_s=self._timings.ttl_s, reason=wanted.reason)
        )

    async def _check(self) -> Receipt | ChannelError:
        return await self._bounded(self._siren.check())

    async def _bounded(self, call: Coroutine[Any, Any, Receipt]) -> Receipt | ChannelError:
        """The driver's answer within the time limit; the channel's border for exceptions."""
        try:
            async with asyncio.timeout(self._timings.command_timeout_s):
                return await call
        except ChannelError as error:
            return error
        except TimeoutError:
            return ChannelError(
                "channel.siren_timeout",
                "the siren {channel} did not answer within {seconds:g} s; check its network",
                channel=self._siren.channel_id,
                seconds=self._timings.command_timeout_s,
            )
        except Exception as error:
            log.exception("siren_driver_failed", channel=self._siren.channel_id)
            return ChannelError(
                "channel.siren_driver",
                "the driver of siren {channel} failed ({problem}); see the log",
                channel=self._siren.channel_id,
                problem=type(error).__name__,
            )
