"""A siren behind a broker that dies, freezes or is shared: it sounds when it must, and ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiomqtt

from alerts.channels.base import SirenLevel
from alerts.channels.mqtt import MqttSiren, MqttSirenSpec
from alerts.channels.siren_twin import Change, run_siren
from alerts.siren_worker import SirenTimings
from alerts.sirens import SirenControl
from safety.clock import SystemClock
from tests.support.mosquitto import Mosquitto, listening
from tests.support.violations import cleared, opened, updated
from tests.support.waiting import until

CLOCK = SystemClock()
TOPIC = "plant/siren"
TIMINGS = SirenTimings(ttl_s=1.5, retry_s=0.2, check_every_s=0.3)


class Installation:
    """A siren, a driver and a control, all on one broker.

    Attributes:
        changes: What the siren began to show, oldest first.
        told: Whether the channel works, at every change.
    """

    def __init__(self, broker: Mosquitto) -> None:
        self.changes: list[Change] = []
        self.told: list[bool] = []
        spec = MqttSirenSpec(id="s", name="S", host=broker.host, port=broker.port, topic=TOPIC)
        self._driver = MqttSiren(spec, clock=CLOCK)
        self.control = SirenControl(
            {"s": self._driver},
            clock=CLOCK,
            timings=TIMINGS,
            unreachable_after_s=1.0,
            on_channel_health=lambda key, ok, error: self.told.append(ok),
        )
        self._device = asyncio.create_task(
            run_siren(broker.host, broker.port, TOPIC, clock=CLOCK, on_change=self.changes.append)
        )
        self._control_task = asyncio.create_task(self.control.run())

    @property
    def level(self) -> SirenLevel:
        """What the siren shows."""
        return self.changes[-1].level if self.changes else SirenLevel.OFF

    async def die(self) -> None:
        """End the control and its driver as a crash would: without a word to the siren."""
        self._control_task.cancel()
        await asyncio.gather(self._control_task, return_exceptions=True)
        await self._driver.close()

    async def unplug(self) -> None:
        """End the siren."""
        self._device.cancel()
        await asyncio.gather(self._device, return_exceptions=True)


@asynccontextmanager
async def installed(broker: Mosquitto) -> AsyncIterator[Installation]:
    installation = Installation(broker)
    await until(lambda: bool(installation.control.health["s"] == "ok"))
    yield installation
    await installation.die()
    await installation.unplug()


async def keep_reporting(installation: Installation) -> None:
    violation = opened(at=CLOCK.now())
    while True:
        await installation.control.report(violation, None)
        await asyncio.sleep(0.3)
        violation = updated(violation, 0.3)


async def test_stopped_broker_is_noticed_and_the_siren_sounds_again_after_it(
    mosquitto: Mosquitto,
) -> None:
    async with installed(mosquitto) as site:
        reporting = asyncio.create_task(keep_reporting(site))
        await until(lambda: site.level is SirenLevel.DANGER)
        mosquitto.stop()
        await until(lambda: site.told == [False])
        await until(lambda: site.level is SirenLevel.OFF)
        assert site.changes[-1].why == "ttl", "without a broker the siren ends by itself"
        mosquitto.start()
        await until(lambda: site.level is SirenLevel.DANGER)
        await until(lambda: site.told == [False, True])
        reporting.cancel()


async def test_frozen_broker_leaves_no_siren_sounding_for_what_is_over(
    mosquitto: Mosquitto,
) -> None:
    async with installed(mosquitto) as site:
        mosquitto.freeze()
        violation = opened(at=CLOCK.now())
        await site.control.report(violation, None)
        await until(lambda: site.told == [False])
        await site.control.report(cleared(violation, 1.0), None)
        await asyncio.sleep(TIMINGS.ttl_s)
        mosquitto.thaw()
        await until(lambda: site.told == [False, True])
        await until(lambda: site.level is SirenLevel.OFF)
        await asyncio.sleep(TIMINGS.ttl_s)
        assert site.level is SirenLevel.OFF


async def test_a_violation_during_the_freeze_sounds_when_it_is_over(
    mosquitto: Mosquitto, cost: Callable[..., None]
) -> None:
    async with installed(mosquitto) as site:
        mosquitto.freeze()
        reporting = asyncio.create_task(keep_reporting(site))
        await until(lambda: site.told == [False])
        mosquitto.thaw()
        await until(lambda: site.level is SirenLevel.DANGER)
        sounding = len(site.changes)
        await asyncio.sleep(TIMINGS.ttl_s * 2)
        assert len(site.changes) == sounding, "it sounds without a gap"
        reporting.cancel()
    how = "the MQTT broker is stopped (SIGSTOP) and goes on later; the siren sounds then"
    cost("Siren", "broker hangs", how, sounded=True)


async def test_a_dead_system_goes_quiet(mosquitto: Mosquitto, cost: Callable[..., None]) -> None:
    async with installed(mosquitto) as site:
        await site.control.report(opened(at=CLOCK.now()), None)
        await until(lambda: site.level is SirenLevel.DANGER)
        await site.die()
        await until(lambda: site.level is SirenLevel.OFF)
        assert site.changes[-1].why == "ttl"
    cost(
        "Siren",
        "we die while it sounds",
        "the control ends without a word; it goes quiet by itself",
    )


async def test_an_unplugged_siren_is_noticed_before_it_is_needed(mosquitto: Mosquitto) -> None:
    async with installed(mosquitto) as site:
        async with aiomqtt.Client(mosquitto.host, mosquitto.port) as broker_will:
            await site.unplug()
            await broker_will.publish(f"{TOPIC}/availability", b"offline", qos=1, retain=True)
        await until(lambda: site.told == [False])


async def test_somebody_elses_off_is_overridden(mosquitto: Mosquitto) -> None:
    async with installed(mosquitto) as site:
        await site.control.report(opened(at=CLOCK.now()), None)
        await until(lambda: site.level is SirenLevel.DANGER)
        off = {"level": "off", "on": False, "ttl_s": 1.5}
        async with aiomqtt.Client(mosquitto.host, mosquitto.port) as other:
            await other.publish(f"{TOPIC}/set", json.dumps(off).encode(), qos=1)
        await until(lambda: len(site.changes) >= 3)
        levels = [change.level for change in site.changes]
        assert levels[:3] == [SirenLevel.DANGER, SirenLevel.OFF, SirenLevel.DANGER]
        gap_s = site.changes[2].at.monotonic - site.changes[1].at.monotonic
        assert gap_s <= TIMINGS.ttl_s / 3 + 1.0, "one repeat, and a busy machine"


async def test_two_systems_on_one_siren_an_idle_one_silences_nobody(mosquitto: Mosquitto) -> None:
    async with (
        installed(mosquitto) as idle,
        installed(mosquitto) as busy,
        listening(mosquitto, f"{TOPIC}/set") as heard,
    ):
        reporting = asyncio.create_task(keep_reporting(busy))
        await until(lambda: len(heard) >= 8)
        reporting.cancel()
        assert {message.body["level"] for message in heard} == {"danger"}
        assert idle.control.silent
