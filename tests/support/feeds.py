"""Plants for the feeds' contract suite: a real server for every protocol, which can be killed."""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
from prometheus_client import CollectorRegistry

from safety.clock import Instant, SystemClock
from safety.engine.http import create_metrics_app, serving
from safety.ports import listen
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_port
from zones.feeds.base import StateMap
from zones.feeds.http_push import HttpPushSpec, PushedMachine
from zones.feeds.hub import FeedHub
from zones.feeds.modbus import ModbusPoint, ModbusSpec
from zones.feeds.mqtt_json import MqttJsonSpec, MqttPoint
from zones.feeds.mtconnect import MtConnectPoint, MtConnectSpec
from zones.feeds.opcua import OpcUaPoint, OpcUaSpec
from zones.feeds.sparkplug import SparkplugPoint, SparkplugSpec
from zones.feeds.sparkplug_payload import (
    BOOLEAN,
    INT64,
    TEXT,
    Metric,
    Payload,
    read_payload,
    write_payload,
)
from zones.feeds.specs import AnyFeedSpec
from zones.feeds.twins.machine import SimulatedMachine
from zones.feeds.vda5050 import Vda5050Spec, VdaVehicle
from zones.feeds.vda5050_map import MapPoint, VdaMap
from zones.feeds.vehicles import MachineSpec, VehicleSpec
from zones.plant import PlantSpec

STALE_S = 1.0
STATES = StateMap(running=("RUN", 1), idle=("STOP", 0))
TOKEN = "a-long-enough-token"
TOKEN_VARIABLE = "ANJEON_TEST_PUSH_TOKEN"


class Plant(ABC):
    """One machine (or vehicle) behind one protocol.

    Attributes:
        spec: The feed that reads it.
        tells_time: Whether its messages carry the sender's time, so that its clock can be wrong.
        bad_reason: What a bad message is refused as.
        clock_error_s: How far the sender's clock is ahead.
    """

    spec: AnyFeedSpec
    tells_time = False
    bad_reason = "schema"

    def __init__(self) -> None:
        self.clock_error_s = 0.0
        self.says = "RUN"
        self._tasks = AsyncExitStack()

    @property
    def now(self) -> float:
        """Unix seconds by the sender's clock."""
        return SystemClock().now().wall + self.clock_error_s

    def plant_spec(self) -> PlantSpec:
        """The site's plant with this feed alone."""
        return PlantSpec(machines=(MachineSpec(id="press", name="Press"),), feeds=(self.spec,))

    def heard(self, hub: FeedHub, now: Instant) -> str:
        """``running``, ``idle`` or ``unknown``."""
        return hub.machines(now)[0].state.value

    async def start(self, hub: FeedHub) -> None:
        """Begin to serve."""
        self._tasks = AsyncExitStack()
        await self._tasks.enter_async_context(self.serving(hub))

    async def stop(self) -> None:
        """Vanish as a machine without power does."""
        await self._tasks.aclose()

    @abstractmethod
    def serving(self, hub: FeedHub) -> Any:
        """An asynchronous context manager during which it serves."""

    @abstractmethod
    async def say(self, value: str) -> None:
        """Change to ``RUN`` or ``STOP``."""

    @abstractmethod
    async def babble(self) -> None:
        """Send something that cannot be used."""


@asynccontextmanager
async def repeating(work: Any, period_s: float = 0.15) -> AsyncIterator[None]:
    """Do something again and again; errors of the network are passed over."""

    async def loop() -> None:
        while True:
            with suppress(aiomqtt.MqttError, httpx.HTTPError, OSError):
                await work()
            await asyncio.sleep(period_s)

    task = asyncio.create_task(loop())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class MqttPlant(Plant):
    """A publisher on a broker; it dies with the broker."""

    def __init__(self, broker: Mosquitto) -> None:
        super().__init__()
        self.broker = broker

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        async with aiomqtt.Client(self.broker.host, self.broker.port) as client:
            await client.publish(topic, payload, qos=1, retain=retain)

    async def stop(self) -> None:
        self.broker.stop()
        await super().stop()

    @asynccontextmanager
    async def serving(self, hub: FeedHub) -> AsyncIterator[None]:
        self.broker.start()
        async with self.publishing():
            yield

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[None]:
        async with aiomqtt.Client(self.broker.host, self.broker.port) as client:

            async def once() -> None:
                for topic, payload in self.messages():
                    await client.publish(topic, payload)

            async with repeating(once):
                yield

    def messages(self) -> list[tuple[str, bytes]]:
        """What it says now."""
        return []

    async def say(self, value: str) -> None:
        self.says = value


