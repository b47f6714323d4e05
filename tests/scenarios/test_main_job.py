"""The main job on real parts: RTSP in, siren out, record kept, nobody alarmed for nothing."""

import hashlib
import subprocess
from pathlib import Path

import av
import pytest

from safety.demo import SITE
from tests.support.mosquitto import Mosquitto
from tests.support.plant import (
    CELL_POLYGON,
    RECORDING,
    MakePlant,
    Plant,
    SirenLog,
    cell_site,
    mqtt_siren,
)
from tests.support.rtsp import RtspServer
from tests.support.third_party import third_party

SCENES = SITE.parent / "scenes"
FLOOR_MARKS = [[0.02, 0.30], [0.98, 0.30], [0.98, 0.98], [0.02, 0.98]]
"""Most of the floor in the clip of a worker who walks through marked zones."""


def ready_evidence(plant: Plant, violation_id: str) -> dict[str, Path]:
    """Complete files of a violation, by kind."""
    rows = [row for row in plant.evidence() if row.violation_id == violation_id]
    return {
        row.kind: plant.settings.evidence_dir / row.path
        for row in rows
        if row.state == "ready" and row.path
    }


@pytest.mark.timeout(300)
def test_a_worker_in_the_robot_cell_sounds_the_siren_once_and_is_on_record(
    make_plant: MakePlant, mosquitto: Mosquitto, siren: SirenLog
) -> None:
    with RtspServer({"cell": SCENES / "cell_intrusion.mp4"}) as server:
        source = {"kind": "rtsp", "url": server.url("cell")}
        plant = make_plant(
            cell_site(source, [mqtt_siren(mosquitto), RECORDING], hold_to_open_s=0.2)
        )
        plant.start("engine")
        plant.wait_for(lambda: siren.times("danger") == 1, why="the siren sounds")
        plant.wait_for(lambda: siren.level == "off", why="the siren ends with the danger")
        (violation,) = plant.violations()
        plant.wait_for(
            lambda: set(ready_evidence(plant, violation.id)) == {"clip", "picture"},
            why="evidence is complete",
        )
        assert violation.siren_latency_s is not None
        (alert,) = plant.alerts()
        assert (alert.state, alert.violation_id) == ("raised", violation.id)
        plant.wait_for(lambda: plant.violations()[0].phase == "closed", why="it closes")
        assert 2.0 < (plant.violations()[0].duration_s or 0) < 7.0
        for row in plant.evidence():
            data = (plant.settings.evidence_dir / str(row.path)).read_bytes()
            assert hashlib.sha256(data).hexdigest() == row.sha256
        with av.open(str(ready_evidence(plant, violation.id)["clip"])) as clip:
            frames = sum(1 for _ in clip.decode(video=0))
        assert frames > 50
        plant.wait_for(
            lambda: (
                {d.event: d.state for d in plant.deliveries()}
                == {"raised": "delivered", "cleared": "delivered"}
            ),
            why="both notices are delivered",
        )


@pytest.mark.timeout(300)
@pytest.mark.third_party
def test_a_real_worker_walking_through_marked_zones_is_found(
    make_plant: MakePlant, mosquitto: Mosquitto, siren: SirenLog
) -> None:
    clip = third_party("clips/worker-zone.mp4")
    with RtspServer({"cell": clip}) as server:
        site = cell_site({"kind": "rtsp", "url": server.url("cell")}, [mqtt_siren(mosquitto)])
        site["zones"][0]["polygon"] = FLOOR_MARKS
        plant = make_plant(site)
        plant.start("engine")
        plant.wait_for(lambda: siren.times("danger") >= 1, why="the siren sounds")
        plant.wait_for(lambda: len(plant.alerts()) >= 1, why="the alert is on record")


@pytest.mark.timeout(300)
def test_five_busy_workers_outside_the_zone_alarm_nobody(
    make_plant: MakePlant, mosquitto: Mosquitto, siren: SirenLog
) -> None:
    with RtspServer({"hall": SCENES / "busy_quiet.mp4"}) as server:
        site = cell_site({"kind": "rtsp", "url": server.url("hall")}, [mqtt_siren(mosquitto)])
        site["zones"][0]["polygon"] = [
            [0.76238, 0.50528], [0.81245, 0.43587], [0.61771, 0.36589], [0.55122, 0.4133],
        ]  # fmt: skip
        plant = make_plant(site)
        plant.start("engine")
        plant.wait_live("cell")
        analysed = "anjeon_camera_frames_analysed"
        plant.wait_for(
            lambda: (plant.metric(analysed, camera="cell") or 0) > 150, why="the film has run"
        )
        assert plant.violations() == []
        assert siren.changes() == []


@pytest.mark.timeout(300)
def test_acknowledging_silences_the_siren_while_the_violation_lasts(
    make_plant: MakePlant, mosquitto: Mosquitto, siren: SirenLog
) -> None:
    """The acknowledgement reaches the engine through the record alone."""
    from datetime import UTC, datetime

    from safety.store import alerts

    site = cell_site(
        {"kind": "file", "path": str(SCENES / "cell_intrusion.mp4")}, [mqtt_siren(mosquitto)]
    )
    # The whole picture: somebody is always inside.
    site["zones"][0]["polygon"] = [[0.01, 0.01], [0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]
    site["rules"][0]["hold_to_close_s"] = 30.0
    plant = make_plant(site)
    plant.start("engine")
    plant.wait_for(lambda: siren.level == "danger", why="the siren sounds")
    plant.wait_for(lambda: len(plant.alerts()) >= 1, why="the alert is on record")

    def silenced() -> bool:
        with plant.database.transaction() as session:
            for alert in plant.alerts():
                if alert.state == "raised":
                    alerts.acknowledge(session, alert.id, by="tester", at=datetime.now(UTC))
        return siren.level == "off"

    plant.wait_for(silenced, why="acknowledging ends the sound")
    assert any(row.phase != "closed" for row in plant.violations())


@pytest.mark.timeout(300)
def test_a_changed_zone_reaches_the_running_shard(make_plant: MakePlant) -> None:
    site = cell_site({"kind": "file", "path": str(SCENES / "cell_intrusion.mp4")}, [RECORDING])
    site["rules"][0]["enabled"] = False
    plant = make_plant(site)
    plant.start("engine")
    plant.wait_live("cell")
    (before,) = plant.shards()
    reconnects = plant.metric("anjeon_camera_reconnects", camera="cell")
    site["rules"][0]["enabled"] = True
    site["zones"][0]["polygon"] = CELL_POLYGON
    plant.apply(site)
    plant.wait_for(lambda: len(plant.violations()) >= 1, why="the new rule is evaluated")
    (after,) = plant.shards()
    assert after.pid == before.pid
    assert plant.metric("anjeon_camera_reconnects", camera="cell") == reconnects
    assert plant.violations()[0].rule_revision == 2


@pytest.mark.timeout(300)
def test_the_demo_command_runs_unattended_and_says_when_the_siren_sounded() -> None:
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "safety.cli", "demo", "--seconds", "45", "--headless"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "first alert reached the siren after" in done.stdout
    assert "/login/once?token=" in done.stdout
