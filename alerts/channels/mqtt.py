"""Channel ``mqtt_siren``: a siren or stack light behind an MQTT broker.

What a device has to do is written in ``docs/channels.md``: obey ``<topic>/set`` and go quiet
``ttl_s`` after the last message. Commands are never retained, and they expire in the broker
with their time-to-live, so nothing sounds later than it should.
"""

import json
import math
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from pydantic import Field, field_validator

from alerts.channels.base import Receipt, SirenLevel
from alerts.channels.mqtt_link import MqttLink
from safety.clock import Clock
from safety.config import Label, SecretRef, Slug, Spec, read_secret
from safety.errors import ChannelError


class MqttSirenSpec(Spec):
    """A siren or stack light that listens on an MQTT topic."""

    kind: Literal["mqtt_siren"] = "mqtt_siren"
    id: Slug
    """Identifier, unique in the site."""
    name: Label
    """What people call it."""
    enabled: bool = True
    """A disabled channel is told nothing."""
    host: str = Field(min_length=1, max_length=253)
    """Name or address of the broker."""
    port: int = Field(default=1883, ge=1, le=65535)
    """Port of the broker; usually 1883, or 8883 with TLS."""
    protocol: Literal["5", "3.1.1"] = "5"
    """MQTT version; 5 also notices that no siren listens, 3.1.1 is for brokers before 2019."""
    tls: bool = False
    """Whether the connection is encrypted; the broker's certificate is verified."""
    ca_file: Path | None = None
    """Certificate authority of the broker, if it is not a public one."""
    username: str | None = Field(default=None, max_length=200)
    """User name at the broker."""
    password: SecretRef | None = None
    """Where the password is kept: env:NAME or file:/path."""
    topic: str = Field(min_length=1, max_length=200)
    """Topic of the device; commands go to <topic>/set."""

    @field_validator("topic")
    @classmethod
    def _plain_topic(cls, topic: str) -> str:
        if any(c in topic for c in "+#\0"):
            raise ValueError("must not contain +, # or NUL")
        if topic.startswith(("/", "$")) or topic.endswith("/"):
            raise ValueError("must not start with / or $, nor end with /")
        return topic


def _tls_context(spec: MqttSirenSpec) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=spec.ca_file) if spec.tls else None


class MqttSiren:
    """Keeps a connection to the broker and publishes commands on it at once.

    Must be created inside a running event loop, which it uses until ``close``.

    Raises:
        ConfigError: The password is missing.
        OSError: The certificate authority's file cannot be read.
    """

    CONNECT_WAIT_S = 1.0
    CONFIRM_WAIT_S = 2.0

    def __init__(self, spec: MqttSirenSpec, *, clock: Clock) -> None:
        self.channel_id = spec.id
        self._spec = spec
        self._clock = clock
        self._mqtt5 = spec.protocol == "5"
        password = read_secret(spec.password) if spec.password else None
        tls = _tls_context(spec)
        version = aiomqtt.ProtocolVersion.V5 if self._mqtt5 else aiomqtt.ProtocolVersion.V311
        self._link = MqttLink(
            host=spec.host,
            port=spec.port,
            username=spec.username,
            password=password,
            tls=tls,
            version=version,
            availability_topic=f"{spec.topic}/availability",
        )

    async def set(self, level: SirenLevel, *, ttl_s: float, reason: str) -> Receipt:
        """Publish ``level`` and wait for the broker's confirmation."""
        now = self._clock.now()
        body = {
            "level": level.value,
            "on": level is not SirenLevel.OFF,
            "ttl_s": ttl_s,
            "reason": reason,
            "id": uuid4().hex,
            "at": datetime.fromtimestamp(now.wall, UTC).isoformat(timespec="milliseconds"),
        }
        payload = json.dumps(body, ensure_ascii=False).encode()
        receipt = await self._publish(f"{self._spec.topic}/set", payload, ttl_s=ttl_s)
        if receipt.detail == "no_subscribers":
            raise ChannelError(
                "channel.siren_not_listening",
                "the broker {broker} has no siren listening on {topic}/set; "
                "check the siren's power, network and topic",
                broker=self._link.address,
                topic=self._spec.topic,
            )
        self._require_available()
        return receipt

    async def check(self) -> Receipt:
        """Make a round trip to the broker, and ask what it knows of the device."""
        receipt = await self._publish(f"{self._spec.topic}/check", b"{}", ttl_s=1.0)
        self._require_available()
        return receipt

    async def close(self) -> None:
        """Leave the broker."""
        await self._link.close()

    async def _publish(self, topic: str, payload: bytes, *, ttl_s: float) -> Receipt:
        started = self._clock.now()
        properties = None
        if self._mqtt5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = max(1, math.ceil(ttl_s))
        answer = await self._link.publish(
            topic,
            payload,
            properties=properties,
            connect_wait_s=self.CONNECT_WAIT_S,
            confirm_wait_s=self.CONFIRM_WAIT_S,
        )
        at = self._clock.now()
        return Receipt(at=at, latency_s=at.monotonic - started.monotonic, detail=answer)

    def _require_available(self) -> None:
        if self._link.available is False:
            raise ChannelError(
                "channel.siren_offline",
                "the broker {broker} says that the siren {topic} is offline; "
                "check the siren's power and network",
                broker=self._link.address,
                topic=self._spec.topic,
            )
