"""Feed ``opcua``: machine states in nodes of an OPC UA server (needs the extra ``opcua``)."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from safety.clock import Clock
from safety.config import SecretRef, Slug, Spec, read_secret
from zones.feeds.base import (
    Feed,
    FeedBase,
    FeedError,
    StateMap,
    check_key,
    report_machine,
)
from zones.feeds.opcua_security import refusal, secure
from zones.feeds.port import FeedPort

if TYPE_CHECKING:
    from asyncua.client.client import Client
    from asyncua.common.node import Node

TIMEOUT_S = 4.0
PUBLISH_MS = 100
"""How often the server looks for changes for us."""
SERVER_TIME = "i=2258"
"""The node that every server has for its own clock."""


class OpcUaPoint(Spec):
    """Where one machine's state stands."""

    machine_id: Slug
    """The machine."""
    node: str = Field(min_length=3, max_length=300, pattern=r"^(ns=\d+;)?[isgb]=.+$")
    """Node id, such as ns=2;s=Press1.Mode."""
    states: StateMap
    """Which values mean which state."""


class OpcUaSpec(FeedBase):
    """Machine states in nodes of an OPC UA server."""

    kind: Literal["opcua"] = "opcua"
    url: str = Field(pattern=r"^opc\.tcp://[^\s@]+$", max_length=300)
    """Address of the server: opc.tcp://host:4840/path; user and password do not belong here."""
    username: str | None = Field(default=None, max_length=200)
    """User name at the server; not given: anonymous."""
    password: SecretRef | None = None
    """Where the password is kept: env:NAME or file:/path."""
    certificate_file: Path | None = None
    """Our certificate; with it the connection is signed and encrypted (Basic256Sha256)."""
    key_file: Path | None = None
    """The private key of our certificate, if it is not in the same file."""
    server_certificate_file: Path | None = None
    """The server's certificate: only a server that has its key is talked to. Not given: whichever
    certificate the server shows is taken."""
    points: tuple[OpcUaPoint, ...] = Field(min_length=1, max_length=200)
    """The machines and where their states stand."""

    @model_validator(mode="after")
    def _certificates_fit(self) -> Self:
        check_key(self.certificate_file, self.key_file)
        if self.server_certificate_file is not None and self.certificate_file is None:
            raise PydanticCustomError(
                "feed.opcua_own_certificate",
                "an encrypted connection needs a certificate of our own; give certificate_file too",
            )
        return self

    @property
    def machine_ids(self) -> tuple[str, ...]:
        return tuple(point.machine_id for point in self.points)


class OpcUaFeed(Feed):
    """Subscribes to nodes, and reads all of them now and then.

    The subscription tells of a change at once; that the server is silent because nothing
    changed, and not because it is gone, is known from reading.
    """

    def __init__(self, spec: OpcUaSpec, port: FeedPort, *, clock: Clock) -> None:
        super().__init__(port, clock=clock)
        self._spec = spec
        self._points = spec.points

    async def session(self) -> None:
        try:
            from asyncua.client.client import Client
            from asyncua.ua.uaerrors import UaError
        except ModuleNotFoundError:
            raise FeedError(
                "feed.opcua_missing",
                "OPC UA needs a further package; install it with: pip install 'anjeon[opcua]'",
            ) from None
        # What it would log, the feed says already, once.
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)
        client = Client(self._spec.url, timeout=TIMEOUT_S)
        try:
            await self._identify(client)
            async with client:
                await self._follow(client)
        except UaError as error:
            raise refusal(error) from None

    async def _identify(self, client: "Client") -> None:
        spec = self._spec
        if spec.username:
            client.set_user(spec.username)
        if spec.password:
            client.set_password(read_secret(spec.password))
        if spec.certificate_file is not None:
            certificate = spec.certificate_file
            key = spec.key_file or certificate
            await secure(client, certificate, key, spec.server_certificate_file)

    async def _follow(self, client: "Client") -> None:
        nodes = [client.get_node(point.node) for point in self._points]
        machines = dict(zip(nodes, self._points, strict=True))
        self.port.is_connected()
        subscription = await client.create_subscription(PUBLISH_MS, _Changes(self, machines))
        await subscription.subscribe_data_change(nodes)
        while True:
            await self._read(client, nodes)
            await self.clock.sleep_async(self._spec.stale_after_s / 3)

    async def _read(self, client: "Client", nodes: "Sequence[Node]") -> None:
        from asyncua.ua.attribute_ids import AttributeIds

        clock = client.get_node(SERVER_TIME)
        async with asyncio.timeout(TIMEOUT_S):
            values = await client.uaclient.read_attributes(
                [node.nodeid for node in (*nodes, clock)], AttributeIds.Value
            )
        for point, value in zip(self._points, values, strict=False):
            self.take(point, value)
        told = values[-1].Value
        if told is not None and isinstance(told.Value, datetime):
            self.port.age_s("server", _wall(told.Value))

    def take(self, point: OpcUaPoint, data: Any) -> None:
        """Take one data value of a node; a bad or uncertain one makes its machine unknown."""
        self.port.received()
        if not data.StatusCode or not data.StatusCode.is_good():
            name = data.StatusCode.name if data.StatusCode else "no status"
            self.port.refuse("bad_quality", f"{point.machine_id}: {name}")
            self.port.forget(point.machine_id)
            return
        value = data.Value.Value if data.Value is not None else None
        report_machine(self.port, point.machine_id, point.states, value)


class _Changes:
    """Handler of a subscription."""

    def __init__(self, feed: OpcUaFeed, machines: "dict[Node, OpcUaPoint]") -> None:
        self._feed = feed
        self._machines = machines

    def datachange_notification(self, node: "Node", _value: object, data: Any) -> None:
        self._feed.take(self._machines[node], data.monitored_item.Value)


def _wall(at: datetime) -> float:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