class MqttJsonPlant(MqttPlant):
    """A machine that publishes JSON."""

    tells_time = True
    bad_reason = "not_json"

    def __init__(self, broker: Mosquitto) -> None:
        super().__init__(broker)
        point = MqttPoint(
            machine_id="press",
            topic="hall/press",
            value="/mode/0",
            time="/at",
            states=STATES,
        )
        self.spec = MqttJsonSpec(
            id="feed",
            name="Feed",
            host=broker.host,
            port=broker.port,
            stale_after_s=STALE_S,
            points=(point,),
        )

    def messages(self) -> list[tuple[str, bytes]]:
        return [("hall/press", json.dumps({"mode": [self.says], "at": self.now}).encode())]

    async def babble(self) -> None:
        await self.publish("hall/press", b'{"mode": [NaN]}')


class VdaPlant(MqttPlant):
    """An AMR that stands at x = 2 (running) or x = 4 (idle)."""

    tells_time = True

    def __init__(self, broker: Mosquitto) -> None:
        super().__init__(broker)
        corners = (((0, 0), (1, 1)), ((10, 0), (11, 1)), ((10, 10), (11, 11)))
        self.number = 0
        self.spec = Vda5050Spec(
            id="feed",
            name="Feed",
            host=broker.host,
            port=broker.port,
            vehicles=(VdaVehicle(vehicle_id="amr", manufacturer="demo", serial="1"),),
            maps=(
                VdaMap(
                    map_id="hall",
                    points=tuple(MapPoint(map_m=a, plan_m=b) for a, b in corners),
                ),
            ),
        )

    def plant_spec(self) -> PlantSpec:
        return PlantSpec(vehicles=(VehicleSpec(id="amr", name="AMR"),), feeds=(self.spec,))

    def heard(self, hub: FeedHub, now: Instant) -> str:
        pose = hub.poses(now).get("amr")
        if pose is None:
            assert "amr" in hub.lost(now)
            return "unknown"
        return {3.0: "running", 5.0: "idle"}[round(pose.x_m, 3)]

    def messages(self) -> list[tuple[str, bytes]]:
        self.number += 1
        body = {
            "headerId": self.number,
            "timestamp": datetime.fromtimestamp(self.now, UTC).isoformat(),
            "version": "2.1.0",
            "manufacturer": "demo",
            "serialNumber": "1",
            "agvPosition": {
                "x": 2.0 if self.says == "RUN" else 4.0,
                "y": 0.0,
                "theta": 0.0,
                "mapId": "hall",
                "positionInitialized": True,
            },
        }
        return [("uagv/v2/demo/1/visualization", json.dumps(body).encode())]

    async def babble(self) -> None:
        await self.publish("uagv/v2/demo/1/visualization", b'{"agvPosition": {"x": "far"}}')


