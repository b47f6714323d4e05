"""The AsyncAPI document describes what really goes over the wire."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from alerts.channels.base import Notice, SirenLevel
from alerts.channels.mqtt import MqttSiren, MqttSirenSpec
from alerts.channels.mqtt_events import MqttEventsMessenger, MqttEventsSpec
from alerts.channels.webhook import WebhookMessenger, WebhookSpec, cloud_event
from safety.clock import SystemClock
from tests.support.mosquitto import Mosquitto, listening
from tests.support.waiting import until
from tests.support.webhook_receiver import SECRET, WebhookReceiver

DOCUMENT: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "docs" / "asyncapi.yaml").read_text("utf-8")
)
EVENTS: list[str] = DOCUMENT["components"]["parameters"]["event"]["enum"]

NOTICE = Notice(
    id="n1",
    event="raised",
    alert_id="a1",
    severity="danger",
    raised_at=1_767_600_000.0,
    text="[안산] 프레스 3에 사람이 있습니다",
    data={
        "site": "안산",
        "kind": "violation",
        "camera_id": "press",
        "zone_id": None,
        "link": "https://anjeon.example.com/alerts/a1",
        "details": {"anything": 1},
    },
)


def validator(schema: str) -> Draft202012Validator:
    registry = Registry().with_resource(
        "urn:events", Resource.from_contents(DOCUMENT, default_specification=DRAFT202012)
    )
    reference = {"$ref": f"urn:events#/components/schemas/{schema}"}
    return Draft202012Validator(
        reference, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def test_every_reference_leads_somewhere_and_schemas_are_schemas() -> None:
    for reference in references(DOCUMENT):
        node: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    sent = {each["channel"]["$ref"] for each in DOCUMENT["operations"].values()}
    assert sent == {f"#/channels/{name}" for name in DOCUMENT["channels"]}


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_mqtt_events_are_as_documented(mosquitto: Mosquitto, protocol: str) -> None:
    spec = MqttEventsSpec.model_validate(
        {
            "id": "events",
            "name": "Events",
            "host": mosquitto.host,
            "port": mosquitto.port,
            "protocol": protocol,
            "topic": "plant/anjeon",
        }
    )
    messenger = MqttEventsMessenger(spec, clock=SystemClock())
    async with listening(mosquitto, "plant/anjeon/alerts/#") as heard:
        for event in EVENTS:
            receipt = await messenger.send(replace(NOTICE, id=event, event=event), timeout_s=10.0)
            assert receipt.latency_s >= 0
        await until(lambda: len(heard) == len(EVENTS))
    await messenger.close()
    for event, message in zip(EVENTS, heard, strict=True):
        assert message.topic == f"plant/anjeon/alerts/{event}/danger"
        assert message.qos == 1
        validator("AlertEvent").validate(message.body)
        assert message.body["id"] == event


async def test_webhooks_are_as_documented(
    webhook_receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    spec = WebhookSpec(id="w", name="W", url=webhook_receiver.url, secret="env:WEBHOOK_SECRET")
    messenger = WebhookMessenger(spec, clock=SystemClock())
    await messenger.send(NOTICE, timeout_s=10.0)
    await messenger.close()
    [request] = webhook_receiver.taken
    validator("AlertEvent").validate(request.event)
    validator("SignatureHeaders").validate(request.headers)


async def test_siren_commands_are_as_documented(mosquitto: Mosquitto) -> None:
    spec = MqttSirenSpec.model_validate(
        {"id": "s", "name": "S", "host": mosquitto.host, "port": mosquitto.port, "topic": "a/b"}
    )
    siren = MqttSiren(spec, clock=SystemClock())
    async with listening(mosquitto, "a/b/set") as heard:
        for level in SirenLevel:
            await siren.set(level, ttl_s=6.0, reason="drill")
        await until(lambda: len(heard) == len(SirenLevel))
    await siren.close()
    for message in heard:
        validator("SirenCommand").validate(message.body)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "kr.anjeon.alert.exploded.v1"},
        {"specversion": "0.3"},
        {"data": {"alert_id": "a1"}},
        {"time": 7},
        {"more": 1},
    ],
)
def test_what_is_not_an_event_is_not_valid(changes: dict[str, object]) -> None:
    good = yaml.safe_load(cloud_event(NOTICE).decode())
    validator("AlertEvent").validate(good)
    with pytest.raises(ValidationError):
        validator("AlertEvent").validate({**good, **changes})
