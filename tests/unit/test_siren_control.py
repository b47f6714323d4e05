"""Sirens follow violations, whatever single devices do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.channels.base import Siren, SirenLevel
from alerts.channels.patlite import PatliteSiren, PatliteSpec
from alerts.channels.patlite_frames import NH, Show, pns
from alerts.health import HealthState
from alerts.siren_worker import OFF_MESSAGES, SirenTimings
from alerts.sirens import SirenControl
from safety.clock import SystemClock
from safety.errors import ChannelError
from safety.types import Severity, Violation
from tests.support.siren_rigs import TowerRig
from tests.support.sirens import FickleChannel
from tests.support.violations import cleared, opened, updated
from tests.support.waiting import until

CLOCK = SystemClock()
TIMINGS = SirenTimings(ttl_s=0.3, retry_s=0.05, check_every_s=0.1, command_timeout_s=0.2)
OFF, WARNING, DANGER = SirenLevel.OFF, SirenLevel.WARNING, SirenLevel.DANGER

MakeSiren = Callable[[str], FickleChannel]


@pytest.fixture
def make_siren(tmp_path: Path) -> MakeSiren:
    return lambda name: FickleChannel(name, tmp_path, CLOCK)


def now(violation_id: str = "v1") -> Violation:
    return opened(violation_id, at=CLOCK.now())


@asynccontextmanager
async def controlling(
    *sirens: Siren,
    on_first_command: Callable[[str, float], None] | None = None,
    on_channel_health: Callable[[str, bool, ChannelError | None], None] | None = None,
) -> AsyncIterator[SirenControl]:
    control = SirenControl(
        {siren.channel_id: siren for siren in sirens},
        clock=CLOCK,
        timings=TIMINGS,
        unreachable_after_s=0.2,
        on_first_command=on_first_command,
        on_channel_health=on_channel_health,
    )
    task = asyncio.create_task(control.run())
    try:
        yield control
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_sounds_until_it_is_over_then_quiet_and_silent(make_siren: MakeSiren) -> None:
    siren = make_siren("s")
    async with controlling(siren) as control:
        violation = now()
        await control.report(violation, None)
        await until(lambda: siren.commanded.count(DANGER) >= 3)
        assert not control.silent
        assert siren.level is DANGER
        await control.report(cleared(violation), None)
        await until(lambda: siren.commanded.count(OFF) == OFF_MESSAGES)
        quiet = siren.attempts
        await until(lambda: siren.attempts > quiet + 2)
        assert control.silent
    assert siren.commanded[-OFF_MESSAGES:] == [OFF] * OFF_MESSAGES
    assert siren.commanded.count(OFF) == OFF_MESSAGES, "quiet is not repeated for ever"


async def test_idle_sirens_are_told_nothing(make_siren: MakeSiren) -> None:
    siren = make_siren("s")
    async with controlling(siren):
        await until(lambda: siren.attempts >= 3)
    assert siren.commanded == [], "another system may be using it"


async def test_acknowledging_makes_it_quiet(make_siren: MakeSiren) -> None:
    siren = make_siren("s")
    async with controlling(siren) as control:
        violation = now()
        await control.report(violation, None)
        await until(lambda: siren.level is DANGER)
        await control.attend(violation.id)
        await until(lambda: siren.level is OFF)
        await control.report(updated(violation, 0.1), None)
        await control.report(now("v2"), None)
        await until(lambda: siren.level is DANGER)


async def test_where_only_the_end_counts_acknowledging_changes_nothing(
    make_siren: MakeSiren,
) -> None:
    siren, other = make_siren("s"), make_siren("other")
    siren.quiet_when = "over"
    async with controlling(siren, other) as control:
        violation = now()
        await control.report(violation, None)
        await until(lambda: siren.level is DANGER and other.level is DANGER)
        await control.attend(violation.id)
        await until(lambda: other.level is OFF)
        commanded = len(siren.commanded)
        await until(lambda: len(siren.commanded) > commanded + 1)
        assert siren.level is DANGER
        await control.report(cleared(violation), None)
        await until(lambda: siren.level is OFF)


async def test_what_cannot_go_quiet_by_itself_is_told_so_once_at_the_start(
    make_siren: MakeSiren,
) -> None:
    siren = make_siren("s")
    siren.quiet_by_itself = False
    async with controlling(siren):
        await until(lambda: siren.attempts >= 4)
    assert siren.commanded == [OFF], "an earlier life may have left it sounding"


async def test_what_has_to_sound_at_the_start_is_not_silenced_first(
    make_siren: MakeSiren,
) -> None:
    siren = make_siren("s")
    siren.quiet_by_itself = False
    control = SirenControl({"s": siren}, clock=CLOCK, timings=TIMINGS)
    await control.report(now(), None)
    task = asyncio.create_task(control.run())
    await until(lambda: bool(siren.commanded))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert siren.commanded[0] is DANGER


async def test_a_tower_without_timer_follows_a_violation_to_its_end() -> None:
    rig = TowerRig("pns_nh")
    await rig.start()
    spec = PatliteSpec.model_validate({"id": "t", "name": "T", **rig.spec})
    tower = PatliteSiren(spec, clock=CLOCK)
    async with controlling(tower) as control:
        violation = now()
        await control.report(violation, None)
        await until(lambda: rig.level is DANGER)
        rig.server.twin.answer(pns(NH, Show()))
        await until(lambda: rig.level is DANGER, limit_s=5.0)
        await control.attend(violation.id)
        await until(lambda: rig.level is OFF)
        await control.report(now("v2"), None)
        await until(lambda: rig.level is DANGER)
    await tower.close()
    assert rig.level is OFF, "an engine that is stopped leaves nothing sounding"
    await rig.stop()


async def test_stopped_control_commands_nothing_more(make_siren: MakeSiren) -> None:
    siren = make_siren("s")
    async with controlling(siren) as control:
        await control.report(now(), None)
        await until(lambda: siren.level is DANGER)
        await control.stop()
        attempts = siren.attempts
        await control.report(now("v2"), None)
        await until(lambda: siren.level is OFF)
        assert siren.attempts == attempts, "it went quiet by its time-to-live"


async def test_level_follows_the_worst(make_siren: MakeSiren) -> None:
    siren = make_siren("s")
    async with controlling(siren) as control:
        await control.report(replace(now("mild"), severity=Severity.WARNING), None)
        await until(lambda: siren.level is WARNING)
        worst = now("worst")
        await control.report(worst, None)
        await until(lambda: siren.level is DANGER)
        await control.report(cleared(worst, 0.0), None)
        await until(lambda: siren.level is WARNING)


@pytest.mark.parametrize("mode", ["hang", "fail", "crash"])
async def test_a_broken_siren_delays_no_other(make_siren: MakeSiren, mode: str) -> None:
    good, bad = make_siren("good"), make_siren("bad")
    bad.mode = mode  # type: ignore[assignment]
    async with controlling(bad, good) as control:
        await until(lambda: bad.attempts > 0)
        await control.report(now(), None)
        await until(lambda: good.commanded.count(DANGER) >= 3)
        assert bad.commanded == []
        assert set(control.latencies("v1")) == {"good"}


async def test_a_hanging_command_gives_way_to_a_newer_one(make_siren: MakeSiren) -> None:
    siren = make_siren("s")
    siren.mode = "hang"
    async with controlling(siren) as control:
        await control.report(replace(now("mild"), severity=Severity.WARNING), None)
        await until(lambda: siren.attempts >= 1)
        siren.mode = "ok"
        await control.report(now("worst"), None)
        await until(lambda: siren.level is DANGER)
    assert WARNING not in siren.commanded


async def test_failure_is_told_once_and_so_is_recovery(make_siren: MakeSiren) -> None:
    told: list[tuple[str, bool, str]] = []
    siren = make_siren("s")
    siren.mode = "fail"
    async with controlling(
        siren, on_channel_health=lambda key, ok, error: told.append((key, ok, str(error)))
    ) as control:
        assert control.health == {"s": HealthState.UNKNOWN}
        await control.report(now(), None)
        await until(lambda: len(told) == 1)
        attempts = siren.attempts
        await until(lambda: siren.attempts > attempts + 3)
        assert control.health == {"s": HealthState.FAILING}
        siren.mode = "ok"
        await until(lambda: len(told) == 2)
        assert siren.level is DANGER, "it sounds as soon as it is back"
        assert control.health == {"s": HealthState.OK}
    assert told == [("s", False, "the cable of s is cut"), ("s", True, "None")]


async def test_an_idle_siren_that_fails_is_noticed(make_siren: MakeSiren) -> None:
    told: list[bool] = []
    siren = make_siren("s")
    siren.mode = "hang"
    async with controlling(siren, on_channel_health=lambda key, ok, error: told.append(ok)):
        await until(lambda: told == [False])


async def test_latency_is_told_once_per_violation_and_kept_per_siren(
    make_siren: MakeSiren,
) -> None:
    told: list[tuple[str, float]] = []
    sirens = make_siren("a"), make_siren("b")
    async with controlling(*sirens, on_first_command=lambda v, s: told.append((v, s))) as control:
        before = CLOCK.now()
        first = opened("v1", at=before)
        await control.report(first, None)
        await control.report(updated(first, 0.0), None)
        await until(lambda: set(control.latencies("v1")) == {"a", "b"})
        await control.report(now("v2"), None)
        await until(lambda: len(told) == 2)
        elapsed = CLOCK.now().monotonic - before.monotonic
    assert [violation_id for violation_id, _ in told] == ["v1", "v2"]
    assert all(0 <= seconds <= elapsed for _, seconds in told)


async def test_a_second_violation_is_commanded_without_waiting_for_the_repeat(
    tmp_path: Path,
) -> None:
    siren = FickleChannel("s", tmp_path, CLOCK)
    timings = replace(TIMINGS, ttl_s=60.0)
    control = SirenControl({"s": siren}, clock=CLOCK, timings=timings)
    task = asyncio.create_task(control.run())
    await control.report(now("v1"), None)
    await until(lambda: len(siren.commanded) == 1)
    await control.report(now("v2"), None)
    await until(lambda: len(siren.commanded) == 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_sirens_come_and_go_while_it_sounds(make_siren: MakeSiren) -> None:
    stays, leaves, comes = make_siren("stays"), make_siren("leaves"), make_siren("comes")
    async with controlling(stays, leaves) as control:
        await control.report(now(), None)
        await until(lambda: stays.level is DANGER and leaves.level is DANGER)
        await control.configure({"stays": stays, "comes": comes})
        assert leaves.commanded[-1] is OFF
        left = leaves.attempts
        await until(lambda: comes.level is DANGER)
        attempts = stays.attempts
        await until(lambda: stays.attempts > attempts + 1)
        assert stays.level is DANGER
        assert leaves.attempts == left
        assert set(control.levels) == {"stays", "comes"}


async def test_reporting_never_waits_for_a_siren(make_siren: MakeSiren) -> None:
    siren = make_siren("s")
    siren.mode = "hang"
    async with controlling(siren) as control:
        for number in range(200):
            coroutine = control.report(now(f"v{number}"), None)
            with pytest.raises(StopIteration):
                coroutine.send(None)
