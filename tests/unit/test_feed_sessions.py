"""Feeds one by one: births and deaths, registers and bits, retained messages, new settings."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from safety.clock import ManualClock, SystemClock
from safety.site.document import parse_site
from safety.types import MachineState
from tests.support.feeds import STATES, MqttJsonPlant, SparkplugPlant
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_port
from tests.support.requirements import need
from tests.support.waiting import until
from zones.feeds.hub import FeedHub
from zones.feeds.modbus import ModbusPoint, ModbusSpec
from zones.feeds.mqtt_json import MqttJsonFeed, MqttJsonSpec, MqttPoint
from zones.feeds.payload import Refused
from zones.feeds.port import FeedPort
from zones.feeds.simulated import CycleStep, SimulatedMachine, SimulatedSpec
from zones.feeds.sparkplug import SparkplugFeed, SparkplugPoint, SparkplugSpec
from zones.feeds.sparkplug_payload import INT64, TEXT, Metric, Payload, write_payload
from zones.feeds.twins.machine import SimulatedMachine as ModbusTwin
from zones.feeds.vehicles import MachineSpec
from zones.plant import PlantSpec

CLOCK = SystemClock()
DOCS = Path(__file__).parents[2] / "docs" / "feeds.md"


class Node:
    """A Sparkplug feed without a broker, and a node that speaks to it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.port = FeedPort(
            "feed",
            "sparkplug",
            machine_ids=("press",),
            vehicle_ids=(),
            stale_after_s=60.0,
            clock=self.clock,
            changed=lambda: None,
        )
        spec = SparkplugSpec(
            id="feed",
            name="Feed",
            host="broker",
            group="hall",
            points=(
                SparkplugPoint(
                    machine_id="press", node="gw", device="press", metric="Mode", states=STATES
                ),
            ),
        )
        self.feed = SparkplugFeed(spec, self.port, clock=self.clock)
        self.seq = -1

    @property
    def state(self) -> str:
        return self.port.state("press", self.clock.now())[0].value

    def send(self, topic: str, *metrics: Metric, seq: int | None = None) -> None:
        self.seq = (self.seq + 1) % 256 if seq is None else seq
        number = None if topic.startswith("NDEATH") else self.seq
        payload = Payload(timestamp=1_710_000_000_000, seq=number, metrics=metrics)
        kind, _, rest = topic.partition("/")
        self.feed.take(f"spBv1.0/hall/{kind}/{rest}", write_payload(payload), retained=False)

    def bear(self, life: int = 1) -> None:
        self.send("NBIRTH/gw", Metric(name="bdSeq", datatype=INT64, value=life), seq=0)
        self.send("DBIRTH/gw/press", Metric(name="Mode", alias=3, datatype=TEXT, value="RUN"))


def mode(value: str) -> Metric:
    return Metric(alias=3, datatype=TEXT, value=value)


def test_a_node_lives_from_birth_to_death() -> None:
    node = Node()
    assert node.state == "unknown"
    node.bear()
    assert node.state == "running"
    node.send("DDATA/gw/press", mode("STOP"))
    assert node.state == "idle"
    node.send("DDEATH/gw/press")
    assert node.state == "unknown"
    node.send("DBIRTH/gw/press", Metric(name="Mode", alias=3, datatype=TEXT, value="STOP"))
    assert node.state == "idle"
    node.send("NDEATH/gw", Metric(name="bdSeq", datatype=INT64, value=1))
    assert node.state == "unknown"


def test_the_death_of_an_earlier_life_ends_nothing() -> None:
    node = Node()
    node.bear(life=2)
    node.send("NDEATH/gw", Metric(name="bdSeq", datatype=INT64, value=1))
    assert node.state == "running"


