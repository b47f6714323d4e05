"""Coverage: what is not known to be watched is blind, and clock jumps change no duration."""

import pytest

from cameras.messages import CameraStatus
from safety.clock import Instant, ManualClock
from safety.engine.coverage import EXTEND_S, STALE_S, CoverageKeeper, Interval
from safety.types import CameraState

CAMERA = "press-1"


def status(clock: ManualClock, state: CameraState, reason: str = "ok") -> CameraStatus:
    now = clock.now()
    return CameraStatus(
        camera_id=CAMERA, shard="shard-0", state=state, reason=reason, since=now, at=now
    )


def summary(intervals: list[Interval]) -> list[tuple[str, str, float, bool]]:
    return [(i.state.value, i.reason, round(i.seconds, 3), i.open) for i in intervals]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def keeper(clock: ManualClock) -> CoverageKeeper:
    keeper = CoverageKeeper()
    keeper.configure({CAMERA: True}, clock.now())
    return keeper


def test_a_new_camera_is_blind_until_it_reports(clock: ManualClock) -> None:
    started = CoverageKeeper().configure({CAMERA: True}, clock.now())
    assert summary(started) == [("blind", "starting", 0.0, True)]


def test_a_state_change_closes_one_interval_and_opens_the_next(
    keeper: CoverageKeeper, clock: ManualClock
) -> None:
    clock.advance(2)
    assert summary(keeper.observe(status(clock, CameraState.LIVE), clock.now())) == [
        ("blind", "starting", 2.0, False),
        ("live", "ok", 0.0, True),
    ]
    clock.advance(5)
    assert keeper.observe(status(clock, CameraState.LIVE), clock.now()) == []
    clock.advance(1)
    blind = status(clock, CameraState.BLIND, "no_frames")
    assert summary(keeper.observe(blind, clock.now())) == [
        ("live", "ok", 6.0, False),
        ("blind", "no_frames", 0.0, True),
    ]


def test_silence_is_blindness(keeper: CoverageKeeper, clock: ManualClock) -> None:
    keeper.observe(status(clock, CameraState.LIVE), clock.now())
    clock.advance(STALE_S)
    assert keeper.tick(clock.now()) == []
    clock.advance(0.1)
    assert summary(keeper.tick(clock.now()))[-1] == ("blind", "shard_lost", 0.0, True)


def test_a_disabled_camera_is_blind_and_stays_so_whatever_it_says(
    keeper: CoverageKeeper, clock: ManualClock
) -> None:
    keeper.configure({CAMERA: False}, clock.now())
    assert keeper.observe(status(clock, CameraState.LIVE), clock.now()) == []
    assert keeper.current[CAMERA].reason == "disabled"


def test_a_removed_camera_ends_its_interval(keeper: CoverageKeeper, clock: ManualClock) -> None:
    clock.advance(4)
    assert summary(keeper.configure({}, clock.now())) == [("blind", "starting", 4.0, False)]
    assert keeper.current == {}


def test_a_lasting_interval_is_written_now_and_then(
    keeper: CoverageKeeper, clock: ManualClock
) -> None:
    keeper.observe(status(clock, CameraState.LIVE), clock.now())
    written = []
    for _ in range(int(3 * EXTEND_S)):
        clock.advance(1)
        keeper.observe(status(clock, CameraState.LIVE), clock.now())
        written += keeper.tick(clock.now())
    assert summary(written) == [
        ("live", "ok", EXTEND_S, True),
        ("live", "ok", 2 * EXTEND_S, True),
        ("live", "ok", 3 * EXTEND_S, True),
    ]


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_a_clock_jump_splits_the_interval_and_keeps_the_seconds(
    keeper: CoverageKeeper, clock: ManualClock, jump_s: float
) -> None:
    keeper.observe(status(clock, CameraState.LIVE), clock.now())
    clock.advance(2)
    keeper.observe(status(clock, CameraState.LIVE), clock.now())
    clock.jump(jump_s)
    split = keeper.tick(clock.now())
    assert summary(split) == [("live", "ok", 2.0, False), ("live", "ok", 0.0, True)]
    assert split[1].started.wall - split[0].ended_wall == pytest.approx(jump_s)


def test_all_seconds_are_accounted_for(keeper: CoverageKeeper, clock: ManualClock) -> None:
    begin = clock.now()
    rows: dict[tuple[str, Instant], Interval] = {}

    def write(intervals: list[Interval]) -> None:
        rows.update({(i.camera_id, i.started): i for i in intervals})

    write([keeper.current[CAMERA]])
    for second in range(60):
        clock.advance(1)
        if second == 30:
            clock.jump(-7200)
        if not 10 <= second < 20:
            write(keeper.observe(status(clock, CameraState.LIVE), clock.now()))
        write(keeper.tick(clock.now()))
    write(keeper.finish(clock.now()))
    assert sum(i.seconds for i in rows.values()) == pytest.approx(60)
    assert clock.now().monotonic - begin.monotonic == 60
    assert not any(i.open for i in rows.values())
