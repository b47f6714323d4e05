"""What ``anjeon doctor`` says of plant feeds: connected for real, with what to do."""

from pathlib import Path

import pytest

from safety.app.doctor_feeds import hear_feeds
from safety.clock import SystemClock
from safety.config import Settings
from safety.errors import AnjeonError
from tests.support.ports import free_port
from zones.feeds.base import StateMap
from zones.feeds.http_push import HttpPushSpec, PushedMachine
from zones.feeds.modbus import ModbusPoint, ModbusSpec
from zones.feeds.simulated import SimulatedMachine, SimulatedSpec, SimulatedVehicle
from zones.feeds.specs import AnyFeedSpec
from zones.feeds.twins.machine import SimulatedMachine as Plc
from zones.feeds.vehicles import MachineSpec, VehicleSpec
from zones.plant import PlantSpec

STATES = StateMap(running=(1,), idle=(0,))
PLANT = PlantSpec(
    machines=(MachineSpec(id="press", name="Press"),),
    vehicles=(VehicleSpec(id="amr", name="AMR"),),
)


async def said(tmp_path: Path, spec: AnyFeedSpec) -> tuple[str, str]:
    """The key of what is wrong, and the sentence."""
    plant = PLANT.model_copy(update={"feeds": (spec,)})
    [(name, heard)] = await hear_feeds(Settings(data_dir=tmp_path), plant, SystemClock())
    assert name == "feed"
    return heard.key if isinstance(heard, AnjeonError) else "", str(heard)


def modbus(port: int) -> ModbusSpec:
    points = (ModbusPoint(machine_id="press", table="holding_register", address=3, states=STATES),)
    return ModbusSpec(id="feed", name="PLC", host="127.0.0.1", port=port, poll_s=0.1, points=points)


async def test_a_feed_that_works_is_quoted_one_that_does_not_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    plc = Plc(port=port, address=3)
    async with plc.running():
        await plc.say(1)
        assert "press running" in (await said(tmp_path, modbus(port)))[1]
        await plc.say(7)
        key, sentence = await said(tmp_path, modbus(port))
        assert (key, "'7'" in sentence) == ("doctor.feed_unknown", True)
    assert (await said(tmp_path, modbus(port)))[0] in {"feed.unreachable", "feed.modbus"}
    route = SimulatedVehicle(vehicle_id="amr", route_m=((0, 0), (9, 0)))
    machine = SimulatedMachine(machine_id="press")
    made_up = SimulatedSpec(id="feed", name="S", machines=(machine,), vehicles=(route,))
    key, sentence = await said(tmp_path, made_up)
    assert (key, "amr at" in sentence) == ("", True)
    push = HttpPushSpec(
        id="feed",
        name="P",
        token="env:DOCTOR_TOKEN",
        points=(PushedMachine(machine_id="press", states=STATES),),
    )
    assert (await said(tmp_path, push))[0] == "config.secret_missing"
    monkeypatch.setenv("DOCTOR_TOKEN", "x")
    assert "/feeds/feed" in (await said(tmp_path, push))[1]
