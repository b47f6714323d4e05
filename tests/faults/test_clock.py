"""The wall clock jumps by an hour: durations, holds and coverage do not."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from safety.demo import SITE
from tests.support.mosquitto import Mosquitto
from tests.support.plant import MakePlant, SirenLog, cell_site, mqtt_siren
from tests.support.requirements import need

SOURCE = {"kind": "file", "path": str(SITE.parent / "scenes" / "cell_intrusion.mp4")}
LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("hours", [pytest.param(1, marks=pytest.mark.faults_long), -1])
def test_a_clock_jump_loses_no_alert_and_changes_no_duration(
    make_plant: MakePlant,
    mosquitto: Mosquitto,
    siren: SirenLog,
    tmp_path: Path,
    hours: int,
    cost: Callable[..., None],
) -> None:
    need("faketime")
    library = next((path for path in LIBRARIES if Path(path).exists()), None)
    if library is None:
        pytest.skip("libfaketime is not where Debian puts it")
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    plant = make_plant(
        cell_site(SOURCE, [mqtt_siren(mosquitto)]),
        environment={
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(offset),
            "FAKETIME_NO_CACHE": "1",
            # Only the wall clock jumps, as on a real machine.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        },
    )
    begun = plant.clock.now().monotonic
    plant.start("engine")
    plant.wait_for(lambda: len(plant.violations()) >= 1, why="one before the jump")
    plant.wait_for(lambda: siren.level == "off", why="the siren is quiet again")
    sounded = siren.times("danger")
    offset.write_text(f"{hours * 3600:+d}\n")
    plant.wait_for(lambda: siren.times("danger") > sounded, why="it sounds after the jump")
    plant.wait_for(lambda: siren.level == "off", why="and ends")
    plant.wait_for(
        lambda: sum(v.phase == "closed" for v in plant.violations()) >= 2, why="both are closed"
    )
    lasted = plant.clock.now().monotonic - begun
    for violation in plant.violations():
        assert 0 <= (violation.duration_s or 0) < 30
    rows = plant.coverage("cell")
    assert sum(row.seconds for row in rows) <= lasted + 1
    assert sum(row.seconds for row in rows if row.state == "blind") < 300
    steps = [
        (b.started_at - a.ended_at).total_seconds()
        for a, b in itertools.pairwise(rows)
        if a.ended_at is not None
    ]
    assert any(abs(step - hours * 3600) < 5 for step in steps), "the record shows the jump"
    found = {v.id for v in plant.violations()}
    lost = len(found - {alert.violation_id for alert in plant.alerts()})
    way = "ahead" if hours > 0 else "back"
    how = "libfaketime; the monotonic clock goes on"
    cost(
        "Clock", f"jumps an hour {way}", how, alerts=len(found), lost=lost, covered=True,
        sounded=True,
    )  # fmt: skip
