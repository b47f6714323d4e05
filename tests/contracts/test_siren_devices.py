"""What is particular to one kind of siren."""

from collections.abc import AsyncIterator
from typing import TypeVar

import gpiozero
import pytest
from pydantic import TypeAdapter

from alerts.channels.base import Siren, SirenLevel
from alerts.open import is_siren, open_channel
from alerts.specs import AnyChannelSpec, ChannelSpec
from safety.clock import ManualClock, SystemClock
from safety.errors import ChannelError
from tests.support.siren_rigs import (
    LATCHES,
    PASSWORD,
    VARIABLE,
    AxisRig,
    HttpRelayRig,
    ModbusRig,
    OnvifRig,
    Rig,
    TowerRig,
)

OFF, WARNING, DANGER = SirenLevel.OFF, SirenLevel.WARNING, SirenLevel.DANGER
CHANNEL: TypeAdapter[AnyChannelSpec] = TypeAdapter(ChannelSpec)

AnyRig = TypeVar("AnyRig", bound=Rig)


class Bench:
    """Devices and drivers that are put away after the test."""

    def __init__(self) -> None:
        # ONVIF devices compare clocks.
        self.clock = ManualClock(wall=SystemClock().now().wall)
        self._rigs: list[Rig] = []
        self._sirens: list[Siren] = []

    async def start(self, rig: AnyRig) -> AnyRig:
        await rig.start()
        self._rigs.append(rig)
        return rig

    def siren(self, spec: dict[str, object]) -> Siren:
        driver = open_channel(
            CHANNEL.validate_python({"id": "siren", "name": "Siren", **spec}), clock=self.clock
        )
        assert is_siren(driver)
        self._sirens.append(driver)
        return driver

    async def clear(self) -> None:
        for siren in self._sirens:
            await siren.close()
        for rig in self._rigs:
            await rig.stop()


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    bench = Bench()
    yield bench
    await bench.clear()


async def set_to(siren: Siren, level: SirenLevel, ttl_s: float = 60.0) -> None:
    await siren.set(level, ttl_s=ttl_s, reason="drill")


async def test_a_tower_in_colours(bench: Bench) -> None:
    rig = await bench.start(TowerRig("pns_la6"))
    more = {"danger_colours": "11111", "danger_buzzer": 11, "warning_colours": "20000"}
    siren = bench.siren({**rig.spec, **more})
    await set_to(siren, DANGER)
    show = rig.server.twin.show
    assert (show.colours, show.flash, show.buzzer) == ((1, 1, 1, 1, 1), True, 11)
    await set_to(siren, WARNING)
    assert rig.server.twin.show.colours == (2, 0, 0, 0, 0)
    await set_to(siren, OFF)
    assert rig.server.twin.show.colours is None
    assert rig.server.twin.show.lamps == (0, 0, 0, 0, 0)


async def test_modbus_frames_on_the_wire(bench: Bench) -> None:
    rig = await bench.start(ModbusRig())
    siren = bench.siren({**rig.spec, "device_id": 5, "warning_coils": [9]})
    await set_to(siren, DANGER)
    bare = [frame[6:].hex(" ") for frame in rig.server.frames]
    assert bare == [
        "05 0f 00 03 00 02 01 03",  # coils 3 and 4 on
        "05 01 00 03 00 02",
        "05 05 00 09 00 00",  # coil 9 off
        "05 01 00 09 00 01",
    ]
    assert {frame[2:4] for frame in rig.server.frames} == {b"\0\0"}


async def test_a_relay_that_sticks_is_not_delivered(bench: Bench) -> None:
    rig = await bench.start(ModbusRig())
    siren = bench.siren(rig.spec)
    rig.server.stuck = True
    with pytest.raises(ChannelError, match="coil 3 did not change"):
        await set_to(siren, DANGER)


async def test_onvif_relays_are_made_ready_before_the_alarm(bench: Bench) -> None:
    rig = await bench.start(OnvifRig())
    siren = bench.siren(rig.spec)
    await siren.check()
    relays = rig.server.relays
    assert {(relay.mode, relay.delay_s) for relay in relays.values()} == {("Monostable", 6.0)}
    rig.server.calls.clear()
    await set_to(siren, DANGER)
    assert rig.server.calls == ["SetRelayOutputState"] * 2
    await siren.check()
    assert "SetRelayOutputSettings" not in rig.server.calls, "it is not written without need"
    relays["R1"].mode = "Bistable"
    await siren.check()
    assert relays["R1"].mode == "Monostable"


async def test_an_onvif_relay_that_is_not_there_is_named(bench: Bench) -> None:
    rig = await bench.start(OnvifRig())
    siren = bench.siren({**rig.spec, "danger_relays": ["R7"], "warning_relays": None})
    with pytest.raises(ChannelError, match="no relay R7; it has: R1, R2"):
        await set_to(siren, DANGER)


async def test_a_clip_is_not_cut_short_by_its_repetition(bench: Bench) -> None:
    rig = await bench.start(AxisRig())
    siren = bench.siren({**rig.spec, "clip_s": 5.0})
    await set_to(siren, WARNING)
    await set_to(siren, DANGER)
    bench.clock.advance(4.9)
    await set_to(siren, DANGER)
    bench.clock.advance(0.2)
    await set_to(siren, DANGER)
    await set_to(siren, OFF)
    played = [target for target in rig.server.targets if "param.cgi" not in target]
    assert played == [
        "GET /axis-cgi/playclip.cgi?clip=2&volume=20",
        "GET /axis-cgi/playclip.cgi?clip=1",
        "GET /axis-cgi/playclip.cgi?clip=1",
        "GET /axis-cgi/stopclip.cgi",
    ]


async def test_an_http_relay_is_told_whole_seconds(bench: Bench) -> None:
    rig = await bench.start(HttpRelayRig(timer=True))
    await set_to(bench.siren(rig.spec), DANGER, ttl_s=5.2)
    assert rig.server.targets == ["GET /relay?show=danger&timer=6"]


async def test_a_secret_address_is_not_shown(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANJEON_TEST_RELAY_URL", "http://127.0.0.1:1/key-9d2f/on")
    reference = "env:ANJEON_TEST_RELAY_URL"
    siren = bench.siren(
        {"kind": "http_relay", "danger_url": reference, "off_url": reference, **LATCHES}
    )
    with pytest.raises(ChannelError, match="cannot be reached") as error:
        await set_to(siren, DANGER, ttl_s=60.0)
    assert "key-9d2f" not in f"{error.value} {dict(error.value.params)}"
    await siren.close()


@pytest.mark.parametrize("library", ["", "lgpio", "no-such-library"])
async def test_pins_of_a_machine_without_pins_are_an_error(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    if library:
        monkeypatch.setenv("GPIOZERO_PIN_FACTORY", library)
    siren = bench.siren({"kind": "gpio", "danger_pins": [17], **LATCHES})
    with pytest.raises(ChannelError, match="pins of channel siren cannot be used"):
        await siren.check()
