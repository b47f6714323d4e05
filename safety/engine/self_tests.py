"""Weekly self-tests of the sirens: begun at their time, put on record, told if they fail."""

import asyncio
from collections.abc import Callable
from functools import partial
from uuid import uuid4
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import Session

from alerts.channels.siren_spec import SirenSpec
from alerts.siren_selftest import SelfTest, is_due, try_out
from alerts.sirens import SirenControl
from safety.clock import Clock
from safety.engine.channels import ChannelDesk
from safety.engine.recorder import Entry, Recorder
from safety.engine.site import EngineSite
from safety.errors import AnjeonError, ChannelError, StoreUnavailable
from safety.i18n import explain
from safety.store import siren_tests
from safety.store.database import Database
from safety.store.siren_tables import SirenTest
from safety.store.times import utc

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 20.0

Health = Callable[[str, bool, ChannelError | None], None]
"""Takes a channel's id, whether it works, and why not."""


class SelfTestDesk:
    """Tests each siren once a week, one after the other, never while any of them sounds.

    Args:
        health: Told of every failure, and of the first pass after one.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        database: Database,
        recorder: Recorder,
        sirens: SirenControl,
        channels: ChannelDesk,
        site: Callable[[], EngineSite],
        health: Health,
    ) -> None:
        self._clock = clock
        self._database = database
        self._recorder = recorder
        self._sirens = sirens
        self._channels = channels
        self._site = site
        self._health = health
        self._last: dict[str, SirenTest] | None = None

    async def run(self) -> None:
        """Look for tests that are due, until cancelled."""
        while True:
            await self._clock.sleep_async(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Test every siren that is due; without the record nothing is known to be due."""
        if self._last is None:
            try:
                self._last = await asyncio.to_thread(self._read)
            except StoreUnavailable:
                return
        site = self._site()
        local = utc(self._clock.now()).astimezone(ZoneInfo(site.spec.timezone))
        for spec in site.channels:
            if not isinstance(spec, SirenSpec):
                continue
            last = self._last.get(spec.id)
            if is_due(spec, last.at if last else None, last is None or last.passed, local):
                await self._test(spec.id)

    async def _test(self, channel_id: str) -> None:
        siren = self._channels.siren(channel_id)
        if siren is None or not self._sirens.silent:
            return
        result = await try_out(siren, clock=self._clock)
        before = self._remember(channel_id, result)
        if result.error is not None:
            self._health(channel_id, False, self._failure(channel_id, result.error))
        elif before is not None and not before.passed:
            self._health(channel_id, True, None)

    def _remember(self, channel_id: str, result: SelfTest) -> SirenTest | None:
        """Put the result on record; the test before this one."""
        assert self._last is not None
        error = result.error
        test_id, at = uuid4().hex, utc(result.at)

        def row() -> SirenTest:
            # A new object each time: a session keeps the one that it is given.
            return SirenTest(
                id=test_id,
                channel_id=channel_id,
                at=at,
                passed=error is None,
                latency_s=result.latency_s,
                problem=str(error) if error else "",
                problem_key=error.key if error else "",
                problem_params={k: str(v) for k, v in error.params.items()} if error else {},
            )

        before, self._last[channel_id] = self._last.get(channel_id), row()
        log.info("siren_self_test", channel=channel_id, passed=error is None, why=str(error or ""))
        self._recorder.put(Entry(key=("siren_test", test_id), write=partial(self._save, row)))
        return before

    def _failure(self, channel_id: str, error: AnjeonError) -> ChannelError:
        return ChannelError(
            "channel.self_test_failed",
            "the siren {channel} failed its self-test ({problem}); check it on the floor, "
            "then test it again",
            channel=self._site().context.channels.get(channel_id, channel_id),
            problem=explain(error, self._site().spec.language),
        )

    @staticmethod
    def _save(row: Callable[[], SirenTest], session: Session) -> None:
        siren_tests.save(session, row())

    def _read(self) -> dict[str, SirenTest]:
        with self._database.reading() as session:
            found = siren_tests.newest(session)
            session.expunge_all()
            return found
