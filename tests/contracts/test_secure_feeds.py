"""Feeds over encrypted connections and real servers: who is let in, and who is told why not."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from safety.clock import SystemClock
from safety.types import MachineState
from tests.support.certificates import Certificate, self_signed
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_port
from tests.support.requirements import need
from zones.feeds.base import StateMap
from zones.feeds.mqtt_json import MqttJsonSpec, MqttPoint
from zones.feeds.opcua import OpcUaPoint, OpcUaSpec
from zones.feeds.specs import AnyFeedSpec
from zones.feeds.trial import FeedTrial, try_feed
from zones.feeds.vehicles import MachineSpec
from zones.plant import PlantSpec

STATES = StateMap(running=("RUN",), idle=("STOP",))
PLANT = PlantSpec(machines=(MachineSpec(id="press", name="Press"),))
OURS, THEIRS = "urn:anjeon:test", "urn:plant:test"


async def tried(spec: AnyFeedSpec) -> FeedTrial:
    return await try_feed(spec, PLANT, clock=SystemClock(), deadline_s=15.0)


def key_of(trial: FeedTrial) -> str:
    return trial.problem.key if trial.problem else ""


# MQTT


def mqtt(port: int, **settings: Any) -> MqttJsonSpec:
    point = MqttPoint(machine_id="press", topic="hall/press", states=STATES)
    return MqttJsonSpec(
        id="feed", name="Feed", host="127.0.0.1", port=port, tls=True, points=(point,), **settings
    )


@asynccontextmanager
async def speaking(port: int, certificate: Certificate, ours: Certificate) -> AsyncIterator[None]:
    """A machine that publishes over the same broker."""
    tls = aiomqtt.TLSParameters(
        ca_certs=str(certificate.certificate),
        certfile=str(ours.certificate),
        keyfile=str(ours.key),
    )

    async def speak() -> None:
        async with aiomqtt.Client("127.0.0.1", port, tls_params=tls) as client:
            while True:
                await client.publish("hall/press", b'"RUN"')
                await asyncio.sleep(0.1)

    task = asyncio.create_task(speak())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_mqtt_lets_in_who_has_the_certificate_and_says_why_it_lets_nobody_else_in(
    tmp_path: Path,
) -> None:
    need("mosquitto")
    server = self_signed(tmp_path, name="server-")
    ours = self_signed(tmp_path, name="ours-")
    stranger = self_signed(tmp_path, name="stranger-")
    broker = Mosquitto(tmp_path, certificate=server, clients=ours)
    broker.start()
    trust = {"ca_file": server.certificate}
    us = {"certificate_file": ours.certificate, "key_file": ours.key}
    them = {"certificate_file": stranger.certificate, "key_file": stranger.key}
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    cases: list[tuple[dict[str, Any], str]] = [
        (us, "feed.certificate"),  # an authority that nobody knows
        ({**us, "ca_file": stranger.certificate}, "feed.certificate"),  # another one's
        (trust, "feed.own_certificate"),  # we have none to show
        ({**trust, **them}, "feed.own_certificate"),  # ours is not accepted
        ({**trust, "ca_file": broken}, "feed.file"),
        ({**trust, "certificate_file": tmp_path / "none.pem"}, "feed.file"),
        ({**trust, "certificate_file": broken}, "feed.file"),
        ({**trust, **us, "key_file": stranger.key}, "feed.file"),  # the key of another one
    ]
    try:
        async with speaking(broker.port, server, ours):
            trial = await tried(mqtt(broker.port, **trust, **us))
            assert trial.well, trial
            assert trial.machines[0].state is MachineState.RUNNING
        said = [key_of(await tried(mqtt(broker.port, **settings))) for settings, _ in cases]
    finally:
        broker.stop()
    assert said == [key for _, key in cases]


async def test_a_port_that_does_not_speak_tls_is_said_to_be_one(mosquitto: Mosquitto) -> None:
    assert key_of(await tried(mqtt(mosquitto.port))) in {"feed.tls", "feed.unreachable"}


# OPC UA


class Guarded:
    """Lets one user in."""

    def get_user(
        self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None
    ) -> Any:
        from asyncua.crypto.permission_rules import User, UserRole

        known = username == "anjeon" and password in {"right", b"right"}
        return User(role=UserRole.User) if known else None


@asynccontextmanager
async def opcua_server(url: str, own: Certificate, trusted: Certificate) -> AsyncIterator[None]:
    """A server that signs and encrypts, knows one client and one user."""
    from asyncua import ua
    from asyncua.crypto.truststore import TrustStore
    from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
    from asyncua.server.server import Server

    server = Server(user_manager=Guarded())  # type: ignore[arg-type]
    await server.init()
    server.set_endpoint(url)
    await server.set_application_uri(THEIRS)
    server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    await server.load_certificate(own.certificate)
    await server.load_private_key(own.key)
    folder = own.certificate.parent / "trusted"
    folder.mkdir()
    shutil.copy(trusted.certificate, folder)
    store = TrustStore([folder], [])
    await store.load()
    options = CertificateValidatorOptions.TRUSTED | CertificateValidatorOptions.PEER_CLIENT
    server.set_certificate_validator(CertificateValidator(options, store))
    name = ua.NodeId(ua.String("Press.Mode"), ua.Int16(1))
    await server.nodes.objects.add_variable(name, "1:Mode", "RUN")
    async with server:
        yield


async def test_opcua_signs_encrypts_and_says_why_it_is_not_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UA_RIGHT", "right")
    monkeypatch.setenv("UA_WRONG", "wrong")
    ours = self_signed(tmp_path, name="ours-", application=OURS)
    server = self_signed(tmp_path, name="server-", application=THEIRS)
    stranger = self_signed(tmp_path, name="stranger-", application=OURS)
    url = f"opc.tcp://127.0.0.1:{free_port()}"

    def opcua(**settings: Any) -> OpcUaSpec:
        point = OpcUaPoint(machine_id="press", node="ns=1;s=Press.Mode", states=STATES)
        return OpcUaSpec(id="feed", name="Feed", url=url, points=(point,), **settings)

    us = {
        "certificate_file": ours.certificate,
        "key_file": ours.key,
        "username": "anjeon",
        "password": "env:UA_RIGHT",
    }
    cases: list[tuple[dict[str, Any], str]] = [
        ({"username": "anjeon", "password": "env:UA_RIGHT"}, "feed.opcua_encryption"),
        ({**us, "password": "env:UA_WRONG"}, "feed.opcua_user"),
        (
            {**us, "certificate_file": stranger.certificate, "key_file": stranger.key},
            "feed.opcua_certificate",
        ),
        ({**us, "server_certificate_file": stranger.certificate}, "feed.opcua_server_certificate"),
        ({**us, "certificate_file": tmp_path / "none.pem"}, "feed.file"),
        ({**us, "password": "env:NOBODY_SET_THIS"}, "config.secret_missing"),
    ]
    async with opcua_server(url, server, ours):
        for pinned in (None, server.certificate):
            trial = await tried(opcua(**us, server_certificate_file=pinned))
            assert trial.well, trial
        said = [key_of(await tried(opcua(**settings))) for settings, _ in cases]
    assert said == [key for _, key in cases]
