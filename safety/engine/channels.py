"""Keeps one open driver per channel, and gives sirens and messengers those that are theirs."""

import asyncio
from pathlib import Path

import structlog

from alerts.channels.base import Messenger, Siren
from alerts.dispatcher import Dispatcher
from alerts.open import AnyChannelSpec, is_messenger, is_siren, open_channel
from alerts.sirens import SirenControl
from safety.clock import Clock
from safety.errors import AnjeonError
from safety.store.database import Database

log = structlog.get_logger(__name__)


class ChannelDesk:
    """Opens, replaces and closes channels as the configuration says."""

    def __init__(
        self,
        sirens: SirenControl,
        dispatcher: Dispatcher,
        *,
        clock: Clock,
        data_dir: Path,
        database: Database | None = None,
    ) -> None:
        self._sirens = sirens
        self._dispatcher = dispatcher
        self._clock = clock
        self._data_dir = data_dir
        self._database = database
        self._open: dict[str, tuple[AnyChannelSpec, Siren | Messenger]] = {}
        self.unusable: dict[str, str] = {}

    async def configure(self, specs: tuple[AnyChannelSpec, ...]) -> None:
        """Use these channels; one whose specification is the same goes on undisturbed.

        A channel that cannot be opened (a missing secret) is left out and remembered in
        ``unusable``; the others work.
        """
        former = self._open
        self._open, self.unusable = {}, {}
        for spec in specs:
            self._take(spec, former)
        drivers = {key: driver for key, (_, driver) in self._open.items()}
        await self._sirens.configure({k: d for k, d in drivers.items() if is_siren(d)})
        await self._dispatcher.configure({k: d for k, d in drivers.items() if is_messenger(d)})
        for channel_id, (_, driver) in former.items():
            if drivers.get(channel_id) is not driver:
                await driver.close()

    async def close(self) -> None:
        """Close all channels; sirens first stop being commanded, or one might sound again."""
        await self._sirens.stop()
        await asyncio.gather(*(driver.close() for _, driver in self._open.values()))
        self._open = {}

    def siren(self, channel_id: str) -> Siren | None:
        """The open siren of this id, if there is one."""
        known = self._open.get(channel_id)
        return known[1] if known is not None and is_siren(known[1]) else None

    def states(self) -> dict[str, str]:
        """What is known of every channel, by id; of a siren and messenger in one, the worse."""
        states: dict[str, str] = dict.fromkeys(self.unusable, "failing")
        for health in (self._dispatcher.health, self._sirens.health):
            for channel_id, state in health.items():
                if states.get(channel_id, "ok") in {"ok", "unknown"}:
                    states[channel_id] = state.value
        return states

    def _take(
        self, spec: AnyChannelSpec, former: dict[str, tuple[AnyChannelSpec, Siren | Messenger]]
    ) -> None:
        known = former.get(spec.id)
        if known is not None and known[0] == spec:
            self._open[spec.id] = known
            return
        try:
            driver = open_channel(
                spec, clock=self._clock, data_dir=self._data_dir, database=self._database
            )
        except AnjeonError as error:
            log.error("channel_unusable", channel=spec.id, why=str(error))
            self.unusable[spec.id] = str(error)
            return
        self._open[spec.id] = (spec, driver)
