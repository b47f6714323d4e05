"""Every messenger that speaks HTTP, behind everything that goes wrong with services."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from alerts.breaker import Breaker
from alerts.channels.base import Messenger
from alerts.channels.recording import RecordingChannel, RecordingSpec
from alerts.delivery_worker import DispatchTimings
from alerts.dispatcher import Dispatcher
from alerts.intake import record_violation
from alerts.notices import SiteContext
from alerts.open import is_messenger, open_channel
from alerts.sirens import SirenControl
from alerts.specs import AnyChannelSpec, ChannelSpec
from safety.clock import SystemClock
from safety.store.database import Database
from safety.store.tables import Delivery
from safety.types import Violation
from tests.contracts.test_messengers import KINDS
from tests.faults.channel_faults import CHANNEL_FAULTS, Fronts
from tests.support.database import rows
from tests.support.messenger_services import KEY, SECRET, private_key_pem
from tests.support.violations import opened
from tests.support.waiting import until
from tests.support.webhook_receiver import SECRET as SIGNING_SECRET
from tests.support.webhook_receiver import WebhookReceiver

CLOCK = SystemClock()
SPEC: TypeAdapter[AnyChannelSpec] = TypeAdapter(ChannelSpec)
ALERTS = 4
SOUNDED = 20


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    monkeypatch.setenv("TEST_SECRET", SECRET)
    monkeypatch.setenv("TEST_PEM", private_key_pem())
    monkeypatch.setenv("TEST_HOOK", SIGNING_SECRET)


@asynccontextmanager
async def messengers(fronts: Fronts) -> AsyncIterator[Mapping[str, Messenger]]:
    """One messenger of every kind, each with a service of its own behind a front."""
    async with AsyncExitStack() as stack:
        opened_channels: dict[str, Messenger] = {}

        async def add(name: str, port: int, spec: Mapping[str, Any]) -> None:
            front = await fronts.before(port)
            moved = fronts.moved(spec, port, front)
            if name == "apprise":
                schemes = {"http": "ntfy", "https": "ntfys"}
                base = f"{schemes[fronts.scheme]}://{fronts.host}:{front.port}"
                moved["urls"] = [f"{base}/press?auth=token&token={{env:TEST_KEY}}"]
            channel = open_channel(
                SPEC.validate_python({"id": name, "name": name, **moved}), clock=CLOCK
            )
            assert is_messenger(channel)
            stack.push_async_callback(channel.close)
            opened_channels[name] = channel

        for name, kind in KINDS.items():
            service = kind.service()
            await service.start()
            stack.push_async_callback(service.stop)
            await add(name, service.port, kind.spec(service.url))
        receiver = WebhookReceiver()
        await receiver.start()
        stack.push_async_callback(receiver.stop)
        hook = {"kind": "webhook", "url": receiver.url, "secret": "env:TEST_HOOK"}
        await add("webhook", receiver.port, hook)
        stack.push_async_callback(fronts.stop)
        yield opened_channels


def record(database: Database, violation: Violation, site: SiteContext) -> None:
    with database.transaction() as session:
        record_violation(
            session,
            violation,
            rule_channels=None,
            site=site,
            siren_latency_s=None,
            now=CLOCK.now(),
        )


@pytest.mark.parametrize("name", CHANNEL_FAULTS)
async def test_services_that_fail_lose_nothing_and_hold_up_neither_siren_nor_each_other(
    name: str,
    sqlite_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cost: Callable[..., None],
) -> None:
    fault = CHANNEL_FAULTS[name]
    fronts = Fronts(fault, tmp_path, monkeypatch)
    async with messengers(fronts) as failing:
        twin = RecordingChannel(
            RecordingSpec(id="twin", name="Twin"), clock=CLOCK, data_dir=tmp_path
        )
        latencies: dict[str, float] = {}
        sirens = SirenControl({"twin": twin}, clock=CLOCK, on_first_command=latencies.__setitem__)
        dispatcher = Dispatcher(
            sqlite_database,
            {**failing, "twin": twin},
            clock=CLOCK,
            timings=DispatchTimings(poll_s=0.05, attempt_s=2.0),
            make_breaker=lambda: Breaker(failures=3, pause_s=0.3),
        )
        tasks = [asyncio.create_task(part.run()) for part in (sirens, dispatcher)]
        site = SiteContext(name="S", timezone="UTC", language="en", messengers=(*failing, "twin"))
        for number in range(SOUNDED):
            violation = opened(f"v{number}", at=CLOCK.now(), zone_id=f"zone-{number}")
            await sirens.report(violation, None)
            await asyncio.sleep(0.02)
            if number >= ALERTS:
                continue
            await asyncio.to_thread(record, sqlite_database, violation, site)
        dispatcher.nudge()

        def of(channel_id: str) -> list[Delivery]:
            return [row for row in rows(sqlite_database, Delivery) if row.channel_id == channel_id]

        await until(lambda: all(any(row.attempts for row in of(key)) for key in failing))
        await until(lambda: all(row.state == "delivered" for row in of("twin")))
        assert not [row for key in failing for row in of(key) if row.state != "pending"]
        await fronts.mend()
        dispatcher.nudge()
        await until(lambda: all(row.state == "delivered" for key in failing for row in of(key)))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    told = [row for key in failing for row in of(key)]
    assert len(latencies) == SOUNDED
    cost(
        "Messenger",
        f"service {name}",
        f"{fault.how}; {len(failing)} kinds at once",
        alerts=len(failing) * ALERTS,
        lost=len(failing) * ALERTS - len(told),
        waits_s=[
            (row.delivered_at - row.created_at).total_seconds() for row in told if row.delivered_at
        ],
        siren_s=list(latencies.values()),
    )
