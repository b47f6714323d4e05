"""How a channel gets at its MQTT broker: the settings, and the connection that they mean."""

import ssl
from pathlib import Path
from typing import Literal

import aiomqtt
from pydantic import Field
from pydantic_core import PydanticCustomError

from alerts.channels.mqtt_link import MqttLink
from safety.config import SecretRef, Spec, read_secret


class BrokerSpec(Spec):
    """Where a broker is, and who we are there."""

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


def plain_topic(topic: str) -> str:
    """A topic that can be published to as it is.

    Raises:
        PydanticCustomError: It has wildcards, or a form that brokers treat in a special way.
    """
    if any(c in topic for c in "+#\0"):
        raise PydanticCustomError("channel.topic_signs", "a topic has no +, # or NUL in it")
    if topic.startswith(("/", "$")) or topic.endswith("/"):
        raise PydanticCustomError(
            "channel.topic_ends", "a topic does not start with / or $, nor end with /"
        )
    return topic


def open_link(spec: BrokerSpec, *, availability_topic: str | None) -> MqttLink:
    """A connection that lasts until it is closed; call it inside a running event loop.

    Raises:
        ConfigError: The password is missing.
        OSError: The certificate authority's file cannot be read.
    """
    password = read_secret(spec.password) if spec.password else None
    tls = ssl.create_default_context(cafile=spec.ca_file) if spec.tls else None
    version = aiomqtt.ProtocolVersion.V5
    if spec.protocol == "3.1.1":
        version = aiomqtt.ProtocolVersion.V311
    return MqttLink(
        host=spec.host,
        port=spec.port,
        username=spec.username,
        password=password,
        tls=tls,
        version=version,
        availability_topic=availability_topic,
    )