def test_numbers_go_round_and_a_gap_makes_everything_unknown_until_the_next_birth() -> None:
    node = Node()
    node.bear()
    for turn in range(300):
        node.send("DDATA/gw/press", mode("STOP" if turn % 2 else "RUN"))
    assert node.port.refusals == {}
    node.send("DDATA/gw/press", mode("STOP"), seq=(node.seq + 2) % 256)
    assert node.state == "unknown"
    assert node.port.refusals == {"stale": 1}
    with pytest.raises(Refused):
        node.send("DDATA/gw/press", mode("STOP"))
    assert node.state == "unknown"
    node.bear()
    assert node.state == "running"


@pytest.mark.parametrize(
    "say",
    [
        lambda node: node.send("DDATA/gw/press", mode("STOP")),
        lambda node: node.send("NDATA/gw", mode("STOP")),
        lambda node: node.send("DDATA/gw/other", mode("STOP")),
    ],
)
def test_data_without_a_birth_is_not_used(say: Callable[[Node], None]) -> None:
    node = Node()
    with pytest.raises(Refused):
        say(node)
    assert node.state == "unknown"


def test_a_value_that_is_null_or_unknown_makes_the_machine_unknown() -> None:
    node = Node()
    node.bear()
    node.send("DDATA/gw/press", mode("DANCING"))
    assert node.state == "unknown"


async def test_a_frozen_broker_makes_a_quiet_node_unknown(tmp_path: Path) -> None:
    need("mosquitto")
    plant = SparkplugPlant(Mosquitto(tmp_path))
    hub = FeedHub(clock=CLOCK, changed=lambda: None)
    await hub.configure(plant.plant_spec())
    await plant.start(hub)
    try:
        await until(lambda: plant.heard(hub, CLOCK.now()) == "running")
        plant.broker.freeze()
        await until(lambda: plant.heard(hub, CLOCK.now()) == "unknown")
        plant.broker.thaw()
        await until(lambda: plant.heard(hub, CLOCK.now()) == "running")
    finally:
        await plant.stop()
        await hub.close()


def test_retained_messages_and_those_of_other_shapes_are_not_used(tmp_path: Path) -> None:
    spec, clock = MqttJsonPlant(Mosquitto(tmp_path)).spec, ManualClock()
    assert isinstance(spec, MqttJsonSpec)
    whole = MqttPoint(machine_id="lathe", topic="hall/lathe", states=STATES)
    spec = spec.model_copy(update={"points": (*spec.points, whole)})
    port = FeedPort(
        "feed",
        "mqtt_json",
        machine_ids=spec.machine_ids,
        vehicle_ids=(),
        stale_after_s=60.0,
        clock=clock,
        changed=lambda: None,
    )
    feed = MqttJsonFeed(spec, port, clock=clock)
    feed.take("hall/lathe", b'"STOP"', retained=False)
    assert port.state("lathe", clock.now())[0] == "idle"
    for payload in (b"{}", b'{"mode": []}', b'{"mode": [1]}', b'{"mode": [1], "at": "x"}'):
        feed.take("hall/press", payload, retained=False)
    assert port.state("press", clock.now()) == (MachineState.UNKNOWN, "never_heard")
    assert sum(port.refusals.values()) == 4
    with pytest.raises(Refused) as refused:
        feed.take("hall/lathe", b'"RUN"', retained=True)
    assert refused.value.reason == "retained"
    assert port.state("lathe", clock.now())[0] == "idle"


async def test_every_table_a_bit_and_an_address_that_is_not_there() -> None:
    port_number = free_port()
    points = tuple(
        ModbusPoint.model_validate({"machine_id": name, "states": STATES, **where})
        for name, where in {
            "coil": {"table": "coil", "address": 2},
            "input": {"table": "discrete_input", "address": 2},
            "register": {"table": "input_register", "address": 2},
            "bit": {"table": "holding_register", "address": 2, "bit": 4},
            "nowhere": {"table": "holding_register", "address": 900},
        }.items()
    )
    spec = ModbusSpec(
        id="feed", name="Feed", host="127.0.0.1", port=port_number, poll_s=0.05, points=points
    )
    machines = tuple(MachineSpec(id=each.machine_id, name=each.machine_id) for each in points)
    hub = FeedHub(clock=CLOCK, changed=lambda: None)
    twin = ModbusTwin(port=port_number, address=2)

    def states() -> dict[str, str]:
        return {each.machine_id: each.state.value for each in hub.machines(CLOCK.now())}

    async with twin.running():
        await twin.say(0b10000)
        await hub.configure(PlantSpec(machines=machines, feeds=(spec,)))
        await until(lambda: "unknown" not in {v for k, v in states().items() if k != "nowhere"})
        assert states() == {
            "coil": "idle",
            "input": "idle",
            "register": "idle",
            "bit": "running",
            "nowhere": "unknown",
        }
        assert set(hub.ports["feed"].refusals) == {"bad_quality"}
        await twin.say(0b01111)
        await until(lambda: states()["bit"] == "idle")
        await hub.close()


