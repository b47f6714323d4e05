"""The record is away: sirens sound, violations wait, and each is written exactly once."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from safety.demo import SITE
from tests.faults.test_processes import unique_alerts
from tests.support.mosquitto import Mosquitto
from tests.support.plant import MakePlant, Plant, SirenLog, cell_site, mqtt_siren
from tests.support.waiting import wait_until

HOLDER = str(Path(__file__).resolve().parents[1] / "support" / "database_holder.py")
SOURCE = {"kind": "file", "path": str(SITE.parent / "scenes" / "cell_intrusion.mp4")}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Use up every byte."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2
    return ballast


@pytest.mark.timeout(180)
def test_a_full_disk_silences_nothing_and_loses_nothing(
    small_disk: Path, mosquitto: Mosquitto, siren: SirenLog
) -> None:
    plant = Plant(small_disk, cell_site(SOURCE, [mqtt_siren(mosquitto)]))
    try:
        plant.start("engine")
        plant.wait_live("cell")
        plant.wait_for(lambda: siren.level == "off", why="the siren is quiet")
        ballast = fill(small_disk)
        _sounds_but_is_not_recorded(plant, siren, restore=ballast.unlink)
    finally:
        plant.stop()


@pytest.mark.timeout(180)
def test_a_locked_database_silences_nothing_and_loses_nothing(
    make_plant: MakePlant, mosquitto: Mosquitto, siren: SirenLog
) -> None:
    plant = make_plant(cell_site(SOURCE, [mqtt_siren(mosquitto)]))
    plant.start("engine")
    plant.wait_live("cell")
    plant.wait_for(lambda: siren.level == "off", why="the siren is quiet")
    holder = subprocess.Popen(
        [sys.executable, HOLDER, str(plant.settings.data_dir / "anjeon.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"

    def release() -> None:
        holder.communicate()

    _sounds_but_is_not_recorded(plant, siren, restore=release)


def _sounds_but_is_not_recorded(
    plant: Plant, siren: SirenLog, *, restore: Callable[[], object]
) -> None:
    """Wait for an alarm while the record is away, bring it back, compare."""
    before = siren.times("danger")
    wait_until(lambda: siren.times("danger") > before, limit_s=40)
    wait_until(lambda: siren.level == "off", limit_s=30)
    plant.wait_for(lambda: plant.readiness().get("store") == "unavailable", why="readiness says so")
    sounded = [c for c in siren.changes() if c["level"] == "danger"][before:]
    restore()
    plant.wait_for(
        lambda: plant.readiness().get("store") == "ok", limit_s=60, why="the record is back"
    )
    plant.wait_for(
        lambda: len(plant.violations()) >= before + len(sounded),
        limit_s=60,
        why="what sounded is on record",
    )
    plant.wait_for(
        lambda: {v.id for v in plant.violations()} == unique_alerts(plant),
        why="each violation has one alert",
    )
