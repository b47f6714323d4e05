"""What all feeds over MQTT share: the broker's settings and one session with it."""

import asyncio
import ssl
from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self

import aiomqtt
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from safety.config import SecretRef, read_secret
from zones.feeds.base import Feed, FeedBase, FeedError, check_key, unusable_file, usable_file
from zones.feeds.payload import Refused

KEEPALIVE_S = 5
CONNECT_TIMEOUT_S = 3.0
ALERT_S = 0.25
"""Within this time a broker says that it does not like our certificate."""
MAX_WAITING = 1000
"""Messages that may wait for us; what comes beyond that is dropped by the client and logged."""


class MqttFeedBase(FeedBase):
    """Fields of every feed over MQTT."""

    host: str = Field(min_length=1, max_length=253)
    """Name or address of the broker."""
    port: int = Field(default=1883, ge=1, le=65535)
    """Port of the broker; usually 1883, or 8883 with TLS."""
    protocol: Literal["5", "3.1.1"] = "3.1.1"
    """MQTT version."""
    tls: bool = False
    """Whether the connection is encrypted; the broker's certificate is verified."""
    ca_file: Path | None = None
    """Certificate authority of the broker, if it is not a public one."""
    certificate_file: Path | None = None
    """Our certificate, for brokers that want one."""
    key_file: Path | None = None
    """The private key of our certificate, if it is not in the same file."""
    username: str | None = Field(default=None, max_length=200)
    """User name at the broker."""
    password: SecretRef | None = None
    """Where the password is kept: env:NAME or file:/path."""

    @model_validator(mode="after")
    def _certificates_fit(self) -> Self:
        if (self.ca_file or self.certificate_file or self.key_file) and not self.tls:
            raise PydanticCustomError(
                "feed.tls_off", "certificates are for encrypted connections only; switch TLS on"
            )
        check_key(self.certificate_file, self.key_file)
        return self


class MqttFeed(Feed):
    """A feed that subscribes to topics of a broker."""

    broker: MqttFeedBase
    """The broker's settings; set before ``run``."""

    client: aiomqtt.Client | None = None
    """The connection of this moment."""

    @abstractmethod
    def topics(self) -> Sequence[tuple[str, int]]:
        """What to subscribe to, with QoS."""

    @abstractmethod
    def take(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Take one message.

        Raises:
            Refused: It cannot be used.
        """

    async def begin(self, client: aiomqtt.Client) -> None:
        """Called when all topics are subscribed to."""

    async def session(self) -> None:
        """One connection, from CONNECT to its end."""
        context = _tls(self.broker)
        await _probe(self.broker, context)
        try:
            async with self._client(context) as client:
                for topic, qos in self.topics():
                    await client.subscribe(topic, qos=qos)
                self.client = client
                self.port.is_connected()
                await self.begin(client)
                async for message in client.messages:
                    self._receive(message)
        except aiomqtt.MqttError as error:
            if context is not None:  # the client does not say what the broker did not like
                await _probe(self.broker, context, listen_s=CONNECT_TIMEOUT_S)
            raise FeedError(
                "feed.broker",
                "the broker {broker} cannot be used ({why}); check that it runs, and its address,"
                " port, user and TLS settings",
                broker=f"{self.broker.host}:{self.broker.port}",
                why=str(error)[:200],
            ) from None
        finally:
            self.client = None

    def _client(self, context: ssl.SSLContext | None) -> aiomqtt.Client:
        spec = self.broker
        version = aiomqtt.ProtocolVersion.V5 if spec.protocol == "5" else None
        return aiomqtt.Client(
            spec.host,
            spec.port,
            username=spec.username,
            password=read_secret(spec.password) if spec.password else None,
            protocol=version or aiomqtt.ProtocolVersion.V311,
            timeout=CONNECT_TIMEOUT_S,
            keepalive=KEEPALIVE_S,
            tls_context=context,
            max_queued_incoming_messages=MAX_WAITING,
        )

    def _receive(self, message: aiomqtt.Message) -> None:
        self.port.received()
        payload = message.payload
        try:
            if not isinstance(payload, bytes | bytearray):
                raise Refused("wrong_type", "the message has no bytes")
            self.take(str(message.topic), bytes(payload), retained=bool(message.retain))
        except Refused as refusal:
            self.port.refuse(refusal.reason, f"{message.topic}: {refusal.detail}")


def check_topic(topic: str) -> str:
    """A topic without wildcards.

    Raises:
        ValueError: It has some, or begins or ends oddly.
    """
    if any(c in topic for c in "+#\0"):
        raise ValueError("must not contain +, # or NUL")
    if topic.startswith(("/", "$")) or topic.endswith("/"):
        raise ValueError("must not start with / or $, nor end with /")
    return topic


def _tls(spec: MqttFeedBase) -> ssl.SSLContext | None:
    """How to encrypt, if that is wanted.

    Raises:
        FeedError: A file of certificates cannot be used.
    """
    if not spec.tls:
        return None
    context = ssl.create_default_context()
    if spec.ca_file is not None:
        _load(spec.ca_file, lambda file: context.load_verify_locations(file))
    if spec.certificate_file is not None:
        key = usable_file(spec.key_file or spec.certificate_file)
        _load(spec.certificate_file, lambda file: context.load_cert_chain(file, key))
    return context


def _load(path: Path, load: Callable[[Path], None]) -> None:
    try:
        load(usable_file(path))
    except ssl.SSLError as error:
        raise unusable_file(path, error.reason or "no certificate in it") from None


async def _probe(
    spec: MqttFeedBase, context: ssl.SSLContext | None, *, listen_s: float = ALERT_S
) -> None:
    """Open and close a connection: the client connects in a thread of the shared pool, and would
    block it for seconds if the broker's machine is gone.

    Raises:
        FeedError: The broker does not accept our certificate, or wants one; it says so only
            after the connection stands.
    """
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        reader, writer = await asyncio.open_connection(spec.host, spec.port, ssl=context)
    try:
        if context is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1), listen_s)
    except ssl.SSLError as error:
        raise FeedError(
            "feed.own_certificate",
            "the broker does not accept our certificate, or wants one ({why}); have it trust the"
            " certificate, and give certificate_file and key_file",
            why=(error.reason or str(error))[:200],
        ) from None
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
