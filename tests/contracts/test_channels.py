"""What every channel must do, on real servers: Mosquitto, an HTTP receiver, a file."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import aiomqtt
import pytest
from pydantic import TypeAdapter, ValidationError

from alerts.channels.base import ChannelBusy, ChannelGone, Messenger, Notice, Siren, SirenLevel
from alerts.channels.mqtt import MqttSiren, MqttSirenSpec
from alerts.channels.recording import RecordingChannel, RecordingSpec, read_recording
from alerts.channels.webhook import WebhookMessenger, WebhookSpec
from alerts.channels.zigbee import ZigbeeSirenSpec
from alerts.open import (
    AnyChannelSpec,
    carries_notices,
    is_messenger,
    is_siren,
    open_channel,
    sounds,
)
from alerts.ping import ping_channel, try_siren
from alerts.specs import ChannelSpec
from safety.clock import ManualClock, SystemClock
from safety.errors import ChannelError, ChannelRefused, ConfigError
from tests.support.certificates import Certificate
from tests.support.mosquitto import Mosquitto, listening
from tests.support.waiting import until
from tests.support.webhook_receiver import SECRET, Mode, WebhookReceiver

TOPIC = "anjeon/siren-1"
PASSWORD = "right-password"
SECRETS = (SECRET, PASSWORD, "top-secret-signature", "path-token")


def webhook_spec(receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch) -> WebhookSpec:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("WEBHOOK_URL", receiver.url)
    return WebhookSpec(id="hook", name="Hook", url="env:WEBHOOK_URL", secret="env:WEBHOOK_SECRET")


def siren_spec(broker: Mosquitto, **more: object) -> MqttSirenSpec:
    base = {"id": "siren", "name": "Siren", "host": broker.host, "port": broker.port}
    return MqttSirenSpec.model_validate({**base, "topic": TOPIC, **more})


def notice(notice_id: str = "n1", event: str = "raised") -> Notice:
    return Notice(
        id=notice_id,
        event=event,
        alert_id="a1",
        severity="danger",
        raised_at=1_767_600_000.0,
        at=1_767_600_001.5,
        text="프레스 구역에 사람이 있습니다",
        data={"camera_id": "cam-1"},
    )


@pytest.fixture(params=["mqtt_siren", "mqtt_siren over 3.1.1", "webhook", "recording"])
async def channel(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Siren | Messenger]:
    """A channel of every kind, with a receiver that works."""
    clock = SystemClock()
    spec: AnyChannelSpec
    if request.param == "webhook":
        receiver = WebhookReceiver()
        await receiver.start()
        opened = open_channel(webhook_spec(receiver, monkeypatch), clock=clock)
        yield opened
        await opened.close()
        await receiver.stop()
    elif request.param == "recording":
        spec = RecordingSpec(id="rec", name="Recording")
        yield open_channel(spec, clock=clock, data_dir=tmp_path)
    else:
        broker: Mosquitto = request.getfixturevalue("mosquitto")
        protocol = "3.1.1" if "3.1.1" in request.param else "5"
        async with listening(broker, f"{TOPIC}/#"):
            opened = open_channel(siren_spec(broker, protocol=protocol), clock=clock)
            yield opened
            await opened.close()


async def test_can_be_asked_whether_it_works(channel: Siren | Messenger) -> None:
    receipt = await ping_channel(channel, clock=SystemClock(), text="test")
    assert receipt.latency_s >= 0


async def test_taking_the_same_again_is_no_error(channel: Siren | Messenger) -> None:
    for _ in range(3):
        if is_siren(channel):
            await channel.set(SirenLevel.DANGER, ttl_s=3.0, reason="drill")
        if is_messenger(channel):
            await channel.send(notice(), timeout_s=5.0)


async def test_confirms_with_time_and_latency(channel: Siren | Messenger) -> None:
    before = SystemClock().now().monotonic
    if is_siren(channel):
        receipt = await channel.set(SirenLevel.WARNING, ttl_s=3.0, reason="drill")
    else:
        assert is_messenger(channel)
        receipt = await channel.send(notice(), timeout_s=5.0)
    assert before <= receipt.at.monotonic <= SystemClock().now().monotonic
    assert 0 <= receipt.latency_s <= receipt.at.monotonic - before


async def test_closing_twice_is_no_error(channel: Siren | Messenger) -> None:
    await channel.close()
    await channel.close()


def test_every_kind_says_what_it_is(mosquitto: Mosquitto) -> None:
    kinds = {spec.model_fields["kind"].default for spec in get_args(get_args(ChannelSpec)[0])}
    assert kinds >= {"mqtt_siren", "webhook", "recording"}
    webhook = WebhookSpec(id="w", name="W", url="http://host/", secret="env:X")
    recording = RecordingSpec(id="r", name="R")
    table: list[tuple[AnyChannelSpec, bool, bool]]
    table = [(siren_spec(mosquitto), True, False), (webhook, False, True), (recording, True, True)]
    for spec, siren, messenger in table:
        assert (sounds(spec), carries_notices(spec)) == (siren, messenger)


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "mqtt_siren", "host": "h", "topic": "a/+/b"},
        {"kind": "mqtt_siren", "host": "h", "topic": "a/#"},
        {"kind": "mqtt_siren", "host": "h", "topic": "/a"},
        {"kind": "mqtt_siren", "host": "h", "topic": "a/"},
        {"kind": "mqtt_siren", "host": "h", "topic": "$SYS/a"},
        {"kind": "mqtt_siren", "host": "h", "topic": "a", "password": "plain"},
        {"kind": "webhook", "url": "ftp://host/", "secret": "env:X"},
        {"kind": "webhook", "url": "https://", "secret": "env:X"},
        {"kind": "webhook", "url": "https://user:pass@host/", "secret": "env:X"},
        {"kind": "webhook", "url": "https://host/", "secret": "whsec_abc"},
        {"kind": "recording", "unknown": 1},
        {"kind": "smoke_signals"},
    ],
    ids=str,
)
def test_unusable_specifications_are_refused(spec: dict[str, object]) -> None:
    adapter: TypeAdapter[AnyChannelSpec] = TypeAdapter(ChannelSpec)
    with pytest.raises(ValidationError):
        adapter.validate_python({"id": "c", "name": "C", **spec})


# MQTT siren


async def test_siren_command_is_what_the_device_contract_says(mosquitto: Mosquitto) -> None:
    async with listening(mosquitto, f"{TOPIC}/set") as heard:
        siren = MqttSiren(siren_spec(mosquitto), clock=ManualClock(wall=1_767_600_000.0))
        await siren.set(SirenLevel.DANGER, ttl_s=6.0, reason="intrusion press")
        await siren.set(SirenLevel.OFF, ttl_s=6.0, reason="nothing is wrong")
        await until(lambda: len(heard) == 2)
        await siren.close()
    body = dict(heard[0].body)
    assert len(str(body.pop("id"))) == 32
    assert body == {
        "level": "danger",
        "on": True,
        "ttl_s": 6.0,
        "reason": "intrusion press",
        "at": "2026-01-05T08:00:00.000+00:00",
    }
    assert (heard[1].body["level"], heard[1].body["on"]) == ("off", False)
    assert {message.qos for message in heard} == {1}


async def test_siren_commands_are_not_retained(mosquitto: Mosquitto) -> None:
    siren = MqttSiren(siren_spec(mosquitto), clock=SystemClock())
    async with listening(mosquitto, f"{TOPIC}/set"):
        await siren.set(SirenLevel.DANGER, ttl_s=6.0, reason="before")
    async with listening(mosquitto, f"{TOPIC}/set") as late:
        await siren.set(SirenLevel.OFF, ttl_s=6.0, reason="after")
        await until(lambda: bool(late))
    await siren.close()
    assert [message.body["reason"] for message in late] == ["after"]


async def test_siren_that_nobody_listens_to_is_an_error(mosquitto: Mosquitto) -> None:
    siren = MqttSiren(siren_spec(mosquitto), clock=SystemClock())
    with pytest.raises(ChannelError, match="no siren listening on anjeon/siren-1/set"):
        await siren.set(SirenLevel.DANGER, ttl_s=6.0, reason="drill")
    await siren.check()
    await siren.close()


async def test_siren_that_its_broker_calls_offline_is_an_error(mosquitto: Mosquitto) -> None:
    availability = f"{TOPIC}/availability"
    async with (
        listening(mosquitto, f"{TOPIC}/set") as heard,
        aiomqtt.Client(mosquitto.host, mosquitto.port) as device,
    ):
        await device.publish(availability, b"offline", qos=1, retain=True)
        siren = MqttSiren(siren_spec(mosquitto), clock=SystemClock())
        await until_check_says(siren, "is offline")
        with pytest.raises(ChannelError, match="is offline"):
            await siren.set(SirenLevel.DANGER, ttl_s=6.0, reason="drill")
        await device.publish(availability, b'{"state": "online"}', qos=1, retain=True)
        await until_check_says(siren, "works")
        await siren.set(SirenLevel.DANGER, ttl_s=6.0, reason="drill")
        await siren.close()
        await until(lambda: len(heard) == 2)
    assert len(heard) == 2, "a command is published even to a device that seems to be offline"


async def until_check_says(siren: Siren, words: str) -> None:
    async with asyncio.timeout(10.0):
        while True:
            try:
                await siren.check()
            except ChannelError as error:
                said = str(error)
            else:
                said = "works"
            if words in said:
                return


@pytest.mark.parametrize(
    ("username", "password", "why"),
    [
        ("anjeon", "wrong-password", "ot authorized"),
        ("reader", "reader-password", "refused to take a message"),
        (None, None, "ot authorized"),
    ],
)
async def test_siren_with_wrong_rights_is_an_error_without_secrets(
    guarded_mosquitto: Mosquitto,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    username: str | None,
    password: str | None,
    why: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    more: dict[str, object] = {}
    if password is not None:
        monkeypatch.setenv("BROKER_PASSWORD", password)
        more = {"username": username, "password": "env:BROKER_PASSWORD"}
    spec = siren_spec(guarded_mosquitto, **more)
    siren = MqttSiren(spec, clock=SystemClock())
    with pytest.raises(ChannelError, match=why) as error:
        await siren.set(SirenLevel.DANGER, ttl_s=6.0, reason="drill")
    await siren.close()
    shown = f"{error.value} {dict(error.value.params)} {siren!r} {spec!r} {caplog.text}"
    assert password is None or password not in shown


async def test_siren_with_the_right_password_sounds(
    guarded_mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_PASSWORD", PASSWORD)
    spec = siren_spec(guarded_mosquitto, username="anjeon", password="env:BROKER_PASSWORD")
    reader = {"username": "reader", "password": "reader-password"}
    async with listening(guarded_mosquitto, f"{TOPIC}/set", **reader) as heard:
        siren = MqttSiren(spec, clock=SystemClock())
        await try_siren(siren)
        await until(lambda: bool(heard))
        await siren.close()
    assert heard[0].body["level"] == "warning"


async def test_siren_without_broker_fails_in_bounded_time(mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    siren = MqttSiren(siren_spec(mosquitto), clock=SystemClock())
    async with asyncio.timeout(MqttSiren.CONNECT_WAIT_S + 2.0):
        with pytest.raises(ChannelError, match="cannot be used"):
            await siren.set(SirenLevel.DANGER, ttl_s=6.0, reason="drill")
    await siren.close()


async def test_siren_over_tls(encrypted_mosquitto: tuple[Mosquitto, Certificate]) -> None:
    broker, certificate = encrypted_mosquitto
    trusting = siren_spec(broker, tls=True, ca_file=certificate.certificate)
    siren = MqttSiren(trusting, clock=SystemClock())
    await siren.check()
    await siren.close()


async def test_siren_over_tls_trusts_nobody_unknown(
    encrypted_mosquitto: tuple[Mosquitto, Certificate],
) -> None:
    siren = MqttSiren(siren_spec(encrypted_mosquitto[0], tls=True), clock=SystemClock())
    with pytest.raises(ChannelError, match="certificate verify failed"):
        await siren.check()
    await siren.close()


# Zigbee2MQTT siren


async def test_zigbee_siren_is_told_how_long_to_sound(mosquitto: Mosquitto) -> None:
    topic = "zigbee2mqtt/Press siren"
    spec = ZigbeeSirenSpec(
        id="z", name="Z", host=mosquitto.host, port=mosquitto.port, topic=topic, strobe=False
    )
    async with listening(mosquitto, f"{topic}/set") as heard:
        siren = open_channel(spec, clock=SystemClock())
        assert is_siren(siren)
        for level in (SirenLevel.DANGER, SirenLevel.WARNING, SirenLevel.OFF):
            await siren.set(level, ttl_s=5.2, reason="drill")
        await until(lambda: len(heard) == 3)
        await siren.check()
        await siren.close()
    assert [message.body["warning"] for message in heard] == [
        {"mode": "emergency", "level": "very_high", "strobe": False, "duration": 6},
        {"mode": "emergency", "level": "low", "strobe": False, "duration": 6},
        {"mode": "stop", "strobe": False, "duration": 0},
    ]
    assert not any(message.retained for message in heard)


async def test_zigbee_siren_that_its_bridge_calls_offline_is_an_error(
    mosquitto: Mosquitto,
) -> None:
    topic = "zigbee2mqtt/Press siren"
    spec = ZigbeeSirenSpec(id="z", name="Z", host=mosquitto.host, port=mosquitto.port, topic=topic)
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as bridge:
        await bridge.publish(f"{topic}/availability", b'{"state":"offline"}', qos=1, retain=True)
    siren = open_channel(spec, clock=SystemClock())
    assert is_siren(siren)
    await until_check_says(siren, "is offline")
    await siren.close()


# Webhook


async def test_webhook_is_signed_and_is_a_cloud_event(
    webhook_receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = WebhookMessenger(webhook_spec(webhook_receiver, monkeypatch), clock=SystemClock())
    await channel.send(notice(), timeout_s=5.0)
    await channel.close()
    [request] = webhook_receiver.taken
    assert request.headers["webhook-id"] == "n1"
    assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert request.event == {
        "specversion": "1.0",
        "id": "n1",
        "source": "/anjeon/alerts",
        "type": "kr.anjeon.alert.raised.v1",
        "subject": "a1",
        "time": "2026-01-05T08:00:01.500+00:00",
        "datacontenttype": "application/json",
        "data": {
            "alert_id": "a1",
            "event": "raised",
            "severity": "danger",
            "raised_at": "2026-01-05T08:00:00.000+00:00",
            "text": "프레스 구역에 사람이 있습니다",
            "camera_id": "cam-1",
        },
    }


@pytest.mark.parametrize(
    ("mode", "error", "why"),
    [
        ("500", ChannelBusy, "HTTP 500"),
        ("503-later", ChannelBusy, "HTTP 503"),
        ("429-later", ChannelBusy, "HTTP 429"),
        ("410", ChannelGone, "410 Gone"),
        ("401", ChannelRefused, "HTTP 401"),
        ("302", ChannelError, "HTTP 302"),
        ("hang", ChannelError, "did not answer within 0.4 s"),
        ("slow-loris", ChannelError, "did not answer within 0.4 s"),
        ("close", ChannelError, "cannot be reached"),
    ],
)
async def test_webhook_failures_are_told_apart_and_leak_nothing(
    webhook_receiver: WebhookReceiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    mode: Mode,
    error: type[ChannelError],
    why: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    spec = webhook_spec(webhook_receiver, monkeypatch)
    channel = WebhookMessenger(spec, clock=SystemClock())
    webhook_receiver.mode = mode
    with pytest.raises(ChannelError, match=why) as caught:
        async with asyncio.timeout(3.0):
            await channel.send(notice(), timeout_s=0.4)
    assert type(caught.value) is error
    shown = f"{caught.value} {dict(caught.value.params)} {channel!r} {spec!r} {caplog.text}"
    assert not [secret for secret in SECRETS if secret in shown]
    webhook_receiver.mode = "ok"
    await channel.send(notice(), timeout_s=5.0)
    await channel.close()


async def test_webhook_to_nobody_fails(
    webhook_receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = webhook_spec(webhook_receiver, monkeypatch)
    await webhook_receiver.stop()
    channel = WebhookMessenger(spec, clock=SystemClock())
    with pytest.raises(ChannelError, match="ConnectError"):
        await channel.send(notice(), timeout_s=5.0)
    await channel.close()


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [
        ("WEBHOOK_SECRET", "", "config.secret_missing"),
        ("WEBHOOK_SECRET", "whsec_==", "channel.webhook_secret"),
        ("WEBHOOK_SECRET", "whsec_!!!!é", "channel.webhook_secret"),
        ("WEBHOOK_SECRET", "whsec_dG9vIHNob3J0", "channel.webhook_secret"),
        ("WEBHOOK_SECRET", SECRET.removeprefix("whsec_"), "channel.webhook_secret"),
        ("WEBHOOK_URL", "ftp://nowhere", "channel.webhook_address"),
    ],
)
def test_webhook_secrets_that_cannot_be_used_are_named_not_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, key: str
) -> None:
    spec = webhook_spec(WebhookReceiver(port=1), monkeypatch)
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as error:
        open_channel(spec, clock=SystemClock())
    assert error.value.key == key
    assert not value or value not in str(error.value)


def test_certificate_authority_that_is_not_there_is_named(tmp_path: Path) -> None:
    spec = MqttSirenSpec(
        id="s", name="S", host="h", topic="t", tls=True, ca_file=tmp_path / "no.pem"
    )
    with pytest.raises(ConfigError, match="channel s"):
        open_channel(spec, clock=SystemClock())


# Recording


async def test_recording_keeps_to_the_time_to_live(tmp_path: Path) -> None:
    clock = ManualClock()
    channel = RecordingChannel(RecordingSpec(id="r", name="R"), clock=clock, data_dir=tmp_path)
    await channel.set(SirenLevel.DANGER, ttl_s=6.0, reason="drill")
    begin = clock.now()
    clock.advance(5.9)
    assert channel.level_at(clock.now()) is SirenLevel.DANGER
    clock.advance(0.2)
    assert channel.level is SirenLevel.OFF
    assert channel.level_at(begin.shifted(3.0)) is SirenLevel.DANGER
    assert channel.level_at(begin.shifted(-1.0)) is SirenLevel.OFF


async def test_recording_survives_in_a_file(tmp_path: Path) -> None:
    channel = RecordingChannel(
        RecordingSpec(id="r", name="R"), clock=SystemClock(), data_dir=tmp_path
    )
    assert read_recording(channel.path) == []
    await channel.set(SirenLevel.DANGER, ttl_s=6.0, reason="drill")
    await channel.send(notice(), timeout_s=1.0)
    await channel.send(notice(), timeout_s=1.0)
    with channel.path.open("a") as file:
        file.write('{"half a li')
    entries = read_recording(channel.path)
    assert [entry["what"] for entry in entries] == ["siren", "notice"]
    assert entries[0]["level"] == "danger"
    assert entries[1]["id"] == "n1"


async def test_recording_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spec = RecordingSpec(id="r", name="R", path=tmp_path / "file" / "below")
    channel = RecordingChannel(spec, clock=SystemClock(), data_dir=tmp_path)
    with pytest.raises(ChannelError, match="cannot be written"):
        await channel.send(notice(), timeout_s=1.0)
    assert channel.notices == {}, "it must be written when it is tried again"
