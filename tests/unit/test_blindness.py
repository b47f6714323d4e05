"""Blindness becomes one alert per episode, after the camera's own patience."""

from safety.clock import Instant
from safety.engine.blindness import BlindnessWatch
from safety.engine.coverage import Interval
from safety.types import CameraState

CAMERA = "press-1"


def at(seconds: float) -> Instant:
    return Instant(wall=1_767_600_000 + seconds, monotonic=1_000 + seconds)


def interval(state: CameraState, reason: str, started_s: float) -> dict[str, Interval]:
    return {
        CAMERA: Interval(
            camera_id=CAMERA,
            state=state,
            reason=reason,
            started=at(started_s),
            seconds=0.0,
            open=True,
        )
    }


def test_an_episode_is_raised_once_and_ends_once() -> None:
    watch, limits = BlindnessWatch(), {CAMERA: 10.0}
    blind = interval(CameraState.BLIND, "no_frames", 0)
    assert watch.update(blind, limits, at(9.9)) == []
    (raised,) = watch.update(blind, limits, at(10))
    assert (raised.over, raised.reason, raised.since) == (False, "no_frames", at(0))
    assert watch.update(blind, limits, at(60)) == []
    (ended,) = watch.update(interval(CameraState.LIVE, "ok", 61), limits, at(61))
    assert (ended.over, ended.id) == (True, raised.id)


def test_a_change_of_reason_goes_on_with_the_episode() -> None:
    watch, limits = BlindnessWatch(), {CAMERA: 10.0}
    watch.update(interval(CameraState.BLIND, "no_frames", 0), limits, at(1))
    (raised,) = watch.update(interval(CameraState.BLIND, "unreachable", 6), limits, at(11))
    assert (raised.since, raised.reason) == (at(0), "unreachable")


def test_short_blindness_alerts_nobody() -> None:
    watch, limits = BlindnessWatch(), {CAMERA: 10.0}
    watch.update(interval(CameraState.BLIND, "no_frames", 0), limits, at(5))
    watch.update(interval(CameraState.LIVE, "ok", 6), limits, at(6))
    assert watch.update(interval(CameraState.BLIND, "no_frames", 8), limits, at(12)) == []


def test_a_camera_that_is_not_meant_to_see_raises_nothing_and_ends_what_was_raised() -> None:
    watch = BlindnessWatch()
    blind = interval(CameraState.BLIND, "disabled", 0)
    assert watch.update(blind, {}, at(100)) == []
    watch.update(blind, {CAMERA: 1.0}, at(101))
    assert [episode.over for episode in watch.update(blind, {}, at(102))] == [True]


def test_a_restarted_engine_goes_on_with_the_alert_of_its_former_life() -> None:
    watch, limits = BlindnessWatch(), {CAMERA: 10.0}
    watch.resume({CAMERA: ("blind:press-1:7", at(-100))})
    blind = interval(CameraState.BLIND, "starting", 0)
    assert watch.update(blind, limits, at(50)) == []
    (ended,) = watch.update(interval(CameraState.LIVE, "ok", 51), limits, at(51))
    assert (ended.id, ended.over) == ("blind:press-1:7", True)
