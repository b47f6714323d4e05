"""What every plant feed must do, against a real server of its protocol."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from safety.clock import ManualClock, SystemClock
from tests.support.feeds import KINDS, TOKEN, TOKEN_VARIABLE, Plant, make_plant
from tests.support.requirements import need
from tests.support.waiting import until
from zones.feeds.hub import FeedHub
from zones.feeds.port import FeedPort
from zones.feeds.simulated import SimulatedFeed, SimulatedMachine, SimulatedSpec, SimulatedVehicle
from zones.feeds.vehicles import MachineSpec, VehicleSpec
from zones.plant import PlantSpec

CLOCK = SystemClock()


@pytest.fixture
def plant(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    kind: str = request.param
    if kind in {"vda5050", "mqtt_json", "sparkplug"}:
        need("mosquitto")
    if kind == "opcua":
        pytest.importorskip("asyncua")
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    return make_plant(kind, tmp_path)


@asynccontextmanager
async def following(plant: Plant) -> AsyncIterator[tuple[FeedHub, FeedPort]]:
    """A hub that follows a plant which runs."""
    hub = FeedHub(clock=CLOCK, changed=lambda: None)
    await hub.configure(plant.plant_spec())
    try:
        await plant.start(hub)
        yield hub, hub.ports["feed"]
    finally:
        await plant.stop()
        await hub.close()


def test_the_suite_knows_every_kind_of_feed() -> None:
    from typing import get_args

    from zones.feeds.specs import AnyFeedSpec

    kinds = {spec.model_fields["kind"].default for spec in get_args(AnyFeedSpec)}
    assert kinds == {*KINDS, "simulated"}


@pytest.mark.parametrize("plant", KINDS, indirect=True)
async def test_changes_arrive_and_what_cannot_be_used_is_counted(plant: Plant) -> None:
    async with following(plant) as (hub, port):
        await until(lambda: plant.heard(hub, CLOCK.now()) == "running")
        assert port.connected
        assert port.problem is None
        await plant.say("STOP")
        await until(lambda: plant.heard(hub, CLOCK.now()) == "idle")
        await plant.babble()
        await until(lambda: port.refusals[plant.bad_reason] > 0)
        assert port.last_refusal.startswith(plant.bad_reason)
        await plant.say("RUN")
        await until(lambda: plant.heard(hub, CLOCK.now()) == "running")
        assert port.messages >= 3
        assert port.failures == 0


@pytest.mark.parametrize("plant", KINDS, indirect=True)
async def test_without_its_server_everything_is_unknown_until_it_is_back(plant: Plant) -> None:
    plant.clock_error_s = 3600.0
    async with following(plant) as (hub, port):
        await until(lambda: plant.heard(hub, CLOCK.now()) == "running")
        announced = [notice for notice in port.notices.values() if notice.key == "clock_skew"]
        assert bool(announced) == plant.tells_time
        if announced:
            assert announced[0].params["seconds"] == pytest.approx(3600, abs=5)
        await plant.stop()
        await until(lambda: plant.heard(hub, CLOCK.now()) == "unknown")
        await until(lambda: not port.connected)
        assert port.problem is not None
        await plant.start(hub)
        await until(lambda: plant.heard(hub, CLOCK.now()) == "running")
        assert port.connections >= 2


async def test_the_simulated_plant_keeps_its_rhythm() -> None:
    spec = SimulatedSpec(
        id="feed",
        name="Feed",
        machines=(SimulatedMachine(machine_id="press"),),
        vehicles=(SimulatedVehicle(vehicle_id="amr", route_m=((0, 0), (4, 0), (4, 3))),),
    )
    plant = PlantSpec(
        machines=(MachineSpec(id="press", name="Press"),),
        vehicles=(VehicleSpec(id="amr", name="AMR"),),
        feeds=(spec,),
    )
    hub = FeedHub(clock=CLOCK, changed=lambda: None)
    await hub.configure(plant)
    try:
        await until(lambda: "amr" in hub.poses(CLOCK.now()))
        assert hub.machines(CLOCK.now())[0].state == "running"
    finally:
        await hub.close()
    clock = ManualClock()
    port = FeedPort(
        "feed",
        "simulated",
        machine_ids=spec.machine_ids,
        vehicle_ids=spec.vehicle_ids,
        stale_after_s=5.0,
        clock=clock,
        changed=lambda: None,
    )
    feed = SimulatedFeed(spec, port, vehicles={"amr": plant.vehicles[0]}, clock=clock)
    for seconds, state, place in ((25.0, "idle", (1.0, 0.0)), (41.5, "running", (4.0, 1.5))):
        feed.tell(clock.now(), seconds)
        pose = port.pose("amr", clock.now())
        assert pose is not None
        assert port.state("press", clock.now())[0] == state
        assert (pose.x_m, pose.y_m) == pytest.approx(place)
