"""The form of channels: every kind can be filled in, every field has words, mistakes are named."""

from collections.abc import Sequence
from typing import Any, get_args

import pytest
from starlette.datastructures import FormData, UploadFile

from alerts.open import AnyChannelSpec
from dashboard.channel_fields import CHANNEL_KINDS, fields_of
from dashboard.channel_forms import CHANNEL, filled_channel
from dashboard.spec_fields import SpecField, values_of
from safety.i18n import LANGUAGES, Language, catalogue, translator

ALIMTALK = {"template_code": "t1", "phones": ["010-1234-5678"], "sms_from": "02-123-4567"}
SPECS: dict[str, dict[str, Any]] = {
    "patlite": {"host": "10.0.0.5", "stays_on_if_anjeon_dies": True, "danger_lamps": ["red"]},
    "modbus_relay": {"host": "10.0.0.5", "device_watchdog_s": 6, "danger_coils": [0, 3]},
    "onvif_relay": {"host": "10.0.0.5", "danger_relays": ["relay 1"], "warning_relays": None},
    "http_relay": {
        "danger_url": "http://10.0.0.5/on?timer=10",
        "off_url": "http://10.0.0.5/off",
        "stays_on_if_anjeon_dies": True,
    },
    "gpio": {"danger_pins": [17, 27], "stays_on_if_anjeon_dies": True},
    "axis_speaker": {"host": "10.0.0.5", "danger_clip": 3, "warning_volume": 80},
    "mqtt_siren": {"host": "broker", "topic": "a/b", "password": "env:PW", "username": "me"},
    "zigbee_siren": {"host": "broker", "topic": "zigbee2mqtt/siren", "strobe": False},
    "kakaowork": {"app_key": "env:K", "emails": ["a@example.com", "b@example.com"]},
    "naverworks": {
        "bot_id": "7",
        "client_id": "c",
        "client_secret": "env:S",
        "service_account": "a.serviceaccount@example.com",
        "private_key": "file:/etc/anjeon/naver.key",
        "room_id": "abc-1",
    },
    "alimtalk_nhn": {
        **ALIMTALK,
        "app_key": "env:K",
        "secret_key": "env:S",
        "sender_key": "s" * 40,
        "template": "#{현장}\n#{내용}\n#{링크}",
    },
    "alimtalk_sens": {
        **ALIMTALK,
        "service_id": "ncp:1",
        "access_key": "env:K",
        "secret_key": "env:S",
        "channel": "@c",
    },
    "alimtalk_solapi": {
        **ALIMTALK,
        "api_key": "env:K",
        "api_secret": "env:S",
        "channel": "PF1",
        "sms_from": None,
    },
    "apprise": {"urls": ["env:A", "tgram://{env:T}/1"], "picture": "blurred"},
    "webhook": {"url": "https://host/hook", "secret": "env:S", "ca_file": "/etc/ca.pem"},
    "webpush": {"contact": "safety@example.com", "services": ["mozilla.com"]},
    "mqtt_events": {"host": "broker", "topic": "plant/anjeon", "protocol": "3.1.1"},
    "recording": {},
}


def channels() -> Sequence[AnyChannelSpec]:
    common = {"id": "c1", "name": "이름", "enabled": False}
    return [
        CHANNEL.validate_python({**common, **more, "kind": kind}) for kind, more in SPECS.items()
    ]


def sent(fields: tuple[SpecField, ...], values: dict[str, Any]) -> FormData:
    """What a browser sends for a form with these values."""
    pairs: list[tuple[str, str | UploadFile]] = []
    for field in fields:
        value = values[field.name]
        match field.widget:
            case "flag":
                pairs += [(field.name, "yes")] if value else []
            case "choices":
                pairs += [(field.name, each) for each in value]
            case _:
                text = "" if value is None else str(value)
                pairs.append((field.name, text.replace("\n", "\r\n")))
    return FormData(pairs)


def filled(kind: str, values: dict[str, Any], **common: str) -> Any:
    form = FormData([*sent(fields_of(kind), values).multi_items(), *common.items()])
    return filled_channel(form, translator("en"), kind=kind, channel_id="c1")


def test_every_kind_has_a_form() -> None:
    kinds = {spec.model_fields["kind"].default for spec in get_args(AnyChannelSpec)}
    assert set(SPECS) == set(CHANNEL_KINDS) == kinds


@pytest.mark.parametrize("spec", channels(), ids=lambda spec: spec.kind)
def test_a_form_sent_back_unchanged_gives_the_same_channel(spec: AnyChannelSpec) -> None:
    values = values_of(fields_of(spec.kind), spec.model_dump(mode="json"))
    result = filled(spec.kind, values, name="이름")
    assert result.problems == {}
    assert result.spec == spec


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", CHANNEL_KINDS)
def test_every_field_and_option_has_a_text(kind: str, language: Language) -> None:
    known = catalogue(language)
    keys = [f"channels.kind.{kind}"]
    for field in fields_of(kind):
        keys += [field.text_key, *(field.option_key(option) for option in field.options)]
    assert [key for key in keys if key not in known] == []


@pytest.mark.parametrize(
    ("kind", "changes", "field", "said"),
    [
        ("kakaowork", {"emails": "a@example.com\nnobody"}, "emails", ""),
        ("kakaowork", {"emails": ""}, "form", "at least one recipient"),
        ("kakaowork", {"app_key": "the key itself"}, "app_key", ""),
        ("alimtalk_nhn", {"template": "#{이름}"}, "template", "#{이름} is no variable"),
        ("alimtalk_nhn", {"template": "#{내용}#{내용}"}, "template", "once"),
        ("alimtalk_sens", {"phones": "call me"}, "phones", ""),
        ("apprise", {"urls": "slack://T1/B1/x"}, "urls", "{env:NAME}"),
        ("mqtt_events", {"port": "many"}, "port", ""),
        ("mqtt_events", {"port": "70000"}, "port", ""),
        ("mqtt_events", {"topic": "a/#"}, "topic", ""),
        ("webhook", {"url": "https://user:pass@host/"}, "url", ""),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    kind: str, changes: dict[str, str], field: str, said: str
) -> None:
    spec = next(each for each in channels() if each.kind == kind)
    values = values_of(fields_of(kind), spec.model_dump(mode="json"))
    result = filled(kind, {**values, **changes}, name="A channel")
    assert result.spec is None
    assert list(result.problems) == [field]
    assert said in result.problems[field]
    assert result.values[next(iter(changes))] == next(iter(changes.values()))


def test_a_secret_is_never_asked_for() -> None:
    """Whatever is secret takes a reference; a text field with such a name would be a mistake."""
    named = {
        (kind, field.name)
        for kind in CHANNEL_KINDS
        for field in fields_of(kind)
        if any(word in field.name for word in ("secret", "password", "_key")) and not field.secret
    }
    assert named == {("alimtalk_nhn", "sender_key")}, "the sender key names a channel"