class SparkplugPlant(MqttPlant):
    """An edge node with one device; it speaks only when something changes."""

    tells_time = True

    def __init__(self, broker: Mosquitto) -> None:
        super().__init__(broker)
        self.spec = SparkplugSpec(
            id="feed",
            name="Feed",
            host=broker.host,
            port=broker.port,
            stale_after_s=STALE_S,
            group="hall",
            points=(
                SparkplugPoint(
                    machine_id="press", node="gw", device="press", metric="Mode", states=STATES
                ),
            ),
        )
        self._client: aiomqtt.Client | None = None
        self._seq = 0
        self.births = 0

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[None]:
        death = write_payload(Payload(metrics=(self._bdseq(),)))
        will = aiomqtt.Will("spBv1.0/hall/NDEATH/gw", death, qos=1)
        async with aiomqtt.Client(self.broker.host, self.broker.port, will=will) as client:
            self._client = client
            await client.subscribe("spBv1.0/hall/NCMD/gw")
            await self._bear()
            task = asyncio.create_task(self._obey(client))
            try:
                yield
            finally:
                self._client = None
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def say(self, value: str) -> None:
        self.says = value
        mode = Metric(alias=7, datatype=TEXT, value=value)
        await self._send("DDATA/gw/press", mode)

    async def babble(self) -> None:
        await self.publish("spBv1.0/hall/DDATA/gw/press", b"\xff\xff\xff")

    async def _obey(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            command = read_payload(bytes(message.payload))
            assert [metric.name for metric in command.metrics] == ["Node Control/Rebirth"]
            await self._bear()

    async def _bear(self) -> None:
        self.births += 1
        self._seq = -1
        rebirth = Metric(name="Node Control/Rebirth", datatype=BOOLEAN, value=False)
        await self._send("NBIRTH/gw", self._bdseq(), rebirth)
        mode = Metric(name="Mode", alias=7, datatype=TEXT, value=self.says)
        await self._send("DBIRTH/gw/press", mode)

    async def _send(self, where: str, *metrics: Metric) -> None:
        assert self._client is not None
        self._seq = (self._seq + 1) % 256
        payload = Payload(timestamp=int(self.now * 1000), seq=self._seq, metrics=metrics)
        kind, _, rest = where.partition("/")
        await self._client.publish(f"spBv1.0/hall/{kind}/{rest}", write_payload(payload))

    @staticmethod
    def _bdseq() -> Metric:
        return Metric(name="bdSeq", datatype=INT64, value=3)


class ModbusPlant(Plant):
    """A PLC with a state register."""

    bad_reason = "unknown_value"

    def __init__(self) -> None:
        super().__init__()
        port = free_port()
        self.machine = SimulatedMachine(port=port, address=3)
        self.machine.value = 1
        self.spec = ModbusSpec(
            id="feed",
            name="Feed",
            host="127.0.0.1",
            port=port,
            stale_after_s=STALE_S,
            poll_s=0.1,
            points=(
                ModbusPoint(machine_id="press", table="holding_register", address=3, states=STATES),
            ),
        )

    def serving(self, hub: FeedHub) -> Any:
        return self.machine.running()

    async def say(self, value: str) -> None:
        await self.machine.say(1 if value == "RUN" else 0)

    async def babble(self) -> None:
        await self.machine.say(65535)


class OpcUaPlant(Plant):
    """An OPC UA server with one variable."""

    bad_reason = "bad_quality"

    def __init__(self) -> None:
        super().__init__()
        self._port = free_port()
        self._node: Any = None
        self._server: Any = None
        self.spec = OpcUaSpec(
            id="feed",
            name="Feed",
            url=f"opc.tcp://127.0.0.1:{self._port}",
            stale_after_s=STALE_S,
            points=(OpcUaPoint(machine_id="press", node="ns=1;s=Press.Mode", states=STATES),),
        )

    @asynccontextmanager
    async def serving(self, hub: FeedHub) -> AsyncIterator[None]:
        if self._server is None:
            self._server = await self._made()
        async with self._server:
            yield

    async def _made(self) -> Any:
        from asyncua.server.server import Server

        ua = _ua()
        server = Server()
        await server.init()
        server.set_endpoint(self.spec.url)  # type: ignore[union-attr]
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        name = ua.NodeId("Press.Mode", 1)
        self._node = await server.nodes.objects.add_variable(name, "1:Mode", self.says)
        return server

    async def say(self, value: str) -> None:
        self.says = value
        await self._node.write_value(value)

    async def babble(self) -> None:
        ua = _ua()
        status = ua.StatusCode(ua.StatusCodes.BadDeviceFailure)
        value = ua.DataValue(
            ua.Variant("RUN"),
            StatusCode=status,
        )
        await self._node.write_value(value)


class MtConnectPlant(Plant):
    """An agent that serves ``/current``."""

    tells_time = True

    def __init__(self) -> None:
        super().__init__()
        self._port = free_port()
        self._broken = False
        self.spec = MtConnectSpec(
            id="feed",
            name="Feed",
            url=f"http://127.0.0.1:{self._port}",
            stale_after_s=STALE_S,
            poll_s=0.1,
            points=(MtConnectPoint(machine_id="press", device="Press"),),
        )

    @asynccontextmanager
    async def serving(self, hub: FeedHub) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", self._port)
        try:
            yield
        finally:
            server.close()

    async def say(self, value: str) -> None:
        self.says, self._broken = value, False

    async def babble(self) -> None:
        self._broken = True

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            await reader.readuntil(b"\r\n\r\n")
            body = b"<MTConnectStreams" if self._broken else self.document().encode()
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
        writer.close()

    def document(self, *, execution: str = "", extra: str = "") -> str:
        """What ``/current`` answers."""
        word = execution or {"RUN": "ACTIVE", "STOP": "READY"}[self.says]
        created = datetime.fromtimestamp(self.now, UTC).isoformat()
        return (
            '<?xml version="1.0"?><MTConnectStreams xmlns="urn:mtconnect.org:MTConnectStreams:2.0">'
            f'<Header creationTime="{created}"/><Streams><DeviceStream name="Press" uuid="p-1">'
            f'<ComponentStream><Events><Execution dataItemId="e1">{word}</Execution>{extra}'
            "</Events></ComponentStream></DeviceStream></Streams></MTConnectStreams>"
        )


class HttpPushPlant(Plant):
    """A gateway that posts to the engine's port."""

    tells_time = True
    bad_reason = "unknown_machine"

    def __init__(self) -> None:
        super().__init__()
        self.address = ""
        self.spec = HttpPushSpec(
            id="feed",
            name="Feed",
            token=f"env:{TOKEN_VARIABLE}",
            stale_after_s=STALE_S,
            points=(PushedMachine(machine_id="press", states=STATES),),
        )

    @asynccontextmanager
    async def serving(self, hub: FeedHub) -> AsyncIterator[None]:
        app = create_metrics_app(CollectorRegistry(), dict, hub.pusher)
        sock = listen("127.0.0.1", 0, setting="-")
        self.address = f"http://127.0.0.1:{sock.getsockname()[1]}/feeds/feed"
        async with serving(app, sock), repeating(self._post_state):
            yield

    async def say(self, value: str) -> None:
        self.says = value

    async def babble(self) -> None:
        answer = await self.post({"machines": {"pres": "RUN"}})
        assert answer.status_code == 422

    async def _post_state(self) -> None:
        await self.post({"machines": {"press": self.says}, "at": self.now})

    async def post(self, body: object, *, token: str = TOKEN) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with httpx.AsyncClient(trust_env=False) as client:
            headers = {"authorization": f"Bearer {token}"}
            return await client.post(self.address, content=content, headers=headers)


def _ua() -> Any:
    return import_module("asyncua.ua")


def make_plant(kind: str, directory: Path) -> Plant:
    """A plant that speaks this kind of feed."""
    over_mqtt: dict[str, Callable[[Mosquitto], Plant]] = {
        "mqtt_json": MqttJsonPlant,
        "vda5050": VdaPlant,
        "sparkplug": SparkplugPlant,
    }
    if kind in over_mqtt:
        return over_mqtt[kind](Mosquitto(directory))
    others: dict[str, type[Plant]] = {
        "modbus": ModbusPlant,
        "opcua": OpcUaPlant,
        "mtconnect": MtConnectPlant,
        "http_push": HttpPushPlant,
    }
    return others[kind]()


KINDS = ("vda5050", "opcua", "modbus", "mqtt_json", "sparkplug", "mtconnect", "http_push")
