"""What the drivers of all sirens have in common: receipts, and quiet when the time is over."""

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress

import structlog

from alerts.channels.base import QuietWhen, Receipt, SirenLevel
from alerts.channels.siren_spec import SirenSpec
from alerts.waiting import pause
from safety.clock import Clock
from safety.errors import ChannelError

log = structlog.get_logger(__name__)

_RETRY_S = 0.5
_LAST_WORD_S = 2.0


class SirenDriver(ABC):
    """Base of the drivers: a subclass sends one command or one question to its device.

    Attributes:
        quiet_by_itself: The device goes quiet if Anjeon dies.
        keeps_time: The device itself ends a command after its time-to-live. Where it does not,
            this object commands quiet then, and when it is closed; that works only as long
            as the process lives.
    """

    quiet_by_itself = True
    keeps_time = True

    def __init__(self, spec: SirenSpec, *, clock: Clock) -> None:
        self.channel_id = spec.id
        self.quiet_when: QuietWhen = spec.quiet_when
        self._clock = clock
        self._ending: asyncio.Task[None] | None = None

    async def set(self, level: SirenLevel, *, ttl_s: float, reason: str) -> Receipt:
        """Show ``level`` for ``ttl_s`` seconds."""
        self._forget_ending()
        if not self.keeps_time and level is not SirenLevel.OFF:
            # Armed before the command: a command whose answer is lost may have been obeyed.
            self._ending = asyncio.create_task(self._end_after(ttl_s))
        started = self._clock.now()
        detail = await self._command(level, ttl_s=ttl_s, reason=reason)
        return self._receipt(started.monotonic, detail)

    async def check(self) -> Receipt:
        """Ask whether the device is there, without changing what it shows."""
        started = self._clock.now()
        return self._receipt(started.monotonic, await self._ask())

    async def close(self) -> None:
        """Leave; a device that does not keep time is told to be quiet first."""
        if self._ending is not None:
            self._forget_ending()
            with suppress(ChannelError, TimeoutError):
                async with asyncio.timeout(_LAST_WORD_S):
                    await self._command(SirenLevel.OFF, ttl_s=0.0, reason="closing")
        await self._release()

    @abstractmethod
    async def _command(self, level: SirenLevel, *, ttl_s: float, reason: str) -> str:
        """Make the device show ``level``; what it answered, for the log.

        May be called again before an earlier call is done, or be cancelled.
        """

    @abstractmethod
    async def _ask(self) -> str:
        """Make sure that the device is there; what it answered."""

    async def _release(self) -> None:  # noqa: B027 - most drivers hold nothing open
        """Give back connections."""

    def _receipt(self, started: float, detail: str) -> Receipt:
        at = self._clock.now()
        return Receipt(at=at, latency_s=at.monotonic - started, detail=detail)

    def _forget_ending(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    async def _end_after(self, seconds: float) -> None:
        """Command quiet when nobody has prolonged the command in time, until it is confirmed."""
        await pause(seconds)
        while True:
            try:
                await self._command(SirenLevel.OFF, ttl_s=0.0, reason="time is over")
            except ChannelError as error:
                log.warning("siren_not_quiet", channel=self.channel_id, problem=str(error))
                await pause(_RETRY_S)
            else:
                self._ending = None
                return
