"""Feed ``mqtt_json``: machine states in JSON messages of any shape, on MQTT topics."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, field_validator

from safety.clock import Clock
from safety.config import Slug, Spec
from zones.feeds.base import StateMap, report_machine
from zones.feeds.mqtt import MqttFeed, MqttFeedBase, check_topic
from zones.feeds.payload import Refused, at_pointer, parse_json, unix_time
from zones.feeds.port import FeedPort

POINTER = r"^(/[^/]+)*$"


class MqttPoint(Spec):
    """Where one machine's state stands."""

    machine_id: Slug
    """The machine."""
    topic: str = Field(min_length=1, max_length=200)
    """Topic of its messages, without wildcards."""
    value: str = Field(default="", pattern=POINTER, max_length=200)
    """JSON pointer to the state, such as /press/mode; empty: the whole message."""
    time: str | None = Field(default=None, pattern=POINTER, max_length=200)
    """JSON pointer to the time of sending: ISO 8601, Unix seconds or milliseconds."""
    states: StateMap
    """Which values mean which state."""

    @field_validator("topic")
    @classmethod
    def _plain_topic(cls, topic: str) -> str:
        return check_topic(topic)


class MqttJsonSpec(MqttFeedBase):
    """Machine states in JSON messages on MQTT topics."""

    kind: Literal["mqtt_json"] = "mqtt_json"
    points: tuple[MqttPoint, ...] = Field(min_length=1, max_length=500)
    """The machines and where their states stand."""

    @property
    def machine_ids(self) -> tuple[str, ...]:
        return tuple(point.machine_id for point in self.points)


class MqttJsonFeed(MqttFeed):
    """Reads machine states from JSON messages.

    Retained messages are not used: they may be as old as the broker, and their sender gone.
    """

    def __init__(self, spec: MqttJsonSpec, port: FeedPort, *, clock: Clock) -> None:
        super().__init__(port, clock=clock)
        self.broker = spec
        self._points = spec.points

    def topics(self) -> Sequence[tuple[str, int]]:
        return [(topic, 1) for topic in dict.fromkeys(point.topic for point in self._points)]

    def take(self, topic: str, payload: bytes, *, retained: bool) -> None:
        if retained:
            raise Refused("retained", "a retained message says nothing of the present")
        document = parse_json(payload)
        for point in self._points:
            if point.topic == topic:
                self._read(point, document)

    def _read(self, point: MqttPoint, document: object) -> None:
        try:
            age_s = 0.0
            if point.time is not None:
                sent = unix_time(at_pointer(document, point.time))
                age_s = self.port.age_s(point.topic, sent)
            value = at_pointer(document, point.value)
        except Refused as refusal:
            self.port.refuse(refusal.reason, f"{point.machine_id}: {refusal.detail}")
            return
        report_machine(self.port, point.machine_id, point.states, value, age_s=age_s)
