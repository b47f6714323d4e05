"""A storm: 500 violations at once. Sirens first, nothing lost, and people get summaries."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from alerts.channels.webhook import WebhookMessenger, WebhookSpec
from alerts.dispatch_metrics import DispatchMetrics
from alerts.dispatcher import Dispatcher
from alerts.policy_spec import LimitSpec, PolicySpec
from alerts.sirens import SirenControl
from alerts.storm import StormGuard
from cameras.messages import ViolationReport
from safety.clock import SystemClock
from safety.engine.doubles import Doubles
from safety.engine.metrics import EngineMetrics
from safety.engine.policy import PolicyDesk
from safety.engine.recorder import Recorder
from safety.engine.site import EngineSite
from safety.engine.violations import ViolationDesk
from safety.site.spec import SiteSpec
from safety.store import alerts, outbox
from safety.store.database import Database
from safety.store.tables import Delivery
from tests.support.sirens import FickleChannel
from tests.support.violations import opened
from tests.support.waiting import until
from tests.support.webhook_receiver import SECRET, WebhookReceiver

CLOCK = SystemClock()
STORM = 500
ZONES = 50
LIMIT = LimitSpec(burst=5, per_minute=60)


@pytest.fixture
def site(webhook_receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch) -> EngineSite:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    hook = WebhookSpec(id="hook", name="Hook", url=webhook_receiver.url, secret="env:HOOK_SECRET")
    spec = SiteSpec(
        name="Ansan",
        language="en",
        channels=(hook,),
        policy=PolicySpec(limit=LIMIT, update_every_s=5),
    )
    return EngineSite(spec=spec, revision=1, rule_revisions={})


def sent(database: Database) -> Sequence[Delivery]:
    """What the outbox holds for the receiver, delivered or not."""
    with database.reading() as session:
        return outbox.of_channel(session, "hook", limit=10_000)


def told_of(receiver: WebhookReceiver) -> Iterator[str]:
    """Every alert that somebody has been told of, by itself, in an update or in a summary."""
    for request in receiver.taken:
        data: dict[str, Any] = request.event["data"]
        yield data["alert_id"]
        for each in data.get("alerts", ()):
            yield each["alert_id"]
            yield from each.get("joined", ())


@pytest.mark.timeout(300)
async def test_sirens_first_nothing_lost_and_people_get_summaries(
    sqlite_database: Database,
    tmp_path: Path,
    site: EngineSite,
    webhook_receiver: WebhookReceiver,
) -> None:
    siren, recorder = (
        FickleChannel("siren", tmp_path, CLOCK),
        Recorder(sqlite_database, clock=CLOCK),
    )
    sounded: set[str] = set()
    sirens = SirenControl(
        {"siren": siren},
        clock=CLOCK,
        on_first_command=lambda violation_id, seconds: sounded.add(violation_id),
    )
    (hook,) = site.channels
    assert isinstance(hook, WebhookSpec)
    messenger = WebhookMessenger(hook, clock=CLOCK)
    dispatcher = Dispatcher(sqlite_database, {"hook": messenger}, clock=CLOCK)
    dispatcher.obey(site.context)
    desk = ViolationDesk(
        clock=CLOCK,
        database=sqlite_database,
        recorder=recorder,
        sirens=sirens,
        metrics=EngineMetrics(CollectorRegistry()),
        site=lambda: site,
        recorded=dispatcher.nudge,
        doubles=Doubles(lambda camera_id, track_id: None),
    )
    policy = PolicyDesk(
        clock=CLOCK, database=sqlite_database, site=lambda: site, told=dispatcher.nudge
    )
    began = CLOCK.now().monotonic
    parts = (recorder.run(), sirens.run(), dispatcher.run(), policy.run())
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        # While somebody else writes, nothing can be put on record: sirens do not wait for that.
        with sqlite_database.transaction():
            for number in range(STORM):
                violation = replace(
                    opened(f"v{number}", at=CLOCK.now()),
                    zone_id=f"zone-{number % ZONES}",
                    subject=f"person-{number}",
                )
                await desk.report(ViolationReport(violation=violation), lambda _: None)
            await until(lambda: len(sounded) == STORM)
            assert webhook_receiver.requests == []
        await recorder.drained()
        with sqlite_database.reading() as session:
            everyone = {each.id for each in alerts.list_alerts(session, limit=1000)}
        assert len(everyone) == STORM
        await until(lambda: set(told_of(webhook_receiver)) == everyone)
        await until(lambda: not any(row.state == "pending" for row in sent(sqlite_database)))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await messenger.close()
    events = [request.event["data"]["event"] for request in webhook_receiver.taken]
    assert "summary" in events
    allowed = LIMIT.burst + LIMIT.per_minute / 60 * (CLOCK.now().monotonic - began)
    assert len(events) <= min(allowed, STORM), "people were spared"
    rows = {row.id: row for row in sent(sqlite_database)}
    for row in rows.values():
        assert row.state in {"delivered", "summarised"}
        assert (row.state == "summarised") is (row.summary_id in rows)


def test_a_guard_that_was_told_nothing_limits_nothing() -> None:
    assert not StormGuard(CLOCK, DispatchMetrics(CollectorRegistry())).limits("hook")
