"""What a camera can be said to see follows from timestamps alone."""

from collections.abc import Callable

import pytest

from cameras.health import BLIND_AFTER_S, STARTING_S, HealthMonitor
from safety.clock import ManualClock
from safety.types import CameraState

Step = Callable[[HealthMonitor, ManualClock], object]


def see(monitor: HealthMonitor, clock: ManualClock) -> None:
    monitor.saw(640, 360, clock.now())


def see_damage(monitor: HealthMonitor, clock: ManualClock) -> None:
    monitor.saw_damage(clock.now())


def fail_to_decode(monitor: HealthMonitor, clock: ManualClock) -> None:
    monitor.could_not_decode(clock.now())


def fail(reason: str) -> Step:
    return lambda monitor, clock: monitor.failed(reason)


def freeze(frozen: bool) -> Step:
    return lambda monitor, clock: monitor.judged_frozen(frozen)


def wait(seconds: float) -> Step:
    return lambda monitor, clock: clock.advance(seconds)


LIVE, BLIND = CameraState.LIVE, CameraState.BLIND


@pytest.mark.parametrize(
    ("steps", "state", "reason"),
    [
        ([], BLIND, "starting"),
        ([wait(STARTING_S + 0.1)], BLIND, "no_frames"),
        ([fail("unauthorized")], BLIND, "unauthorized"),
        ([see], LIVE, "ok"),
        ([see, wait(BLIND_AFTER_S)], LIVE, "ok"),
        ([see, wait(BLIND_AFTER_S + 0.1)], BLIND, "no_frames"),
        ([see, fail("unreachable")], LIVE, "ok"),
        ([see, fail("unreachable"), wait(3)], BLIND, "unreachable"),
        ([fail("not_found"), see], LIVE, "ok"),
        ([fail("not_found"), see, wait(3)], BLIND, "no_frames"),
        ([see, wait(3), see_damage], BLIND, "corrupt"),
        ([see, wait(3), fail_to_decode], BLIND, "corrupt"),
        ([see, wait(3), see_damage, wait(3)], BLIND, "no_frames"),
        ([see_damage], BLIND, "corrupt"),
        ([see, freeze(True)], BLIND, "frozen"),
        ([see, freeze(True), see], BLIND, "frozen"),
        ([see, freeze(True), freeze(False)], LIVE, "ok"),
        ([see, freeze(True), wait(3)], BLIND, "no_frames"),
    ],
)
def test_state_and_reason(steps: list[Step], state: CameraState, reason: str) -> None:
    clock = ManualClock()
    monitor = HealthMonitor(clock)
    for step in steps:
        step(monitor, clock)
    health = monitor.snapshot()
    assert (health.state, health.reason) == (state, reason)


def test_a_picture_that_arrived_late_does_not_make_the_camera_see() -> None:
    clock = ManualClock()
    monitor = HealthMonitor(clock)
    captured = clock.now()
    clock.advance(4)
    monitor.saw(640, 360, captured)
    assert monitor.snapshot().state is BLIND


def test_a_state_keeps_its_beginning_when_only_the_reason_changes() -> None:
    clock = ManualClock()
    monitor = HealthMonitor(clock)
    see(monitor, clock)
    monitor.snapshot()
    clock.advance(3)
    blind_since = monitor.snapshot().since
    clock.advance(5)
    monitor.failed("unreachable")
    health = monitor.snapshot()
    assert health.reason == "unreachable"
    assert health.since == blind_since


def test_a_jump_of_the_wall_clock_blinds_nobody() -> None:
    clock = ManualClock()
    monitor = HealthMonitor(clock)
    see(monitor, clock)
    clock.jump(3600)
    assert monitor.snapshot().state is LIVE
    clock.jump(-7200)
    assert monitor.snapshot().state is LIVE


def test_figures() -> None:
    clock = ManualClock()
    monitor = HealthMonitor(clock)
    monitor.connected("h264")
    for _ in range(100):
        clock.advance(0.1)
        see(monitor, clock)
    see_damage(monitor, clock)
    fail_to_decode(monitor, clock)
    monitor.connected("h265")
    health = monitor.snapshot(dropped=7)
    assert health.capture_fps == pytest.approx(10.0, abs=0.2)
    assert (health.width_px, health.height_px, health.codec) == (640, 360, "h265")
    assert (health.frames_captured, health.frames_damaged, health.decode_errors) == (101, 1, 1)
    assert (health.frames_dropped, health.reconnects) == (7, 1)
    clock.advance(10)
    assert monitor.snapshot().capture_fps == 0.0
