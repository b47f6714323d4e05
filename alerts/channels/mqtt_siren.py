"""What sirens behind an MQTT broker have in common, whatever their messages look like.

Commands are never retained, and they expire in the broker with their time-to-live, so nothing
sounds later than it should.
"""

import math
from abc import abstractmethod

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from alerts.channels.base import SirenLevel
from alerts.channels.mqtt_broker import BrokerSpec, open_link
from alerts.channels.siren_driver import SirenDriver
from alerts.channels.siren_spec import SirenSpec
from safety.clock import Clock
from safety.errors import ChannelError


class MqttSirenSpecBase(BrokerSpec, SirenSpec):
    """A siren that listens on an MQTT topic."""

    topic: str


class MqttSirenDriver(SirenDriver):
    """Keeps a connection to the broker and publishes commands on it at once.

    Must be created inside a running event loop, which it uses until ``close``.

    Raises:
        ConfigError: The password is missing.
        OSError: The certificate authority's file cannot be read.
    """

    CONNECT_WAIT_S = 1.0
    CONFIRM_WAIT_S = 2.0

    def __init__(self, spec: MqttSirenSpecBase, *, clock: Clock) -> None:
        super().__init__(spec, clock=clock)
        self._topic = spec.topic
        self._mqtt5 = spec.protocol == "5"
        self._link = open_link(spec, availability_topic=f"{spec.topic}/availability")

    @abstractmethod
    def payload(self, level: SirenLevel, *, ttl_s: float, reason: str) -> bytes:
        """The message that makes the device show ``level``."""

    async def _command(self, level: SirenLevel, *, ttl_s: float, reason: str) -> str:
        payload = self.payload(level, ttl_s=ttl_s, reason=reason)
        answer = await self._publish(f"{self._topic}/set", payload, ttl_s=ttl_s)
        if answer == "no_subscribers":
            raise ChannelError(
                "channel.siren_not_listening",
                "the broker {broker} has no siren listening on {topic}/set; "
                "check the siren's power, network and topic",
                broker=self._link.address,
                topic=self._topic,
            )
        self._require_available()
        return answer

    async def _ask(self) -> str:
        """Make a round trip to the broker, and ask what it knows of the device."""
        answer = await self._publish(f"{self._topic}/check", b"{}", ttl_s=1.0)
        self._require_available()
        return answer

    async def _release(self) -> None:
        await self._link.close()

    async def _publish(self, topic: str, payload: bytes, *, ttl_s: float) -> str:
        properties = None
        if self._mqtt5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = max(1, math.ceil(ttl_s))
        return await self._link.publish(
            topic,
            payload,
            properties=properties,
            connect_wait_s=self.CONNECT_WAIT_S,
            confirm_wait_s=self.CONFIRM_WAIT_S,
        )

    def _require_available(self) -> None:
        if self._link.available is False:
            raise ChannelError(
                "channel.siren_offline",
                "the broker {broker} says that the siren {topic} is offline; "
                "check the siren's power and network",
                broker=self._link.address,
                topic=self._topic,
            )
