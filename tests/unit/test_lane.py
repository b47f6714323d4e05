"""What a camera can honestly be said to watch, given its pictures and their analysis."""

from collections.abc import Callable

import numpy as np
import pytest

from cameras.analysis import AnalysisRate
from cameras.health import CameraHealth, HealthMonitor
from cameras.intake import PacketSubscriber
from cameras.lane import FAILURES_TO_BLIND, Lane
from cameras.packets import PacketRing
from cameras.region_plan import CameraPlan, Outlook
from cameras.regions import WHOLE, Region
from cameras.slot import FrameSlot
from safety.clock import ManualClock
from safety.types import Frame, TrackedPerson
from tests.support.analyses import analysis_of
from tests.support.pictures import WholePicture
from tests.support.shards import film_camera
from zones.engine import RuleEngine


class Hand:
    """A worker whose pictures come when the test says so."""

    def __init__(self, clock: ManualClock) -> None:
        self.slot = FrameSlot()
        self.ring = PacketRing(seconds=1, max_bytes=1)
        self.monitor = HealthMonitor(clock)

    def health(self) -> CameraHealth:
        return self.monitor.snapshot()

    def on_packet(self, subscriber: PacketSubscriber) -> Callable[[], None]:
        return lambda: None

    def stop(self) -> None:
        """Nothing runs."""


class Scene:
    """A camera whose pictures and analyses happen when told to, on a clock of its own."""

    def __init__(self, min_fps: float = 2.0) -> None:
        self.clock = ManualClock()
        self.hand = Hand(self.clock)
        spec = film_camera().model_copy(update={"min_fps": min_fps})
        rules = RuleEngine(
            camera_id=spec.id, zones=(), rules=(), rule_revisions={}, new_id=lambda: ""
        )
        self.lane = Lane(spec, self.hand, rules, {}, now=self.clock.now())

    def see(self, fps: float, seconds: float, *, analyse: bool = True) -> None:
        """Pictures arrive, and are analysed unless told otherwise."""
        for _ in range(round(fps * seconds)):
            self.clock.advance(1 / fps)
            now = self.clock.now()
            frame = self.frame()
            if analyse:
                analysis = analysis_of(frame)
                self.lane.analysed(analysis, now, doubtful=False)
            self.state()

    def frame(self) -> Frame:
        """A picture that arrives now."""
        now = self.clock.now()
        return Frame(
            camera_id="cam-1",
            sequence=self.hand.monitor.saw(64, 36, now),
            captured_at=now,
            width_px=64,
            height_px=36,
            picture=np.zeros((36, 64, 3), np.uint8),
            full=WholePicture(np.zeros((36, 64, 3), np.uint8)),
        )

    def state(self) -> tuple[str, str]:
        watch = self.lane.watch(self.clock.now())
        return watch.state.value, watch.reason


def body(track_id: int, x: float) -> TrackedPerson:
    return TrackedPerson(
        track_id=track_id,
        box=np.array([x - 0.05, 0.3, x + 0.05, 0.7], np.float32),
        score=0.9,
        keypoints=np.zeros((17, 3), np.float32),
        age_s=1.0,
    )


def just_started(scene: Scene) -> None:
    """Nothing has come yet."""


def analysed(scene: Scene) -> None:
    scene.see(10, 5)


def silent(scene: Scene) -> None:
    scene.see(10, 5)
    scene.clock.advance(2.5)


def sees_again(scene: Scene) -> None:
    silent(scene)
    scene.state()
    scene.see(10, 0.5, analyse=False)


def first_pictures(scene: Scene) -> None:
    scene.see(10, 1, analyse=False)


def network_loads(scene: Scene) -> None:
    scene.lane.loading = True
    scene.see(10, 20, analyse=False)


def analysis_stops(scene: Scene) -> None:
    scene.see(10, 5)
    scene.see(10, 2.5, analyse=False)


def too_slow(scene: Scene) -> None:
    scene.see(1, 10)


def slow_but_promised(scene: Scene) -> None:
    scene.see(1, 10)


def fails_once(scene: Scene) -> None:
    scene.see(10, 5)
    scene.lane.failed()


def fails_and_fails(scene: Scene) -> None:
    scene.see(10, 5)
    for _ in range(FAILURES_TO_BLIND):
        scene.lane.failed()


def never_worked(scene: Scene) -> None:
    scene.see(10, 1, analyse=False)
    scene.lane.failed()


def recovers(scene: Scene) -> None:
    fails_and_fails(scene)
    scene.see(10, 1)


def nobody_can_look_at_equipment(scene: Scene) -> None:
    scene.see(10, 5)
    scene.lane.ppe.unavailable = True


