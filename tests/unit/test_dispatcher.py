"""The outbox is emptied, each channel at its own pace, and nothing is lost on the way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from alerts.breaker import Breaker
from alerts.channels.base import Messenger
from alerts.delivery_worker import DispatchTimings
from alerts.dispatcher import Dispatcher
from alerts.health import HealthState
from alerts.intake import record_violation
from alerts.notices import SiteContext
from safety.clock import ManualClock, SystemClock
from safety.store import outbox
from safety.store.database import Database
from safety.store.tables import Delivery
from safety.store.times import utc
from tests.support.sirens import FickleChannel
from tests.support.violations import opened
from tests.support.waiting import until

CLOCK = SystemClock()
TIMINGS = DispatchTimings(poll_s=0.05, attempt_s=0.2, fails_after_s=0.0)

Told = list[tuple[str, bool]]
MakeChannel = Callable[[str], FickleChannel]


@pytest.fixture
def make_channel(tmp_path: Path) -> MakeChannel:
    return lambda name: FickleChannel(name, tmp_path, CLOCK)


def fill(database: Database, count: int, *channels: str, prefix: str = "v") -> None:
    """Put ``count`` alerts into the outbox, for every channel."""
    site = SiteContext(name="Site", timezone="UTC", language="en", messengers=channels)
    for number in range(count):
        # Each in a zone of its own: alerts of one situation would share one notice.
        name = f"{prefix}{number}"
        violation = replace(opened(name, at=CLOCK.now()), zone_id=name)
        with database.transaction() as session:
            record_violation(
                session,
                violation,
                rule_channels=None,
                site=site,
                siren_latency_s=None,
                now=CLOCK.now(),
            )


def in_state(database: Database, channel: str, state: str) -> list[Delivery]:
    with database.reading() as session:
        return list(outbox.of_channel(session, channel, state=state, limit=1000))


def change(database: Database, statement: str, **values: object) -> None:
    with database.transaction() as session:
        session.connection().execute(text(statement), values)


@asynccontextmanager
async def dispatching(
    database: Database,
    *channels: Messenger,
    told: Told | None = None,
    breaker: Callable[[], Breaker] = Breaker,
    registry: CollectorRegistry | None = None,
) -> AsyncIterator[Dispatcher]:
    heard: Told = [] if told is None else told
    dispatcher = Dispatcher(
        database,
        {channel.channel_id: channel for channel in channels},
        clock=CLOCK,
        timings=TIMINGS,
        make_breaker=breaker,
        registry=registry,
        on_channel_health=lambda key, ok, error: heard.append((key, ok)),
    )
    task = asyncio.create_task(dispatcher.run())
    try:
        yield dispatcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_everything_is_delivered_once(database: Database, make_channel: MakeChannel) -> None:
    a, b = make_channel("a"), make_channel("b")
    fill(database, 25, "a", "b")
    async with dispatching(database, a, b):
        await until(lambda: len(in_state(database, "a", "delivered")) == 25)
        await until(lambda: len(in_state(database, "b", "delivered")) == 25)
    assert a.attempts == b.attempts == 25
    ids = {delivery.id for delivery in in_state(database, "a", "delivered")}
    assert set(a.notices) == ids, "the delivery's id is what the receiver sees"


async def test_a_nudge_is_enough(sqlite_database: Database, make_channel: MakeChannel) -> None:
    channel = make_channel("a")
    dispatcher = Dispatcher(
        sqlite_database,
        {"a": channel},
        clock=CLOCK,
        timings=DispatchTimings(poll_s=3600.0),
    )
    task = asyncio.create_task(dispatcher.run())
    await asyncio.sleep(0.2)
    fill(sqlite_database, 1, "a")
    dispatcher.nudge()
    await until(lambda: len(channel.notices) == 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("mode", ["hang", "fail", "crash"])
async def test_a_broken_channel_delays_no_other(
    sqlite_database: Database, make_channel: MakeChannel, mode: str
) -> None:
    good, bad = make_channel("good"), make_channel("bad")
    bad.mode = mode  # type: ignore[assignment]
    fill(sqlite_database, 30, "bad", "good")
    async with dispatching(sqlite_database, bad, good):
        await until(lambda: len(good.notices) == 30)
        await until(lambda: bad.attempts > 0)
    assert len(in_state(sqlite_database, "bad", "pending")) == 30


async def test_a_failure_is_noted_and_tried_again(
    sqlite_database: Database, make_channel: MakeChannel
) -> None:
    told: Told = []
    channel = make_channel("a")
    channel.mode = "fail"
    fill(sqlite_database, 1, "a")
    async with dispatching(sqlite_database, channel, told=told) as dispatcher:
        await until(lambda: in_state(sqlite_database, "a", "pending")[0].attempts == 1)
        [delivery] = in_state(sqlite_database, "a", "pending")
        assert delivery.last_error == "the cable of a is cut"
        assert delivery.next_attempt_at > utc(CLOCK.now())
        assert dispatcher.health == {"a": HealthState.FAILING}
        channel.mode = "ok"
        await until(lambda: len(in_state(sqlite_database, "a", "delivered")) == 1)
        assert dispatcher.health == {"a": HealthState.OK}
    assert told == [("a", False), ("a", True)]
    assert in_state(sqlite_database, "a", "delivered")[0].attempts == 2


async def test_refused_is_dead_and_can_be_retried_by_hand(
    sqlite_database: Database, make_channel: MakeChannel
) -> None:
    channel = make_channel("a")
    channel.mode = "refuse"
    fill(sqlite_database, 1, "a")
    async with dispatching(sqlite_database, channel):
        await until(lambda: len(in_state(sqlite_database, "a", "dead")) == 1)
        [dead] = in_state(sqlite_database, "a", "dead")
        assert (dead.last_error, dead.attempts) == ("a refuses", 1)
        channel.mode = "ok"
        now = utc(CLOCK.now())
        with sqlite_database.transaction() as session:
            outbox.retry(session, dead.id, by="kim", now=now, deadline=now + timedelta(hours=1))
        await until(lambda: len(in_state(sqlite_database, "a", "delivered")) == 1)


async def test_what_is_past_its_deadline_is_given_up(
    sqlite_database: Database, make_channel: MakeChannel
) -> None:
    channel = make_channel("a")
    fill(sqlite_database, 1, "a", "removed")
    long_ago = utc(CLOCK.now().wall - 60)
    change(sqlite_database, "UPDATE delivery SET deadline_at = :at", at=long_ago)
    async with dispatching(sqlite_database, channel):
        await until(lambda: len(in_state(sqlite_database, "a", "dead")) == 1)
        await until(lambda: len(in_state(sqlite_database, "removed", "dead")) == 1)
    assert channel.attempts == 0
    assert "deadline" in (in_state(sqlite_database, "a", "dead")[0].last_error or "")


async def test_the_breaker_spares_a_channel_that_is_down(
    sqlite_database: Database, make_channel: MakeChannel
) -> None:
    channel = make_channel("a")
    channel.mode = "fail"
    fill(sqlite_database, 30, "a")
    async with dispatching(
        sqlite_database, channel, breaker=lambda: Breaker(failures=3, pause_s=1.0)
    ) as dispatcher:
        await until(lambda: dispatcher.health == {"a": HealthState.OPEN})
        assert channel.attempts == 3
        channel.mode = "ok"
        await until(lambda: len(channel.notices) == 30)
        assert dispatcher.health == {"a": HealthState.OK}


async def test_goes_on_after_a_crash_where_it_was(
    sqlite_database: Database, make_channel: MakeChannel
) -> None:
    first, second = make_channel("a"), make_channel("a")
    fill(sqlite_database, 60, "a")
    async with dispatching(sqlite_database, first):
        await until(lambda: len(first.notices) >= 5)
    async with dispatching(sqlite_database, second):
        await until(lambda: len(in_state(sqlite_database, "a", "delivered")) == 60)
    both = set(first.notices) & set(second.notices)
    assert len(first.notices | second.notices) == 60
    assert len(both) <= 1, "at most what was under way when it crashed is sent again"


async def test_waits_for_the_database_and_sends_nothing_twice(
    sqlite_database: Database, make_channel: MakeChannel
) -> None:
    channel = make_channel("a")
    channel.mode = "hang"
    fill(sqlite_database, 5, "a")
    change(sqlite_database, "ALTER TABLE delivery RENAME TO delivery_away")
    async with dispatching(sqlite_database, channel):
        await asyncio.sleep(0.2)
        assert channel.attempts == 0
        channel.mode = "ok"
        change(sqlite_database, "ALTER TABLE delivery_away RENAME TO delivery")
        await until(lambda: len(in_state(sqlite_database, "a", "delivered")) == 5)
    assert channel.attempts == 5


async def test_outcome_waits_while_the_database_cannot_be_written(
    sqlite_database: Database, make_channel: MakeChannel
) -> None:
    channel = make_channel("a")
    fill(sqlite_database, 3, "a")
    change(
        sqlite_database,
        "CREATE TRIGGER full BEFORE UPDATE ON delivery BEGIN SELECT RAISE(ABORT, 'full'); END",
    )
    async with dispatching(sqlite_database, channel):
        await until(lambda: channel.attempts == 1)
        await asyncio.sleep(0.4)
        assert channel.attempts == 1, "its outcome is not on record yet"
        change(sqlite_database, "DROP TRIGGER full")
        await until(lambda: len(in_state(sqlite_database, "a", "delivered")) == 3)
    assert channel.attempts == 3


async def test_channels_come_and_go(sqlite_database: Database, make_channel: MakeChannel) -> None:
    old, new = make_channel("a"), make_channel("a")
    fill(sqlite_database, 1, "a")
    async with dispatching(sqlite_database, old) as dispatcher:
        await until(lambda: len(old.notices) == 1)
        await dispatcher.configure({})
        fill(sqlite_database, 2, "a", prefix="w")
        await asyncio.sleep(0.2)
        assert len(in_state(sqlite_database, "a", "pending")) == 2
        await dispatcher.configure({"a": new})
        await until(lambda: len(new.notices) == 2)


async def test_figures(sqlite_database: Database, make_channel: MakeChannel) -> None:
    registry = CollectorRegistry()
    good, bad = make_channel("good"), make_channel("bad")
    bad.mode = "refuse"
    fill(sqlite_database, 2, "good", "bad")
    async with dispatching(sqlite_database, good, bad, registry=registry):
        await until(lambda: len(in_state(sqlite_database, "good", "delivered")) == 2)
        await until(lambda: len(in_state(sqlite_database, "bad", "dead")) == 2)

    def figure(channel: str, result: str) -> float | None:
        labels = {"channel": channel, "result": result}
        return registry.get_sample_value("anjeon_deliveries_total", labels)

    assert figure("good", "delivered") == figure("bad", "refused") == figure("bad", "dead") == 2


def test_breaker_opens_probes_and_closes() -> None:
    clock = ManualClock()
    breaker = Breaker(failures=2, pause_s=10.0, longest_s=15.0)
    breaker.failed(clock.now())
    assert breaker.allows(clock.now())
    breaker.failed(clock.now())
    assert not breaker.allows(clock.now())
    clock.advance(10.0)
    assert breaker.allows(clock.now()), "one probe"
    breaker.failed(clock.now())
    clock.advance(14.0)
    assert not breaker.allows(clock.now()), "the pause doubled, up to its limit"
    clock.advance(1.0)
    breaker.succeeded()
    assert breaker.allows(clock.now())
    assert not breaker.is_open
