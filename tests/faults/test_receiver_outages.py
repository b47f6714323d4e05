"""Webhook receivers that fail, hang, vanish or want no more: nothing is lost on our side."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from alerts.breaker import Breaker
from alerts.channels.webhook import WebhookMessenger, WebhookSpec
from alerts.delivery_worker import DispatchTimings
from alerts.dispatcher import Dispatcher
from alerts.health import HealthState
from alerts.intake import record_violation
from alerts.notices import SiteContext
from safety.clock import SystemClock
from safety.store import outbox
from safety.store.database import Database
from safety.store.tables import Delivery
from tests.support.violations import opened
from tests.support.waiting import until
from tests.support.webhook_receiver import SECRET, Mode, WebhookReceiver

CLOCK = SystemClock()
SITE = SiteContext(name="Site", timezone="UTC", language="en", messengers=("bad", "good"))


@pytest.fixture
async def good_receiver() -> AsyncIterator[WebhookReceiver]:
    receiver = WebhookReceiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@asynccontextmanager
async def dispatching(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    bad: WebhookReceiver,
    good: WebhookReceiver,
) -> AsyncIterator[Dispatcher]:
    """A dispatcher with two webhooks, of which ``bad`` is going to misbehave."""
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    channels = {
        name: WebhookMessenger(
            WebhookSpec(id=name, name=name, url=receiver.url, secret="env:WEBHOOK_SECRET"),
            clock=CLOCK,
        )
        for name, receiver in (("bad", bad), ("good", good))
    }
    dispatcher = Dispatcher(
        database,
        channels,
        clock=CLOCK,
        timings=DispatchTimings(poll_s=0.05, attempt_s=1.0),
        make_breaker=lambda: Breaker(failures=3, pause_s=0.5),
    )
    task = asyncio.create_task(dispatcher.run())
    try:
        yield dispatcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for channel in channels.values():
            await channel.close()


def fill(database: Database, count: int) -> None:
    for number in range(count):
        # Each in a zone of its own: alerts of one situation would share one notice.
        with database.transaction() as session:
            record_violation(
                session,
                replace(opened(f"v{number}", at=CLOCK.now()), zone_id=f"z{number}"),
                rule_channels=None,
                site=SITE,
                siren_latency_s=None,
                now=CLOCK.now(),
            )


def count(database: Database, channel: str, state: str) -> int:
    with database.reading() as session:
        return len(outbox.of_channel(session, channel, state=state, limit=1000))


def newest(database: Database, channel: str) -> Delivery:
    with database.reading() as session:
        return outbox.of_channel(session, channel)[0]


def ids(receiver: WebhookReceiver) -> list[str]:
    return [request.headers["webhook-id"] for request in receiver.taken]


@pytest.mark.parametrize("mode", ["500", "hang", "slow-loris", "close", "302"])
async def test_bad_receiver_delays_no_other_and_gets_everything_once_it_is_well(
    sqlite_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    webhook_receiver: WebhookReceiver,
    good_receiver: WebhookReceiver,
    mode: Mode,
) -> None:
    webhook_receiver.mode = mode
    fill(sqlite_database, 8)
    bad, good = webhook_receiver, good_receiver
    async with dispatching(sqlite_database, monkeypatch, bad, good) as dispatcher:
        await until(lambda: len(good.taken) == 8)
        await until(lambda: dispatcher.health["bad"] is HealthState.OPEN)
        assert count(sqlite_database, "bad", "pending") == 8
        webhook_receiver.mode = "ok"
        await until(lambda: count(sqlite_database, "bad", "delivered") == 8)
    # An answer that came too late is asked for again, under the same id.
    assert len(set(ids(bad))) == 8


async def test_vanished_receiver_gets_everything_when_it_returns(
    sqlite_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    webhook_receiver: WebhookReceiver,
    good_receiver: WebhookReceiver,
) -> None:
    await webhook_receiver.stop()
    fill(sqlite_database, 5)
    bad, good = webhook_receiver, good_receiver
    async with dispatching(sqlite_database, monkeypatch, bad, good) as dispatcher:
        await until(lambda: dispatcher.health["bad"] is HealthState.OPEN)
        await webhook_receiver.start()
        await until(lambda: len(ids(bad)) == 5)


async def test_receiver_that_wants_no_more_is_left_alone(
    sqlite_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    webhook_receiver: WebhookReceiver,
    good_receiver: WebhookReceiver,
) -> None:
    webhook_receiver.mode = "410"
    fill(sqlite_database, 6)
    bad, good = webhook_receiver, good_receiver
    async with dispatching(sqlite_database, monkeypatch, bad, good) as dispatcher:
        await until(lambda: count(sqlite_database, "bad", "dead") == 6)
        await until(lambda: len(good.taken) == 6)
        assert dispatcher.health["bad"] is HealthState.DISABLED
    assert len(bad.requests) == 1, "asked once, and not again"
    with sqlite_database.reading() as session:
        errors = {d.last_error for d in outbox.of_channel(session, "bad")}
    assert all("410 Gone" in (error or "") for error in errors)


async def test_receiver_that_asks_for_time_gets_it(
    sqlite_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    webhook_receiver: WebhookReceiver,
    good_receiver: WebhookReceiver,
) -> None:
    webhook_receiver.mode = "429-later"
    fill(sqlite_database, 1)
    before = CLOCK.now().wall
    bad, good = webhook_receiver, good_receiver
    async with dispatching(sqlite_database, monkeypatch, bad, good):
        await until(lambda: newest(sqlite_database, "bad").attempts == 1)
    delivery = newest(sqlite_database, "bad")
    assert delivery.next_attempt_at.timestamp() >= before + 7
