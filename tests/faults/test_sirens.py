"""The broker is away, or somebody else commands the same siren."""

import json
from collections.abc import Callable

import paho.mqtt.publish
import pytest

from safety.demo import SITE
from tests.faults.test_processes import crowded, unique_alerts
from tests.support.mosquitto import Mosquitto
from tests.support.plant import RECORDING, MakePlant, SirenLog, cell_site, mqtt_siren

SOURCE = {"kind": "file", "path": str(SITE.parent / "scenes" / "cell_intrusion.mp4")}
OUTAGE_S = 20.0


@pytest.mark.timeout(300)
def test_a_broker_that_is_away_for_20_s_costs_no_alert_and_the_siren_sounds_when_it_is_back(
    make_plant: MakePlant, mosquitto: Mosquitto, siren: SirenLog, cost: Callable[..., None]
) -> None:
    site = crowded(cell_site(SOURCE, [mqtt_siren(mosquitto), RECORDING]))
    plant = make_plant(site)
    plant.start("engine")
    plant.wait_for(lambda: siren.level == "danger", why="the siren sounds")
    mosquitto.stop()
    plant.clock.sleep(OUTAGE_S)
    assert siren.level == "off", "without word the siren goes quiet by itself"
    plant.wait_for(lambda: len(plant.alerts("channel_failed")) == 1, why="somebody is told")
    mosquitto.start()
    plant.wait_for(lambda: siren.level == "danger", why="it sounds again")
    plant.wait_for(
        lambda: plant.alerts("channel_failed")[0].cleared_at is not None, why="that is cleared"
    )
    plant.wait_for(
        lambda: {v.id for v in plant.violations()} == unique_alerts(plant),
        why="each violation has one alert",
    )
    how = "the MQTT broker is killed and started again; the siren sounds again"
    found = len(plant.violations())
    cost("Siren", f"broker away for {OUTAGE_S:.0f} s", how, alerts=found, sounded=True)


@pytest.mark.timeout(300)
def test_another_client_that_silences_the_siren_is_overruled_while_the_danger_lasts(
    make_plant: MakePlant, mosquitto: Mosquitto, siren: SirenLog, cost: Callable[..., None]
) -> None:
    plant = make_plant(crowded(cell_site(SOURCE, [mqtt_siren(mosquitto)])))
    plant.start("engine")
    plant.wait_for(lambda: siren.level == "danger", why="the siren sounds")
    sounded = siren.times("danger")
    paho.mqtt.publish.single(
        "plant/siren/set",
        json.dumps({"level": "off", "on": False, "ttl_s": 60.0}),
        hostname=mosquitto.host,
        port=mosquitto.port,
    )
    plant.wait_for(lambda: siren.times("danger") > sounded, why="we assert it again")
    cost("Siren", "somebody else silences it", "another client commands it off", sounded=True)
