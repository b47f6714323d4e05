"""The record is away: sirens sound, violations wait, and each is written exactly once."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from safety.demo import SITE
from tests.faults.test_processes import unique_alerts
from tests.support.mosquitto import Mosquitto
from tests.support.plant import MakePlant, Plant, SirenLog, cell_site, mqtt_siren
from tests.support.postgres import PostgresServer
from tests.support.small_disk import MakeSmallDisk
from tests.support.waiting import wait_until

HOLDER = str(Path(__file__).resolve().parents[1] / "support" / "database_holder.py")
SOURCE = {"kind": "file", "path": str(SITE.parent / "scenes" / "cell_intrusion.mp4")}


@pytest.mark.timeout(300)
def test_a_full_disk_silences_nothing_and_loses_nothing(
    make_small_disk: MakeSmallDisk,
    tmp_path: Path,
    mosquitto: Mosquitto,
    siren: SirenLog,
    cost: Callable[..., None],
) -> None:
    disk = make_small_disk(tmp_path / "disk", "24m")
    plant = Plant(disk.path, cell_site(SOURCE, [mqtt_siren(mosquitto)]))
    try:
        quiet_plant(plant, siren)
        disk.fill()
        found = _sounds_but_is_not_recorded(plant, siren, restore=disk.empty)
    finally:
        plant.stop()
    cost("Machine", "disk full", "not a byte is left on it", alerts=found, sounded=True)


@pytest.mark.faults_long
@pytest.mark.timeout(300)
def test_a_locked_database_silences_nothing_and_loses_nothing(
    make_plant: MakePlant, mosquitto: Mosquitto, siren: SirenLog, cost: Callable[..., None]
) -> None:
    plant = make_plant(cell_site(SOURCE, [mqtt_siren(mosquitto)]))
    quiet_plant(plant, siren)
    holder = subprocess.Popen(
        [sys.executable, HOLDER, str(plant.settings.data_dir / "anjeon.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    found = _sounds_but_is_not_recorded(plant, siren, restore=holder.communicate)
    how = "another program holds its write lock; a whole plant"
    cost("Database", "SQLite locked for an alarm", how, alerts=found, sounded=True)


@pytest.mark.faults_long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", ["stopped", "standby"])
def test_a_postgresql_that_takes_nothing_silences_nothing_and_loses_nothing(
    make_plant: MakePlant,
    mosquitto: Mosquitto,
    siren: SirenLog,
    postgres_server: PostgresServer,
    new_postgres_url: Callable[[], str],
    fault: str,
    cost: Callable[..., None],
) -> None:
    site = cell_site(SOURCE, [mqtt_siren(mosquitto)])
    plant = make_plant(site, database_url=new_postgres_url())
    quiet_plant(plant, siren)
    with postgres_server.unwell(fault) as restore:
        found = _sounds_but_is_not_recorded(plant, siren, restore=restore)
    # Its connections would keep the database from being dropped.
    plant.stop()
    name = {"standby": "PostgreSQL fails over during an alarm"}.get(
        fault, "PostgreSQL stopped during an alarm"
    )
    cost("Database", name, "a whole plant", alerts=found, sounded=True)


def quiet_plant(plant: Plant, siren: SirenLog) -> None:
    """Start the engine and wait until it watches and nothing sounds."""
    plant.start("engine")
    plant.wait_live("cell")
    plant.wait_for(lambda: siren.level == "off", why="the siren is quiet")


def _sounds_but_is_not_recorded(
    plant: Plant, siren: SirenLog, *, restore: Callable[[], object]
) -> int:
    """Wait for an alarm while the record is away, bring it back, compare; how many there were."""
    before = siren.times("danger")
    wait_until(lambda: siren.times("danger") > before)
    wait_until(lambda: siren.level == "off")
    plant.wait_for(lambda: plant.readiness().get("store") == "unavailable", why="readiness says so")
    sounded = [c for c in siren.changes() if c["level"] == "danger"][before:]
    restore()
    plant.wait_for(lambda: plant.readiness().get("store") == "ok", why="the record is back")
    plant.wait_for(
        lambda: len(plant.violations()) >= before + len(sounded),
        why="what sounded is on record",
    )
    plant.wait_for(
        lambda: {v.id for v in plant.violations()} == unique_alerts(plant),
        why="each violation has one alert",
    )
    return len(plant.violations())
