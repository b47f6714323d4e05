"""The siren twin with the faults of real ones."""

import asyncio
from pathlib import Path
from typing import Literal

from alerts.channels.base import Notice, Receipt, SirenLevel
from alerts.channels.recording import RecordingChannel, RecordingSpec
from safety.clock import Clock
from safety.errors import ChannelError, ChannelRefused

Mode = Literal["ok", "fail", "hang", "refuse", "crash"]


class FickleChannel(RecordingChannel):
    """A recording channel that works, fails or hangs, as ``mode`` says."""

    def __init__(self, channel_id: str, directory: Path, clock: Clock, mode: Mode = "ok") -> None:
        spec = RecordingSpec(id=channel_id, name=channel_id)
        super().__init__(spec, clock=clock, data_dir=directory)
        self.mode: Mode = mode
        self.attempts = 0

    async def set(self, level: SirenLevel, *, ttl_s: float, reason: str) -> Receipt:
        """Note the command, unless something is wrong."""
        await self._misbehave()
        return await super().set(level, ttl_s=ttl_s, reason=reason)

    async def check(self) -> Receipt:
        """Be within reach, unless something is wrong."""
        await self._misbehave()
        return await super().check()

    async def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """Note the notice, unless something is wrong."""
        await self._misbehave()
        return await super().send(notice, timeout_s=timeout_s)

    @property
    def commanded(self) -> list[SirenLevel]:
        """All levels commanded, oldest first."""
        return [assertion.level for assertion in self.assertions]

    async def _misbehave(self) -> None:
        self.attempts += 1
        if self.mode == "hang":
            await asyncio.Event().wait()
        if self.mode == "fail":
            raise ChannelError(
                "test.fail", "the cable of {channel} is cut", channel=self.channel_id
            )
        if self.mode == "refuse":
            raise ChannelRefused("test.refuse", "{channel} refuses", channel=self.channel_id)
        if self.mode == "crash":
            raise ZeroDivisionError
