"""The engine's housekeeping: too little room and a broken record are alerts, changes are noted."""

import hashlib
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from safety.clock import ManualClock
from safety.config import Settings
from safety.engine import versions
from safety.engine.keeping import KeepingDesk
from safety.engine.metrics import EngineMetrics
from safety.engine.site import EngineSite
from safety.i18n import translator
from safety.reports.changes import changes_between
from safety.site.spec import SiteSpec
from safety.store import alert_lists, audit, evidence, exposure, ppe_hours
from safety.store.database import Database
from safety.store.exposure import Amount
from safety.store.ppe_hours import PpeAmount, PpeKey
from tests.support.database import NOON, after

SITE = EngineSite(spec=SiteSpec(name="Works"), revision=1, rule_revisions={})


def desk(database: Database, settings: Settings, at: float = 0.0) -> KeepingDesk:
    return KeepingDesk(
        clock=ManualClock(wall=NOON.timestamp() + at),
        database=database,
        settings=settings,
        metrics=EngineMetrics(CollectorRegistry()),
        site=lambda: SITE,
        told=lambda: None,
    )


def alerts_of(database: Database) -> dict[str, bool]:
    """Kinds of alerts, and whether they are over."""
    with database.reading() as session:
        rows = alert_lists.list_alerts(session)
    for row in rows:
        for language in ("ko", "en"):
            assert "{" not in translator(language)(row.message_key, **row.params)
    return {row.kind: row.cleared_at is not None for row in rows}


def test_evidence_that_cannot_be_deleted_and_fills_its_room_is_an_alert_until_there_is_room(
    sqlite_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "evidence" / "v.mp4"
    path.parent.mkdir()
    path.write_bytes(b"x")
    with sqlite_database.transaction() as session:
        evidence.ready(
            session,
            violation_id="v",
            kind="clip",
            path="v.mp4",
            sha256=hashlib.sha256(b"x").hexdigest(),
            size_bytes=950_000_000,
            started_at=NOON,
            ended_at=NOON,
            at=NOON,
        )
    told = Settings(data_dir=tmp_path, evidence_gb=0.9, disk_reserve_gb=0)
    desk(sqlite_database, told).look()
    assert alerts_of(sqlite_database) == {"disk_full": False}
    desk(sqlite_database, told.model_copy(update={"evidence_gb": 1.0}), 60).look()
    assert alerts_of(sqlite_database) == {"disk_full": True, "disk_low": False}
    desk(sqlite_database, told.model_copy(update={"evidence_gb": 2.0}), 120).look()
    assert alerts_of(sqlite_database) == {"disk_full": True, "disk_low": True}
    assert path.exists()


def test_the_trail_is_verified_once_a_day_and_a_broken_one_is_an_alert(
    sqlite_database: Database, tmp_path: Path
) -> None:
    told = Settings(data_dir=tmp_path)
    desk(sqlite_database, told).look()
    assert alerts_of(sqlite_database) == {}
    with sqlite_database.engine.begin() as connection:
        connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE seq = 1"))
    desk(sqlite_database, told, 23 * 3600).look()
    assert alerts_of(sqlite_database) == {}
    desk(sqlite_database, told, 25 * 3600).look()
    assert alerts_of(sqlite_database) == {"record_broken": False}
    with sqlite_database.reading() as session:
        found = audit.list_entries(session, subject="audit")[0].detail["findings"]
    assert found == [{"fault": "changed", "seq": 1}]


def test_another_network_and_another_version_are_noted_once_each(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pose = tmp_path / "pose.onnx"
    pose.write_bytes(b"one")
    told = Settings(data_dir=tmp_path, pose_model=pose)

    def noted(at: float) -> list[tuple[str, str]]:
        versions.record_versions(sqlite_database, told, now=after(at))
        with sqlite_database.reading() as session:
            found = changes_between(session, since=NOON, until=after(1e6))
        return [(each.kind, each.subject) for each in found]

    assert noted(0) == noted(1) == []
    pose.write_bytes(b"two")
    assert noted(2) == noted(3) == [("model", "pose")]
    monkeypatch.setattr(versions, "__version__", "99.0")
    assert noted(4) == [("model", "pose"), ("software", "anjeon")]


def test_sums_of_the_floor_and_of_equipment_are_forgotten_in_time(
    sqlite_database: Database, tmp_path: Path
) -> None:
    day, year = NOON.date(), 365 * 86_400.0
    with sqlite_database.transaction() as session:
        exposure.add(
            session, day.isoformat(), {(0, 0): Amount(person_seconds=60, people=3, violations=0)}
        )
        key = PpeKey(NOON.replace(minute=0, second=0), "cam", "hats", "hardhat")
        ppe_hours.add(session, {key: PpeAmount(zone_id="hall", worn_s=60, stays=1)})

    def kept(later_s: float) -> list[int]:
        desk(sqlite_database, Settings(data_dir=tmp_path, sums_years=2), later_s).look()
        with sqlite_database.reading() as session:
            cells = exposure.sums(session, first="2000-01-01", last="2100-01-01")
            until = NOON.replace(year=2100)
            hours = ppe_hours.counts(
                session, since=NOON.replace(year=2000), until=until, by_rule=True
            )
        return [len(cells), len(hours)]

    assert kept(1.9 * year) == [1, 1]
    assert kept(2.1 * year) == [0, 0]
