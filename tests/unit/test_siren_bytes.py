"""What goes over the wire to sirens, byte by byte, against the makers' own examples."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from alerts.channels import onvif_soap
from alerts.channels.base import SirenLevel
from alerts.channels.modbus_relay import ModbusRelaySpec
from alerts.channels.patlite import PatliteSpec
from alerts.channels.patlite_frames import (
    FLASH,
    KEEP,
    LA6,
    NH,
    OFF,
    ON,
    Show,
    phn,
    pns,
    pns_status,
    query,
    registers,
)
from alerts.channels.patlite_twin import TowerTwin
from alerts.channels.siren_spec import LatchingSpec
from alerts.specs import AnyChannelSpec, AnySirenSpec, ChannelSpec
from tests.support.siren_rigs import LATCHES

CATALOGUE = Show(colours=(4, 6, 0, 9, 1), buzzer=11)
"""Green, blue, off, white, red; alarm 11: the example of the LA6-POE catalogue."""


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (pns(LA6, CATALOGUE), "41 42 44 00 00 07 04 06 00 09 01 00 0B"),
        (
            pns(NH, Show(lamps=(ON, OFF, FLASH, KEEP, OFF), buzzer=3)),
            "58 58 53 00 00 06 01 00 02 09 00 03",
        ),
        (
            pns(LA6, Show(lamps=(FLASH, OFF, OFF, OFF, OFF), buzzer=1)),
            "41 42 53 00 00 06 02 00 00 00 00 01",
        ),
        (pns_status(NH), "58 58 47 00 00 00"),
        (phn(Show(lamps=(ON, FLASH, ON, OFF, OFF), buzzer=2)), "57 55"),
        (phn(Show(lamps=(ON, FLASH, OFF, OFF, OFF), buzzer=2)), "57 51"),
        (phn(Show()), "57 00"),
    ],
)
def test_patlite_frames(frame: bytes, expected: str) -> None:
    assert frame == bytes.fromhex(expected)


def test_patlite_http_queries() -> None:
    assert query(CATALOGUE) == "color=46091&buzzer=11"
    assert query(Show(colours=(1,) * 5, flash=True)) == "color=11111&buzzer=0&flash=1"
    assert query(Show(lamps=(FLASH, ON, OFF, KEEP, OFF), buzzer=2)) == "alert=210902"


def test_patlite_registers_say_that_they_control_and_leave_out_what_is_kept() -> None:
    show = Show(lamps=(ON, FLASH, KEEP, OFF, OFF), buzzer=2)
    assert registers(show) == [(0, 257), (1, 258), (3, 256), (4, 256), (5, 258)]


@pytest.mark.parametrize(
    ("more", "level", "lamps", "buzzer"),
    [
        ({}, "danger", (FLASH, OFF, OFF, OFF, OFF), 1),
        ({}, "warning", (OFF, ON, OFF, OFF, OFF), 0),
        ({}, "off", (OFF, OFF, OFF, OFF, OFF), 0),
        ({"other_lamps": "keep"}, "danger", (FLASH, OFF, KEEP, KEEP, KEEP), 1),
        ({"other_lamps": "keep"}, "off", (OFF, OFF, KEEP, KEEP, KEEP), 0),
        ({"warning_lamps": [], "warning_buzzer": 2}, "warning", (OFF,) * 5, 2),
        ({"danger_lamps": ["red", "white"], "danger_light": "on"}, "danger", (1, 0, 0, 0, 1), 1),
    ],
)
def test_a_tower_shows_a_level_as_configured(
    more: dict[str, object], level: str, lamps: tuple[int, ...], buzzer: int
) -> None:
    spec = PatliteSpec.model_validate({"id": "t", "name": "T", "host": "h", **LATCHES, **more})
    assert spec.show(SirenLevel(level)) == Show(lamps=lamps, buzzer=buzzer)


@pytest.mark.parametrize(
    ("protocol", "request_hex", "answer"),
    [
        ("pns_nh", "58 58 53 00 00 06 01 00 02 09 00 03", b"\x06"),
        ("pns_nh", "58 58 53 00 00 06 01 00 02 09 00 05", b"\x15"),
        ("pns_nh", "58 58 53 00 00 06 07 00 02 09 00 03", b"\x15"),
        ("pns_nh", "58 58 53 01 00 06 01 00 02 09 00 03", b"\x15"),
        ("pns_nh", "58 58 44 00 00 07 04 06 00 09 01 00 0B", b"\x15"),
        ("pns_nh", "41 42 53 00 00 06 01 00 02 09 00 03", b"\x15"),
        ("pns_la6", "41 42 44 00 00 07 04 06 00 09 01 00 0B", b"\x06"),
        ("pns_la6", "41 42 44 00 00 07 04 06 00 09 01 02 0B", b"\x15"),
        ("pns_la6", "41 42 43 00 00 00", b"\x06"),
        ("pns_la6", "41 42 47 00 00 00", b"\0\0\0\0\0\0"),
        ("phn", "57 55", b"ACK"),
        ("phn", "52", b"R\0"),
        ("phn", "51 55", b"NAK"),
    ],
)
def test_the_tower_twin_refuses_what_a_tower_would(
    protocol: str, request_hex: str, answer: bytes
) -> None:
    twin = TowerTwin(protocol)
    before = twin.show
    assert twin.answer(bytes.fromhex(request_hex)) == answer
    if answer in (b"\x15", b"NAK"):
        assert (twin.show, twin.refused) == (before, 1)


def test_modbus_relays_by_level() -> None:
    spec = ModbusRelaySpec.model_validate(
        {"id": "r", "name": "R", "host": "h", "danger_coils": [5, 2], "warning_coils": [7, 2]}
        | LATCHES
    )
    assert spec.coils(SirenLevel.DANGER) == {2: True, 5: True, 7: False}
    assert spec.coils(SirenLevel.WARNING) == {2: True, 5: False, 7: True}
    assert spec.coils(SirenLevel.OFF) == {2: False, 5: False, 7: False}


def test_onvif_token_has_the_digest_and_never_the_password() -> None:
    nonce = bytes(range(16))
    token = onvif_soap.username_token("u<ser", "s3cret", datetime(2026, 1, 5, tzinfo=UTC), nonce)
    sha1 = hashlib.sha1(nonce + b"2026-01-05T00:00:00.000Zs3cret").digest()
    digest = base64.b64encode(sha1).decode()
    assert f">{digest}<" in token
    assert "u&lt;ser" in token
    assert "s3cret" not in token


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "patlite", "host": "h"},
        {"kind": "patlite", "host": "h", **LATCHES, "protocol": "phn", "danger_lamps": ["blue"]},
        {"kind": "patlite", "host": "h", **LATCHES, "protocol": "phn", "other_lamps": "keep"},
        {"kind": "patlite", "host": "h", **LATCHES, "danger_buzzer": 5},
        {"kind": "patlite", "host": "h", **LATCHES, "danger_colours": "11111"},
        {"kind": "patlite", "host": "h", **LATCHES, "protocol": "pns_la6", "danger_colours": "x"},
        {"kind": "patlite", "host": "", **LATCHES},
        {"kind": "modbus_relay", "host": "h"},
        {"kind": "modbus_relay", "host": "h", **LATCHES, "danger_coils": []},
        {"kind": "modbus_relay", "host": "h", "device_watchdog_s": 1},
        {"kind": "http_relay", "danger_url": "http://h/on", "off_url": "http://h/off"},
        {"kind": "http_relay", "danger_url": "h/on?t={ttl_s}", "off_url": "http://h/off"},
        {"kind": "http_relay", "danger_url": "http://h/{x}?t={ttl_s}", "off_url": "http://h/off"},
        {"kind": "http_relay", "danger_url": "http://u:p@h/{ttl_s}", "off_url": "http://h/off"},
        {"kind": "onvif_relay", "host": "h", "mode": "bistable"},
        {"kind": "onvif_relay", "host": "h", "path": "no-slash"},
        {"kind": "gpio", "danger_pins": [17]},
        {"kind": "gpio", "danger_pins": [], **LATCHES},
        {"kind": "axis_speaker", "host": "h"},
        {"kind": "axis_speaker", "host": "h", "danger_clip": 1, "username": "u"},
        {"kind": "zigbee_siren", "host": "h", "topic": "zigbee2mqtt/+"},
        {"kind": "zigbee_siren", "host": "h", "topic": "a", "danger_mode": "loud"},
        {"kind": "mqtt_siren", "host": "h", "topic": "a", "quiet_when": "never"},
        {"kind": "mqtt_siren", "host": "h", "topic": "a", "self_test_at": "24:00"},
        {"kind": "mqtt_siren", "host": "h", "topic": "a", "self_test_day": "today"},
    ],
    ids=str,
)
def test_unusable_specifications_are_refused(spec: dict[str, object]) -> None:
    adapter: TypeAdapter[AnyChannelSpec] = TypeAdapter(ChannelSpec)
    with pytest.raises(ValidationError):
        adapter.validate_python({"id": "c", "name": "C", **spec})


@pytest.mark.parametrize(
    ("spec", "quiet_by_itself"),
    [
        ({"kind": "modbus_relay", "host": "h", "device_watchdog_s": 6}, True),
        ({"kind": "modbus_relay", "host": "h", **LATCHES}, False),
        ({"kind": "onvif_relay", "host": "h"}, True),
        ({"kind": "onvif_relay", "host": "h", "mode": "bistable", **LATCHES}, False),
        (
            {"kind": "http_relay", "danger_url": "http://h/on?t={ttl_s}", "off_url": "http://h/"},
            True,
        ),
    ],
    ids=str,
)
def test_a_device_with_a_timer_needs_no_acknowledgement(
    spec: dict[str, object], quiet_by_itself: bool
) -> None:
    adapter: TypeAdapter[AnyChannelSpec] = TypeAdapter(ChannelSpec)
    parsed = adapter.validate_python({"id": "c", "name": "C", **spec})
    assert isinstance(parsed, LatchingSpec)
    assert parsed.quiet_by_itself is quiet_by_itself


def test_the_examples_of_the_documentation_can_be_used() -> None:
    text = (Path(__file__).parents[2] / "docs" / "sirens.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    adapter: TypeAdapter[AnyChannelSpec] = TypeAdapter(ChannelSpec)
    kinds = []
    for example in examples:
        [spec] = yaml.safe_load(example.removeprefix("channels:\n"))
        kinds.append(adapter.validate_python(spec).kind)
    assert sorted(kinds) == sorted(
        spec.model_fields["kind"].default for spec in get_args(AnySirenSpec)
    )