def people_are_too_small(scene: Scene) -> None:
    scene.see(10, 5)
    plan = CameraPlan(width=640, zone_px={"far": 20.0}, unresolved=("far",))
    scene.lane.look(Outlook(plan=plan, missed=frozenset({"far"})))


def another_camera_sees_them(scene: Scene) -> None:
    scene.see(10, 5)
    scene.lane.look(Outlook(plan=CameraPlan(width=640, unresolved=("far",))))


def wall_clock_jumps(scene: Scene) -> None:
    scene.see(10, 5)
    scene.clock.jump(3600)


@pytest.mark.parametrize(
    ("happened", "min_fps", "state"),
    [
        (just_started, 2.0, ("blind", "starting")),
        (first_pictures, 2.0, ("blind", "starting")),
        (network_loads, 2.0, ("blind", "starting")),
        (analysed, 2.0, ("live", "ok")),
        (silent, 2.0, ("blind", "no_frames")),
        (sees_again, 2.0, ("blind", "starting")),
        (analysis_stops, 2.0, ("blind", "slow")),
        (too_slow, 2.0, ("degraded", "slow")),
        (slow_but_promised, 0.8, ("live", "ok")),
        (fails_once, 2.0, ("degraded", "model_error")),
        (fails_and_fails, 2.0, ("blind", "model_error")),
        (never_worked, 2.0, ("blind", "model_error")),
        (recovers, 2.0, ("live", "ok")),
        (nobody_can_look_at_equipment, 2.0, ("degraded", "ppe_unavailable")),
        (people_are_too_small, 2.0, ("degraded", "cannot_resolve")),
        (another_camera_sees_them, 2.0, ("live", "ok")),
        (wall_clock_jumps, 2.0, ("live", "ok")),
    ],
)
def test_state(happened: Callable[[Scene], None], min_fps: float, state: tuple[str, str]) -> None:
    scene = Scene(min_fps)
    happened(scene)
    assert scene.state() == state


def test_zones_in_which_nobody_can_be_found_are_told() -> None:
    scene = Scene()
    people_are_too_small(scene)
    status = scene.lane.status("shard-0", scene.clock.now())
    assert (status.unresolved_zones, status.zone_heights_px) == (("far",), {"far": 20.0})


def test_the_whole_picture_is_looked_at_now_and_then_by_the_clock_of_the_frames() -> None:
    """At 10 frames/s every fifth; where more than that is lost, every one that is not."""
    close_up = Region(left=0.25, top=0.25, right=0.75, bottom=0.75)
    plan = CameraPlan(width=640, regions=(close_up,), context_s=0.5)
    for tenths, wholes in ((1, 6), (6, 5)):
        scene = Scene()
        scene.lane.look(Outlook(plan=plan))
        regions = []
        for _ in range(0, 30, tenths):
            regions.append(scene.lane.gaze.due(scene.frame()))
            scene.clock.advance(tenths / 10)
        assert sum(WHOLE in each for each in regions) == wholes
        assert all(close_up in each for each in regions)


def test_people_outside_the_close_ups_are_drawn_where_they_were_last_seen() -> None:
    scene = Scene()
    close_up = Region(left=0.0, top=0.0, right=0.5, bottom=1.0)
    scene.lane.look(Outlook(plan=CameraPlan(width=640, regions=(close_up,), context_s=0.5)))
    inside, outside = body(1, 0.2), body(2, 0.8)
    drawn = []
    for persons in ((inside, outside), (inside,), ()):
        frame = scene.frame()
        scene.lane.gaze.due(frame)
        drawn.append(scene.lane.beside(analysis_of(frame, *persons).observation))
        scene.clock.advance(0.2)
    assert drawn == [(), (outside,), (outside,)]


def test_new_zones_are_seen_before_there_is_a_plan_for_them() -> None:
    scene = Scene()
    close_up = Region(left=0.25, top=0.25, right=0.75, bottom=0.75)
    scene.lane.look(Outlook(plan=CameraPlan(width=640, regions=(close_up,), context_s=0.5)))
    scene.lane.look_at_all()
    assert [scene.lane.gaze.due(scene.frame()) for _ in range(2)] == [(WHOLE,), (WHOLE,)]


@pytest.mark.parametrize("fps", [0.5, 2.0, 10.0, 15.0])
def test_the_rate_is_measured_over_time(fps: float) -> None:
    rate = AnalysisRate(min_fps=1.0)
    for number in range(round(fps * 20)):
        rate.add(number / fps)
    assert rate.fps((fps * 20 - 1) / fps) == pytest.approx(fps, rel=0.4)
    assert rate.fps(60.0) == 0
