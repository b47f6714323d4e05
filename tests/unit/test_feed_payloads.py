"""Sparkplug payloads byte by byte, MTConnect answers, and posted states."""

import contextlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.clock import ManualClock, SystemClock
from tests.support.feeds import TOKEN, TOKEN_VARIABLE, HttpPushPlant, MtConnectPlant
from zones.feeds.hub import FeedHub
from zones.feeds.mtconnect import MtConnectFeed, MtConnectSpec
from zones.feeds.payload import Refused
from zones.feeds.port import FeedPort
from zones.feeds.sparkplug_payload import (
    BOOLEAN,
    INT32,
    INT64,
    TEXT,
    Metric,
    Payload,
    read_payload,
    write_payload,
)

GOLDEN = b"".join(
    (
        bytes.fromhex("08 8098c59fe231"),  # timestamp 1 710 000 000 000
        b"\x12\x0d",  # a metric of 13 bytes
        b"\x0a\x04Mode\x10\x07",  # its name and alias 7
        b"\x20\x0c\x7a\x01R",  # data type 12, string "R"
        b"\x12\x0f",  # a metric of 15 bytes
        b"\x10\x08\x20\x03",  # alias 8, data type 3
        b"\x50\xff\xff\xff\xff\x0f",  # int_value 2**32 - 1: minus one
        b"\x18\xc8\x01",  # its own timestamp
        b"\x28\x00",  # is_historical, which is not read
        b"\x18\x2a",  # seq 42
    )
)


def test_a_payload_written_by_hand_is_read() -> None:
    assert read_payload(GOLDEN) == Payload(
        timestamp=1_710_000_000_000,
        seq=42,
        metrics=(
            Metric(name="Mode", alias=7, datatype=TEXT, value="R"),
            Metric(alias=8, datatype=INT32, value=-1),
        ),
    )


METRICS = st.one_of(
    st.builds(Metric, name=st.text(max_size=9), datatype=st.just(TEXT), value=st.text(max_size=9)),
    st.builds(Metric, alias=st.integers(0, 99), datatype=st.just(BOOLEAN), value=st.booleans()),
    st.builds(Metric, datatype=st.just(INT32), value=st.integers(-(2**31), 2**31 - 1) | st.none()),
    st.builds(Metric, datatype=st.just(INT64), value=st.integers(-(2**63), 2**63 - 1)),
    st.builds(Metric, datatype=st.just(10), value=st.floats(allow_nan=False, allow_infinity=False)),
)


@given(st.integers(0, 255) | st.none(), st.lists(METRICS, max_size=5))
def test_what_is_written_is_read(seq: int | None, metrics: list[Metric]) -> None:
    payload = Payload(timestamp=5, seq=seq, metrics=tuple(metrics))
    assert read_payload(write_payload(payload)) == payload


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with contextlib.suppress(Refused):
        assert isinstance(read_payload(data), Payload)


def test_numbers_that_are_none_have_no_value() -> None:
    payload = Payload(metrics=(Metric(datatype=10, value=float("nan")),))
    assert read_payload(write_payload(payload)).metrics[0].value is None


@pytest.mark.parametrize(
    ("execution", "extra", "state", "refusal"),
    [
        ("ACTIVE", "", "running", None),
        ("FEED_HOLD", "", "running", None),
        ("INTERRUPTED", "", "running", None),
        ("READY", "", "idle", None),
        ("STOPPED", "", "idle", None),
        ("UNAVAILABLE", "", "unknown", None),
        ("DANCING", "", "unknown", "unknown_value"),
        ("READY", "<Availability>UNAVAILABLE</Availability>", "unknown", None),
        ("READY", "<EmergencyStop>ARMED</EmergencyStop>", "idle", None),
        ("READY", "<EmergencyStop>TRIGGERED</EmergencyStop>", "unknown", None),
        ("ACTIVE", "<EmergencyStop>TRIGGERED</EmergencyStop>", "running", None),
        ("READY", '<Execution dataItemId="e2">READY</Execution>', "unknown", "schema"),
    ],
)
def test_what_an_agent_says(execution: str, extra: str, state: str, refusal: str | None) -> None:
    feed, port, clock = _mtconnect()
    feed.take(MtConnectPlant().document(execution=execution, extra=extra).encode())
    assert port.state("press", clock.now())[0] == state
    assert list(port.refusals) == ([refusal] if refusal else [])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html/>",
        b"<MTConnectError/>",
        b"<MTConnectStreams",
        b'<!DOCTYPE a [<!ENTITY b "c">]><MTConnectStreams/>',
        b"\xff\x00",
    ],
)
def test_answers_that_are_none(content: bytes) -> None:
    feed, port, clock = _mtconnect()
    with pytest.raises(Refused):
        feed.take(content)
    assert port.state("press", clock.now())[0] == "unknown"


def test_a_device_that_the_agent_does_not_have_is_said_and_unknown() -> None:
    feed, port, clock = _mtconnect()
    good = MtConnectPlant().document()
    feed.take(good.encode())
    assert port.state("press", clock.now())[0] == "running"
    feed.take(good.replace('name="Press"', 'name="Lathe"').encode())
    assert port.state("press", clock.now())[0] == "unknown"
    assert list(port.refusals) == ["unknown_machine"]


async def test_posted_states_need_the_token_the_form_and_a_reasonable_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    plant = HttpPushPlant()
    hub = FeedHub(clock=SystemClock(), changed=lambda: None)
    await hub.configure(plant.plant_spec())
    await plant.start(hub)
    try:
        for body, token, status in (
            ({"machines": {"press": "STOP"}}, TOKEN, 200),
            ({"machines": {"press": "STOP"}}, "wrong", 401),
            (b"{", TOKEN, 400),
            (b'{"machines": {"press": NaN}}', TOKEN, 400),
            ([], TOKEN, 422),
            ({"machines": {"lathe": 1}}, TOKEN, 422),
            ({"machines": {"press": 1}, "at": "noon"}, TOKEN, 422),
            ({"machines": {"press": 1}, "more": 1}, TOKEN, 422),
            (b'"' + b"a" * 70_000 + b'"', TOKEN, 413),
        ):
            answer = await plant.post(body, token=token)
            assert answer.status_code == status, (body, answer.text)
        async with httpx.AsyncClient(trust_env=False) as client:
            other = await client.post(
                plant.address.replace("/feeds/feed", "/feeds/other"), content=b"{}"
            )
        assert other.status_code == 404
    finally:
        await plant.stop()
        await hub.close()


async def test_a_missing_token_is_said_and_the_other_feeds_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    hub = FeedHub(clock=SystemClock(), changed=lambda: None)
    await hub.configure(HttpPushPlant().plant_spec())
    problem = hub.ports["feed"].problem
    assert problem is not None
    assert problem.key == "config.secret_missing"
    assert hub.machines(SystemClock().now())[0].state == "unknown"
    assert hub.pusher("feed") is None
    await hub.close()


def _mtconnect() -> tuple[MtConnectFeed, FeedPort, ManualClock]:
    spec, clock = MtConnectPlant().spec, ManualClock()
    assert isinstance(spec, MtConnectSpec)
    port = FeedPort(
        "feed",
        "mtconnect",
        machine_ids=("press",),
        vehicle_ids=(),
        stale_after_s=5.0,
        clock=clock,
        changed=lambda: None,
    )
    return MtConnectFeed(spec, port, clock=clock), port, clock
