"""What every siren must do, each on a device that checks what it is told."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import get_args

import pytest
from pydantic import TypeAdapter

from alerts.channels import siren_http, siren_modbus, siren_tcp
from alerts.channels.base import Siren, SirenLevel
from alerts.open import is_siren, open_channel
from alerts.ping import ping_channel, try_siren
from alerts.specs import AnyChannelSpec, AnySirenSpec, ChannelSpec
from safety.clock import SystemClock
from safety.errors import ChannelError, ChannelRefused
from tests.support.siren_rigs import PASSWORD, RIGS, VARIABLE, Rig
from tests.support.waiting import until

OFF, WARNING, DANGER = SirenLevel.OFF, SirenLevel.WARNING, SirenLevel.DANGER
CHANNEL: TypeAdapter[AnyChannelSpec] = TypeAdapter(ChannelSpec)
WITH_LOGIN = ("onvif_relay", "http_relay with timer", "http_relay", "axis_speaker")
ON_NETWORK = [name for name in RIGS if name != "gpio"]

Open = Callable[[Rig], Siren]


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drivers wait for an answer as long as a test may."""
    monkeypatch.setattr(siren_tcp, "ANSWER_S", 0.15)
    monkeypatch.setattr(siren_modbus, "TIMEOUT_S", 0.15)
    monkeypatch.setattr(siren_http, "TIMEOUT_S", 0.15)


@pytest.fixture(params=list(RIGS))
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    rig: Rig = RIGS[request.param]()
    await rig.start()
    yield rig
    await rig.stop()


@pytest.fixture
async def open_siren() -> AsyncIterator[Open]:
    opened: list[Siren] = []

    def make(rig: Rig) -> Siren:
        spec = CHANNEL.validate_python({"id": "siren", "name": "Siren", **rig.spec})
        driver = open_channel(spec, clock=SystemClock())
        assert is_siren(driver)
        opened.append(driver)
        return driver

    yield make
    for siren in opened:
        await siren.close()


async def test_shows_what_it_is_told_and_confirms(rig: Rig, open_siren: Open) -> None:
    siren = open_siren(rig)
    before = SystemClock().now().monotonic
    for level in (DANGER, WARNING, OFF, WARNING, DANGER, DANGER, DANGER, OFF, OFF):
        receipt = await siren.set(level, ttl_s=6.0, reason="drill")
        assert rig.level is level
        assert 0 <= receipt.latency_s <= receipt.at.monotonic - before


async def test_goes_quiet_when_nobody_prolongs_it(rig: Rig, open_siren: Open) -> None:
    siren = open_siren(rig)
    await siren.set(DANGER, ttl_s=0.2, reason="drill")
    assert rig.level is DANGER
    await until(lambda: rig.level is OFF, limit_s=5.0)


async def test_prolonging_keeps_it_sounding(rig: Rig, open_siren: Open) -> None:
    siren = open_siren(rig)
    await siren.set(DANGER, ttl_s=0.2, reason="drill")
    await siren.set(DANGER, ttl_s=60.0, reason="drill")
    await asyncio.sleep(0.4)
    assert rig.level is DANGER


async def test_being_asked_changes_nothing(rig: Rig, open_siren: Open) -> None:
    siren = open_siren(rig)
    await ping_channel(siren, clock=SystemClock(), text="not for sirens")
    assert rig.level is OFF
    await siren.set(DANGER, ttl_s=6.0, reason="drill")
    receipt = await siren.check()
    assert receipt.detail
    assert rig.level is DANGER


async def test_closing_leaves_nothing_sounding_that_cannot_end_by_itself(
    rig: Rig, open_siren: Open
) -> None:
    siren = open_siren(rig)
    await siren.set(DANGER, ttl_s=60.0, reason="drill")
    await siren.close()
    await siren.close()
    assert rig.level is (DANGER if siren.keeps_time else OFF)


async def test_the_test_button_sounds_at_the_mildest_level(rig: Rig, open_siren: Open) -> None:
    siren = open_siren(rig)
    testing = asyncio.create_task(try_siren(siren, seconds=0.3))
    await until(lambda: rig.level is WARNING)
    await testing
    await until(lambda: rig.level is OFF)


@pytest.mark.parametrize("rig", ON_NETWORK, indirect=True)
async def test_a_device_without_power_is_an_error_until_it_is_back(
    rig: Rig, open_siren: Open
) -> None:
    siren = open_siren(rig)
    await siren.set(WARNING, ttl_s=60.0, reason="drill")
    await rig.stop()
    for attempt in (siren.set(DANGER, ttl_s=60.0, reason="drill"), siren.check()):
        with pytest.raises(ChannelError, match="cannot be reached"):
            await attempt
    await rig.start()
    await siren.set(DANGER, ttl_s=60.0, reason="drill")
    assert rig.level is DANGER


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("rig", ON_NETWORK, indirect=True)
async def test_a_device_that_hangs_is_an_error_in_time_and_leaks_nothing(
    rig: Rig, open_siren: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    siren = open_siren(rig)
    assert rig.server is not None
    rig.server.mode = "hang"
    async with asyncio.timeout(4.0):
        for attempt in (siren.set(DANGER, ttl_s=60.0, reason="drill"), siren.check()):
            with pytest.raises(ChannelError, match="did not answer") as error:
                await attempt
    rig.server.mode = "ok"
    await siren.set(WARNING, ttl_s=60.0, reason="drill")
    assert rig.level is WARNING
    assert PASSWORD not in f"{error.value} {dict(error.value.params)} {siren!r} {caplog.text}"


@pytest.mark.parametrize("rig", ON_NETWORK, indirect=True)
async def test_a_device_that_refuses_is_an_error(rig: Rig, open_siren: Open) -> None:
    siren = open_siren(rig)
    assert rig.server is not None
    rig.server.mode = "refuse"
    with pytest.raises(ChannelError, match=r"refused|unexpected"):
        await siren.set(DANGER, ttl_s=60.0, reason="drill")


@pytest.mark.parametrize("rig", ON_NETWORK, indirect=True)
async def test_a_command_that_is_given_up_does_not_hold_up_the_next(
    rig: Rig, open_siren: Open
) -> None:
    siren = open_siren(rig)
    assert rig.server is not None
    rig.server.mode = "hang"
    hanging = asyncio.create_task(siren.set(WARNING, ttl_s=60.0, reason="drill"))
    await asyncio.sleep(0.05)
    rig.server.mode = "ok"
    async with asyncio.timeout(1.0):
        await siren.set(DANGER, ttl_s=60.0, reason="drill")
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    assert rig.level is DANGER


@pytest.mark.parametrize("rig", WITH_LOGIN, indirect=True)
async def test_wrong_credentials_are_told_and_not_shown(
    rig: Rig,
    open_siren: Open,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv(VARIABLE, "wrong-5e11")
    siren = open_siren(rig)
    with pytest.raises(ChannelRefused, match="did not accept") as error:
        await siren.set(DANGER, ttl_s=60.0, reason="drill")
    with pytest.raises(ChannelRefused, match="did not accept"):
        await siren.check()
    shown = f"{error.value} {dict(error.value.params)} {siren!r} {caplog.text}"
    assert "wrong-5e11" not in shown
    assert rig.level is OFF


def test_every_kind_of_siren_is_in_this_suite_or_has_a_broker() -> None:
    kinds = {spec.model_fields["kind"].default for spec in get_args(AnySirenSpec)}
    tried = {name.split()[0] for name in RIGS}
    assert kinds == tried | {"mqtt_siren", "zigbee_siren"}
