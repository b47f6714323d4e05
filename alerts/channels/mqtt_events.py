"""Channel ``mqtt_events``: every event of every alert as an MQTT message, for other programs.

Topics are ``<prefix>/alerts/<event>/<severity>``, so that a subscriber takes what it wants:
``anjeon/alerts/raised/danger``, or ``anjeon/alerts/#`` for everything. The body is the same
CloudEvents 1.0 event as the webhook's, QoS 1, not retained.
"""

from typing import Literal

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from pydantic import Field, field_validator

from alerts.channels.base import Notice, Receipt
from alerts.channels.messenger import MessengerSpec
from alerts.channels.mqtt_broker import BrokerSpec, open_link, plain_topic
from alerts.channels.webhook import cloud_event
from safety.clock import Clock

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


class MqttEventsSpec(MessengerSpec, BrokerSpec):
    """A broker that other programs listen to."""

    kind: Literal["mqtt_events"] = "mqtt_events"
    topic: str = Field(default="anjeon", min_length=1, max_length=200)
    """Beginning of the topics; events go to <topic>/alerts/<event>/<severity>."""

    _plain = field_validator("topic")(plain_topic)


def event_topic(prefix: str, notice: Notice) -> str:
    """Where a notice is published."""
    return f"{prefix}/alerts/{notice.event}/{notice.severity}"


class MqttEventsMessenger:
    """Keeps a connection to the broker and publishes events.

    Must be created inside a running event loop, which it uses until ``close``.

    Raises:
        ConfigError: The password is missing.
        OSError: The certificate authority's file cannot be read.
    """

    def __init__(self, spec: MqttEventsSpec, *, clock: Clock) -> None:
        self.channel_id = spec.id
        self._spec = spec
        self._clock = clock
        self._mqtt5 = spec.protocol == "5"
        self._link = open_link(spec, availability_topic=None)

    async def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """Publish and wait for the broker's confirmation; whether anybody listens is not asked."""
        started = self._clock.now()
        answer = await self._link.publish(
            event_topic(self._spec.topic, notice),
            cloud_event(notice),
            properties=self._properties(notice),
            connect_wait_s=timeout_s / 2,
            confirm_wait_s=timeout_s / 2,
        )
        at = self._clock.now()
        return Receipt(at=at, latency_s=at.monotonic - started.monotonic, detail=answer)

    async def close(self) -> None:
        """Leave the broker."""
        await self._link.close()

    def _properties(self, notice: Notice) -> Properties | None:
        if not self._mqtt5:
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = CONTENT_TYPE
        properties.UserProperty = [("id", notice.id)]
        return properties
