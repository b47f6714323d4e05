"""Feed ``sparkplug``: machine states of Sparkplug B edge nodes and devices, over MQTT."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import aiomqtt
from pydantic import Field, field_validator

from safety.clock import Clock
from safety.config import Slug, Spec
from zones.feeds.base import StateMap, report_machine
from zones.feeds.mqtt import MqttFeed, MqttFeedBase
from zones.feeds.payload import Refused, unix_time
from zones.feeds.port import FeedPort
from zones.feeds.sparkplug_payload import (
    BOOLEAN,
    Metric,
    Payload,
    named,
    read_payload,
    write_payload,
)

CONFIRM_S = 0.5
"""How often machines of living nodes are confirmed: nodes speak only when something changes."""

ANSWER_S = 1.0
"""How long the broker may take to answer."""

REBIRTH_EVERY_S = 5.0
"""A node is asked for its birth certificate at most this often."""


class SparkplugPoint(Spec):
    """Where one machine's state stands."""

    machine_id: Slug
    """The machine."""
    node: str = Field(min_length=1, max_length=100)
    """Edge node."""
    device: str | None = Field(default=None, max_length=100)
    """Device of the node; not given: the metric is the node's own."""
    metric: str = Field(min_length=1, max_length=200)
    """Name of the metric, as in the birth certificate."""
    states: StateMap
    """Which values mean which state."""

    @field_validator("node", "device")
    @classmethod
    def _plain(cls, name: str | None) -> str | None:
        if name is not None and any(c in name for c in "/+#\0"):
            raise ValueError("must not contain /, +, # or NUL")
        return name


class SparkplugSpec(MqttFeedBase):
    """Machine states of Sparkplug B edge nodes and devices."""

    kind: Literal["sparkplug"] = "sparkplug"
    group: str = Field(min_length=1, max_length=100, pattern=r"^[^/+#\x00]+$")
    """Sparkplug group."""
    points: tuple[SparkplugPoint, ...] = Field(min_length=1, max_length=500)
    """The machines and where their states stand."""

    @property
    def machine_ids(self) -> tuple[str, ...]:
        return tuple(point.machine_id for point in self.points)


@dataclass(slots=True)
class _Node:
    """An edge node as known since its birth: ``born`` has its own name or its devices'."""

    born: set[str | None] = field(default_factory=set)
    aliases: dict[tuple[str | None, int], str] = field(default_factory=dict)
    seq: int | None = None
    birth: int | None = None
    """The birth's bdSeq, which its death certificate repeats."""
    asked_at: float = float("-inf")


