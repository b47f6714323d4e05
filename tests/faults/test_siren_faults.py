"""Every siren that speaks HTTP, behind everything that goes wrong with devices and networks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from alerts.channels import siren_http
from alerts.channels.base import Siren, SirenLevel
from alerts.channels.recording import RecordingChannel, RecordingSpec
from alerts.open import is_siren, open_channel
from alerts.siren_worker import SirenTimings
from alerts.sirens import SirenControl
from alerts.specs import AnyChannelSpec, ChannelSpec
from safety.clock import SystemClock
from tests.faults.channel_faults import CHANNEL_FAULTS, Fronts
from tests.support.siren_rigs import PASSWORD, RIGS, VARIABLE, Rig
from tests.support.violations import opened
from tests.support.waiting import until

CLOCK = SystemClock()
SPEC: TypeAdapter[AnyChannelSpec] = TypeAdapter(ChannelSpec)
OVER_HTTP = ("patlite http", "onvif_relay", "http_relay with timer", "http_relay", "axis_speaker")
WITHOUT_TLS = ("patlite http",)
VIOLATIONS = 20


@asynccontextmanager
async def sirens(fronts: Fronts) -> AsyncIterator[Mapping[str, tuple[Rig, Siren]]]:
    """One siren of every kind, each a device of its own behind a front."""
    async with AsyncExitStack() as stack:
        made: dict[str, tuple[Rig, Siren]] = {}
        for name in OVER_HTTP:
            if fronts.fault.tls and name in WITHOUT_TLS:
                continue
            rig: Rig = RIGS[name]()
            await rig.start()
            stack.push_async_callback(rig.stop)
            assert rig.server is not None
            front = await fronts.before(rig.server.port)
            spec = fronts.moved(rig.spec, rig.server.port, front)
            channel = open_channel(
                SPEC.validate_python({"id": f"siren-{len(made)}", "name": name, **spec}),
                clock=CLOCK,
            )
            assert is_siren(channel)
            stack.push_async_callback(channel.close)
            made[channel.channel_id] = rig, channel
        stack.push_async_callback(fronts.stop)
        yield made


@pytest.mark.parametrize("name", CHANNEL_FAULTS)
async def test_devices_that_fail_hold_up_no_other_and_sound_once_they_are_well(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cost: Callable[..., None]
) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    monkeypatch.setattr(siren_http, "TIMEOUT_S", 1.0)
    fault = CHANNEL_FAULTS[name]
    fronts = Fronts(fault, tmp_path, monkeypatch)
    async with sirens(fronts) as failing:
        twin = RecordingChannel(
            RecordingSpec(id="twin", name="Twin"), clock=CLOCK, data_dir=tmp_path
        )
        latencies: dict[str, float] = {}
        told: list[tuple[str, bool]] = []
        control = SirenControl(
            {**{key: siren for key, (_, siren) in failing.items()}, "twin": twin},
            clock=CLOCK,
            timings=SirenTimings(retry_s=0.2, check_every_s=0.5),
            unreachable_after_s=0.5,
            on_first_command=latencies.__setitem__,
            on_channel_health=lambda key, ok, error: told.append((key, ok)),
        )
        running = asyncio.create_task(control.run())
        begun = CLOCK.now().monotonic
        for number in range(VIOLATIONS):
            await control.report(opened(f"v{number}", at=CLOCK.now()), None)
            await asyncio.sleep(0.02)
        await until(lambda: {(key, False) for key in failing} <= set(told))
        assert all(rig.level is SirenLevel.OFF for rig, _ in failing.values())
        await fronts.mend()
        await until(lambda: all(rig.level is SirenLevel.DANGER for rig, _ in failing.values()))
        waited_s = CLOCK.now().monotonic - begun
        await until(lambda: {(key, True) for key in failing} <= set(told))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert len(latencies) == VIOLATIONS
    assert "twin" not in dict(told)
    cost(
        "Siren",
        f"device {name}",
        f"{fault.how}; {len(failing)} kinds at once, a working one beside them",
        alerts=len(failing),
        waits_s=[waited_s] * len(failing),
        siren_s=list(latencies.values()),
    )
