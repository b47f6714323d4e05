"""The engine's desk with two cameras on one person: one alert, and one hand silences both."""

import asyncio
from pathlib import Path

from prometheus_client import CollectorRegistry

from alerts.channels.base import SirenLevel
from alerts.episodes import Attention
from alerts.siren_worker import SirenTimings
from alerts.sirens import SirenControl
from cameras.messages import EvidenceStored, ViolationReport, ViolationStored
from safety.clock import SystemClock
from safety.engine.doubles import Doubles
from safety.engine.metrics import EngineMetrics
from safety.engine.recorder import Recorder
from safety.engine.site import EngineSite
from safety.engine.violations import ViolationDesk
from safety.site.spec import SiteSpec
from safety.store import alerts
from safety.store.database import Database
from safety.store.times import utc
from safety.types import Violation
from tests.support.sirens import FickleChannel
from tests.support.violations import opened
from tests.support.waiting import until
from zones.rules.intrusion import IntrusionSpec
from zones.specs import ZoneSpec

CLOCK = SystemClock()
TIMINGS = SirenTimings(ttl_s=0.3, retry_s=0.05, check_every_s=0.1, command_timeout_s=0.2)
SITE = EngineSite(
    spec=SiteSpec(
        name="Ansan",
        zones=(ZoneSpec(id="zone-1", name="Press", floor_m=((0, 0), (4, 0), (4, 4))),),
        rules=(IntrusionSpec(id="rule-1", name="No entry", zone_id="zone-1"),),
    ),
    revision=1,
    rule_revisions={"rule-1": 1},
)


async def test_two_cameras_one_person_one_alert_one_acknowledgement(
    database: Database, tmp_path: Path
) -> None:
    siren, recorder = FickleChannel("s", tmp_path, CLOCK), Recorder(database, clock=CLOCK)
    sirens = SirenControl({"s": siren}, clock=CLOCK, timings=TIMINGS)

    def desk() -> ViolationDesk:
        return ViolationDesk(
            clock=CLOCK,
            database=database,
            recorder=recorder,
            sirens=sirens,
            metrics=EngineMetrics(CollectorRegistry()),
            site=lambda: SITE,
            recorded=lambda: None,
            doubles=Doubles(lambda camera_id, track_id: 1),
        )

    async def report(to: ViolationDesk, violation: Violation) -> None:
        stored: list[ViolationStored | EvidenceStored] = []
        await to.report(ViolationReport(violation=violation), stored.append)
        await until(lambda: bool(stored))

    tasks = [asyncio.create_task(part) for part in (recorder.run(), sirens.run())]
    try:
        violations = desk()
        first = opened("first", at=CLOCK.now())
        other = opened("other", at=CLOCK.now(), camera_id="cam-2")
        await report(violations, first)
        await report(violations, other)
        await until(lambda: siren.level is SirenLevel.DANGER)
        with database.transaction() as session:
            (alert,) = alerts.list_alerts(session)
            alerts.acknowledge(session, alert.id, by="kim", at=utc(CLOCK.now()))
        await violations.look_for_attention()
        await until(lambda: siren.level is SirenLevel.OFF)

        # An engine that starts anew knows which ones belong together, and that somebody came.
        left = desk().left_open()
        assert dict(left.firsts) == {"first": "first", "other": "first"}
        assert left.attended == {"first": Attention.SEEN, "other": Attention.SEEN}
        again = desk()
        again.resume(left)
        await report(again, opened("third", at=CLOCK.now(), camera_id="cam-2"))
        with database.reading() as session:
            assert len(alerts.list_alerts(session)) == 2
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
