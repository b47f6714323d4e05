"""One lasting connection to an MQTT broker: reconnects by itself, publishes at once or fails."""

import asyncio
import json
import random
import ssl
from contextlib import suppress
from typing import Any

import aiomqtt
import structlog
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from alerts.waiting import pause
from safety.errors import ChannelError

log = structlog.get_logger(__name__)

_NO_MATCHING_SUBSCRIBERS = 0x10
_FAILURE = 0x80


class _Client(aiomqtt.Client):
    """aiomqtt's client, which also keeps the reason code of each PUBACK (MQTT 5).

    aiomqtt drops it, yet it tells whether anybody listens and whether we were allowed to.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.last_reason = 0

    def _on_publish(
        self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Any
    ) -> None:
        self.last_reason = int(reason_code.value)
        super()._on_publish(client, userdata, mid, reason_code, properties)


class MqttLink:
    """The connection of one channel.

    A new client is made for every attempt, so that nothing published before a failure is
    repeated after it: an old command must not sound a siren late.

    Attributes:
        address: ``host:port``, for people.
        available: What the device's availability topic says; None: it says nothing.
    """

    KEEPALIVE_S = 5
    CONNECT_TIMEOUT_S = 3.0
    BACKOFF_S = (0.2, 2.0)

    def __init__(
        self,
        *,
        host: str,
        port: int,
        username: str | None,
        password: str | None,
        tls: ssl.SSLContext | None,
        version: aiomqtt.ProtocolVersion,
        availability_topic: str | None,
    ) -> None:
        self.address = f"{host}:{port}"
        self.available: bool | None = None
        self._host, self._port = host, port
        self._username, self._password = username, password
        self._tls, self._version = tls, version
        self._availability_topic = availability_topic
        self._client: _Client | None = None
        self._connected = asyncio.Event()
        self._broken = asyncio.Event()
        self._publishing = asyncio.Lock()
        self._problem = "not connected yet"
        self._task = asyncio.create_task(self._run(), name=f"mqtt-{self.address}")

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        properties: Properties | None,
        connect_wait_s: float,
        confirm_wait_s: float,
    ) -> str:
        """Publish with QoS 1, not retained.

        Returns:
            ``"confirmed"``, or ``"no_subscribers"`` where the broker says so (MQTT 5 only).

        Raises:
            ChannelError: Not connected within ``connect_wait_s``, not confirmed within
                ``confirm_wait_s``, or not allowed.
        """
        try:
            async with asyncio.timeout(connect_wait_s):
                await self._connected.wait()
        except TimeoutError:
            raise self._unreachable() from None
        async with self._publishing:
            client = self._client
            if client is None:
                raise self._unreachable()
            try:
                await client.publish(
                    topic, payload, qos=1, properties=properties, timeout=confirm_wait_s
                )
            except aiomqtt.MqttError:
                # A connection that does not confirm is given up, lest commands pile up in it
                # and all sound together when the broker wakes.
                self._problem = "the broker did not confirm a command"
                self._broken.set()
                raise self._unreachable() from None
            reason = client.last_reason
        if reason >= _FAILURE:
            raise ChannelError(
                "channel.mqtt_not_allowed",
                "the broker {broker} refused to take a message for {topic} (code {code}); "
                "allow this user to publish there",
                broker=self.address,
                topic=topic,
                code=reason,
            )
        return "no_subscribers" if reason == _NO_MATCHING_SUBSCRIBERS else "confirmed"

    async def close(self) -> None:
        """Disconnect; calling it again does nothing."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _unreachable(self) -> ChannelError:
        return ChannelError(
            "channel.mqtt_unreachable",
            "the MQTT broker {broker} cannot be used: {problem}; "
            "check that it runs, and its address, port, user and TLS settings",
            broker=self.address,
            problem=self._problem,
        )

    async def _run(self) -> None:
        """Connect, stay connected, connect again, until cancelled."""
        backoff = self.BACKOFF_S[0]
        while True:
            try:
                await self._probe()
                await self._session()
                log.warning("mqtt_connection_lost", broker=self.address)
                backoff = self.BACKOFF_S[0]
            except Exception as error:
                problem = str(error) or type(error).__name__
                if problem != self._problem:
                    log.warning("mqtt_unreachable", broker=self.address, problem=problem)
                self._problem = problem
            wait_s = backoff * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
            backoff = min(self.BACKOFF_S[1], backoff * 2)
            await pause(wait_s)

    async def _probe(self) -> None:
        """Open and close a connection, TLS included.

        aiomqtt connects in a thread of the default pool and blocks it for seconds if the
        broker's machine is gone; a few such sirens would leave no thread for the database.
        It also leaves the socket open if the TLS handshake fails.
        """
        async with asyncio.timeout(self.CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _session(self) -> None:
        """One connection, from CONNECT to its end."""
        client = _Client(
            self._host,
            self._port,
            username=self._username,
            password=self._password,
            protocol=self._version,
            timeout=self.CONNECT_TIMEOUT_S,
            keepalive=self.KEEPALIVE_S,
            tls_context=self._tls,
            max_queued_incoming_messages=100,
        )
        async with client:
            if self._availability_topic is not None:
                await client.subscribe(self._availability_topic, qos=1)
            log.info("mqtt_connected", broker=self.address)
            self._broken.clear()
            self._client = client
            self._problem = "the connection was lost"
            self._connected.set()
            reader = asyncio.create_task(self._read_availability(client))
            breaker = asyncio.create_task(self._broken.wait())
            try:
                await asyncio.wait({reader, breaker}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._connected.clear()
                self._client = None
                self.available = None
                for task in (reader, breaker):
                    task.cancel()
                await asyncio.gather(reader, breaker, return_exceptions=True)

    async def _read_availability(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload
            if isinstance(payload, bytes | bytearray):
                self.available = _is_online(bytes(payload))


def _is_online(payload: bytes) -> bool | None:
    """``online`` / ``offline``, plain or as ``{"state": ...}``; None if it is something else."""
    text = payload.decode(errors="replace").strip()
    if text.startswith("{"):
        try:
            text = str(json.loads(text).get("state", ""))
        except ValueError:
            return None
    return {"online": True, "offline": False}.get(text.lower())