async def test_new_settings_leave_other_feeds_alone_and_forget_what_is_gone() -> None:
    def feed(feed_id: str, state: MachineState) -> SimulatedSpec:
        step = CycleStep(state=state, seconds=60)
        return SimulatedSpec(
            id=feed_id,
            name=feed_id,
            machines=(SimulatedMachine(machine_id=f"m-{feed_id}", cycle=(step,)),),
        )

    machines = (MachineSpec(id="m-a", name="A"), MachineSpec(id="m-b", name="B"))
    idle, running = MachineState.IDLE, MachineState.RUNNING
    hub = FeedHub(clock=CLOCK, changed=lambda: None)

    def states() -> list[str]:
        return [each.state.value for each in hub.machines(CLOCK.now())]

    try:
        await hub.configure(PlantSpec(machines=machines, feeds=(feed("a", idle), feed("b", idle))))
        await until(lambda: states() == ["idle", "idle"])
        before = dict(hub.ports)
        await hub.configure(
            PlantSpec(machines=machines, feeds=(feed("a", idle), feed("b", running)))
        )
        assert hub.ports["a"] is before["a"]
        assert hub.ports["b"] is not before["b"]
        await until(lambda: states() == ["idle", "running"])
        await hub.configure(PlantSpec(machines=machines, feeds=(feed("a", idle),)))
        assert states() == ["idle", "unknown"]
        assert hub.machines(CLOCK.now())[1].reason == "no_feed"
    finally:
        await hub.close()


def test_every_example_in_the_documentation_is_a_site() -> None:
    head = (
        "version: 1\nname: X\nplant:\n  machines: [{id: press-3, name: P}]\n"
        "  vehicles: [{id: amr-1, name: A}]\n  feeds:\n"
    )
    point = "    - id: m\n      name: M\n      kind: mqtt_json\n      host: b\n"
    found = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) >= 6
    for text in found:
        if text.startswith("plant:"):
            site = parse_site(f"version: 1\nname: X\n{text}")
        else:
            site = parse_site(head + (point if text.lstrip().startswith("points:") else "") + text)
        assert site.plant.feeds


@pytest.mark.parametrize(
    ("plant", "why"),
    [
        ({"feeds": [{"machine": "pres"}]}, "did you mean 'press'"),
        ({"feeds": [{"machine": "press"}, {"machine": "press", "id": "b"}]}, "reported twice"),
        ({"feeds": [{"machine": "press"}, {"machine": "lathe"}]}, "two feeds are called 'a'"),
        ({"machines": ["press", "press"]}, "two machines are called 'press'"),
    ],
)
def test_plants_that_do_not_fit_together(plant: dict[str, list[object]], why: str) -> None:
    machines = plant.get("machines", ["press", "lathe"])
    feeds = [
        {
            "id": each.get("id", "a"),
            "name": "F",
            "kind": "simulated",
            "machines": [{"machine_id": each["machine"]}],
        }
        for each in plant.get("feeds", [])
        if isinstance(each, dict)
    ]
    with pytest.raises(ValueError, match=why):
        PlantSpec.model_validate(
            {"machines": [{"id": each, "name": "M"} for each in machines], "feeds": feeds}
        )