class SparkplugFeed(MqttFeed):
    """Follows births, data and deaths.

    Between a death and the next birth a machine is unknown. A gap in the sequence numbers
    means that something was missed: the node's machines are unknown until it is born again,
    for which it is asked.
    """

    def __init__(self, spec: SparkplugSpec, port: FeedPort, *, clock: Clock) -> None:
        super().__init__(port, clock=clock)
        self.broker = spec
        self._group = spec.group
        self._points = spec.points
        self._nodes: dict[str, _Node] = {}

    def topics(self) -> Sequence[tuple[str, int]]:
        nodes = dict.fromkeys(point.node for point in self._points)
        return [(f"spBv1.0/{self._group}/+/{node}/#", 1) for node in nodes]

    async def begin(self, client: aiomqtt.Client) -> None:
        # What is not known to be alive now is asked to be born.
        self._nodes = {}
        for point in self._points:
            self.port.forget(point.machine_id)
            self._ask(point.node)

    async def session(self) -> None:
        confirming = asyncio.create_task(self._confirm())
        try:
            await super().session()
        finally:
            confirming.cancel()
            await asyncio.gather(confirming, return_exceptions=True)

    def take(self, topic: str, payload: bytes, *, retained: bool) -> None:
        levels = topic.split("/")
        if len(levels) not in {4, 5} or levels[2].endswith("CMD"):
            return
        if retained:
            raise Refused("retained", "a retained message says nothing of the present")
        kind, name = levels[2], levels[3]
        device = levels[4] if len(levels) == 5 else None
        message = read_payload(payload)
        node = self._nodes.setdefault(name, _Node())
        match kind:
            case "NBIRTH" | "DBIRTH":
                self._birth(name, node, device, message)
            case "NDATA" | "DDATA":
                self._data(name, node, device, message)
            case "NDEATH" | "DDEATH":
                self._death(name, node, device, message)

    def _birth(self, name: str, node: _Node, device: str | None, message: Payload) -> None:
        if device is None:
            self._die(name, node)
            birth = named(message.metrics, "bdSeq")
            node.birth = birth.value if birth and isinstance(birth.value, int) else None
            node.seq = message.seq
        elif not self._in_sequence(name, node, message):
            return
        node.born.add(device)
        for metric in message.metrics:
            if metric.alias is not None and metric.name:
                node.aliases[device, metric.alias] = metric.name
        self._report(name, node, device, message)

    def _data(self, name: str, node: _Node, device: str | None, message: Payload) -> None:
        if device not in node.born or None not in node.born:
            self._ask(name)
            raise Refused("stale", f"{name} sends data without a birth certificate")
        if self._in_sequence(name, node, message):
            self._report(name, node, device, message)

    def _death(self, name: str, node: _Node, device: str | None, message: Payload) -> None:
        if device is not None:
            self._in_sequence(name, node, message)
            node.born.discard(device)
            self._forget(name, device)
            return
        death = named(message.metrics, "bdSeq")
        if death is not None and node.birth is not None and death.value != node.birth:
            return  # of an earlier life
        self._die(name, node)

    def _die(self, name: str, node: _Node) -> None:
        node.born.clear()
        node.aliases.clear()
        for device in {point.device for point in self._points if point.node == name}:
            self._forget(name, device)

    def _forget(self, name: str, device: str | None) -> None:
        for point in self._points:
            if (point.node, point.device) == (name, device):
                self.port.forget(point.machine_id)

    def _in_sequence(self, name: str, node: _Node, message: Payload) -> bool:
        expected = None if node.seq is None else (node.seq + 1) % 256
        node.seq = message.seq
        if message.seq == expected and expected is not None:
            return True
        self.port.refuse("stale", f"{name}: sequence number {message.seq}, expected {expected}")
        self._die(name, node)
        self._ask(name)
        return False

    def _report(self, name: str, node: _Node, device: str | None, message: Payload) -> None:
        age_s = 0.0
        if message.timestamp is not None:
            age_s = self.port.age_s(name, unix_time(message.timestamp / 1000))
        values = {self._name(node, device, metric): metric.value for metric in message.metrics}
        for point in self._points:
            mine = (point.node, point.device) == (name, device)
            if mine and point.metric in values:
                value = values[point.metric]
                report_machine(self.port, point.machine_id, point.states, value, age_s=age_s)

    @staticmethod
    def _name(node: _Node, device: str | None, metric: Metric) -> str:
        if metric.name or metric.alias is None:
            return metric.name
        return node.aliases.get((device, metric.alias), "")

    def _ask(self, name: str) -> None:
        """Ask a node for its birth certificate."""
        node, now = self._nodes.setdefault(name, _Node()), self.clock.now().monotonic
        if self.client is None or now - node.asked_at < REBIRTH_EVERY_S:
            return
        node.asked_at = now
        rebirth = Metric(name="Node Control/Rebirth", datatype=BOOLEAN, value=True)
        payload = Payload(timestamp=int(self.clock.now().wall * 1000), metrics=(rebirth,))
        topic = f"spBv1.0/{self._group}/NCMD/{name}"
        task = asyncio.create_task(self.client.publish(topic, write_payload(payload), qos=0))
        task.add_done_callback(_seen)

    async def _confirm(self) -> None:
        while True:
            await self.clock.sleep_async(CONFIRM_S)
            if self.client is None or not await self._broker_answers(self.client):
                continue
            for point in self._points:
                node = self._nodes.get(point.node)
                if node is not None and {None, point.device} <= node.born:
                    self.port.confirm(point.machine_id)
                else:
                    self._ask(point.node)

    @staticmethod
    async def _broker_answers(client: aiomqtt.Client) -> bool:
        """Whether the broker is there now: a frozen one would hold back death certificates.

        Leaving a topic that nobody joined changes nothing, and has to be confirmed.
        """
        try:
            await client.unsubscribe("anjeon/alive", timeout=ANSWER_S)
        except aiomqtt.MqttError:
            return False
        return True


def _seen(task: "asyncio.Task[None]") -> None:
    """Nobody waits for a request: if it fails, the session ends by itself."""
    if not task.cancelled():
        task.exception()
