"""The inference thread serves every camera and survives whatever the network does."""

import contextlib
import itertools
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NoReturn

import numpy as np
import pytest

from cameras import detectors as detectors_module
from cameras.analysis import Analysis
from cameras.detectors import DetectorPool
from cameras.inference import InferenceThread
from cameras.lane import Lane
from cameras.ppe import PpeThread
from cameras.region_plan import CameraPlan, Outlook
from cameras.regions import Region
from cameras.worker import CameraWorker
from safety.clock import Instant, SystemClock
from safety.errors import ModelError
from safety.perception.detector import Take, in_batches
from safety.types import (
    CameraState,
    Detections,
    Frame,
    Phase,
    Picture,
    PpeItem,
    PpeState,
    Violation,
)
from tests.support.pictures import WholePicture
from tests.support.shards import film_camera, watching
from tests.support.waiting import wait_until
from zones.engine import RuleEngine
from zones.rules.blind_spot import BlindSpotSpec
from zones.rules.missing_ppe import MissingPpeSpec
from zones.specs import RuleSpec

CLOCK = SystemClock()
BATCH = 4
BAD = 13
"""A picture with this grey is one that the network cannot take."""


class SlowNetwork:
    """Finds one person in every picture; holds still until let go, and fails on demand."""

    names = ("person",)
    network_px = (640, 384)
    backend = "recorded"
    nonfinite_outputs = 0

    def __init__(self) -> None:
        self.go = threading.Semaphore(10_000)
        self.failing = self.closed = False
        self.batches: list[int] = []

    def detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        self.go.acquire()
        self.batches.append(len(pictures))
        if self.failing or any(picture[0, 0, 0] == BAD for picture in pictures):
            raise RuntimeError("the engine broke down")
        return [one_person() for _ in pictures]

    def stream(self, take: Take) -> Iterator[Detections]:
        return in_batches(self.detect, take, BATCH)

    def close(self) -> None:
        """Nothing to free."""
        self.closed = True


def one_person() -> Detections:
    keypoints = np.full((1, 17, 3), 0.5, np.float32)
    return Detections(
        boxes=np.array([[0.4, 0.3, 0.6, 0.8]], np.float32),
        scores=np.array([0.9], np.float32),
        classes=np.zeros(1, np.int64),
        keypoints=keypoints,
    )


class Journal:
    """What the thread reported."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.frames: Counter[str] = Counter()

    def violated(self, lane: Lane, violation: Violation, analysis: Analysis | None) -> None:
        self.violations.append(violation)

    def analysed(self, lane: Lane, analysis: Analysis) -> None:
        self.frames[lane.spec.id] += 1


class Bench:
    """An inference thread with cameras whose frames are put by hand."""

    def __init__(self, network: SlowNetwork, *, ppe: PpeThread | None = None) -> None:
        self._network = network
        self.loads = 0
        self.journal = Journal()
        self.pool = DetectorPool(self._load, clock=CLOCK)
        self.thread = InferenceThread(self.pool, self.journal, clock=CLOCK, ppe=ppe)
        self.lanes: dict[str, Lane] = {}
        self._sequence = itertools.count()

    def _load(self, width: int, aspect: float) -> SlowNetwork:
        self.loads += 1
        return self._network

    def add(
        self, camera_id: str, *, equipment: bool = False, more: Sequence[RuleSpec] = ()
    ) -> Lane:
        spec = film_camera(camera_id)
        parts = watching(spec)
        hats = MissingPpeSpec(id="hats", name="Hats", zone_id=parts.zones[0].id)
        rules = RuleEngine(
            camera_id=camera_id,
            zones=parts.zones,
            rules=(*parts.rules, hats, *more) if equipment else (*parts.rules, *more),
            rule_revisions={**parts.rule_revisions, "hats": 1, "blind": 1},
            new_id=lambda: f"{camera_id}-{next(self._sequence)}",
        )
        worker = CameraWorker(spec, clock=CLOCK, notify=self.thread.notify)
        lane = Lane(spec, worker, rules, {}, now=CLOCK.now())
        self.lanes[camera_id] = lane

        def order(lanes: dict[str, Lane]) -> None:
            lanes[camera_id] = lane

        self.thread.submit(order).result(timeout=5)
        return lane

    def show(
        self, camera_id: str, grey: int = 0, at: Instant | None = None, height_px: int = 36
    ) -> None:
        frame = Frame(
            camera_id=camera_id,
            sequence=next(self._sequence),
            captured_at=at or CLOCK.now(),
            width_px=64,
            height_px=height_px,
            picture=np.full((height_px, 64, 3), grey, np.uint8),
            full=WholePicture(np.zeros((36, 64, 3), np.uint8)),
        )
        self.lanes[camera_id].worker.slot.put(frame)


@pytest.fixture
def network() -> SlowNetwork:
    return SlowNetwork()


@pytest.fixture
def bench(network: SlowNetwork) -> Iterator[Bench]:
    bench = Bench(network)
    bench.thread.start()
    bench.pool.get(640, 64 / 36)
    wait_until(lambda: bench.pool.get(640, 64 / 36) is network)
    yield bench
    network.go.release(1000)
    bench.thread.stop()
    bench.pool.close()


def test_a_frame_becomes_a_violation(bench: Bench) -> None:
    bench.add("cam-1")
    bench.show("cam-1")
    wait_until(lambda: len(bench.journal.violations) == 1)
    assert bench.journal.violations[0].phase is Phase.OPENED


def no_network() -> NoReturn:
    raise ModelError("model.missing", "there is no such file")


def test_equipment_that_nobody_can_see_is_said_and_zones_are_watched(
    network: SlowNetwork,
) -> None:
    ppe = PpeThread(no_network, clock=CLOCK)
    bench = Bench(network, ppe=ppe)
    bench.thread.start()
    ppe.start()
    with_rule, without = bench.add("cam-1", equipment=True), bench.add("cam-2")
    wait_until(lambda: ppe.errors > 0)

    def both_alarm() -> bool:
        bench.show("cam-1")
        bench.show("cam-2")
        return {v.camera_id for v in bench.journal.violations} == {"cam-1", "cam-2"}

    wait_until(both_alarm)
    assert {v.rule_kind for v in bench.journal.violations} == {"intrusion"}
    assert (with_rule.ppe.unavailable, without.ppe.unavailable) == (True, False)
    assert with_rule.ppe.seconds[PpeItem.HARDHAT][PpeState.MISSING] == 0
    bench.thread.stop()
    ppe.stop()
    bench.pool.close()


CLOSE_UP = Region(left=0.25, top=0.25, right=0.75, bottom=0.75)


def test_close_ups_and_the_whole_picture_make_one_observation(
    bench: Bench, network: SlowNetwork
) -> None:
    """The network finds one person in the middle of every picture that it is given."""
    lane = bench.add("cam-1")
    plan = CameraPlan(width=640, regions=(CLOSE_UP,), context_s=0.0)
    bench.thread.submit(lambda _: lane.look(Outlook(plan=plan))).result(timeout=5)
    for frames in range(1, 4):
        bench.show("cam-1")
        wait_until(partial(has_seen, bench, frames))
    assert network.batches == [2, 2, 2]
    assert lane.latest is not None
    # In the close-up and in the whole picture: half as large, and as large as it is.
    boxes = sorted(tuple(map(float, each.box.round(2))) for each in lane.latest.persons)
    assert len(boxes) == 2
    assert boxes[1] == pytest.approx((0.45, 0.4, 0.55, 0.65))


def has_seen(bench: Bench, frames: int) -> bool:
    return bench.journal.frames["cam-1"] == frames


def test_a_close_up_that_fails_costs_the_other_cameras_nothing(
    bench: Bench, network: SlowNetwork
) -> None:
    network.go = threading.Semaphore(0)
    lane = bench.add("bad")
    plan = CameraPlan(width=640, regions=(CLOSE_UP,), context_s=0.0)
    bench.thread.submit(lambda _: lane.look(Outlook(plan=plan))).result(timeout=5)
    for name in ("first", "good"):
        bench.add(name)
    bench.show("first")
    wait_until(lambda: not bench.lanes["first"].worker.slot.ready)
    bench.show("bad", grey=BAD)
    bench.show("good")
    network.go.release(10)
    wait_until(lambda: bench.journal.frames["good"] == 1)
    wait_until(lambda: bench.pool.errors == 2)
    assert bench.journal.frames["bad"] == 0


def test_another_network_is_used_when_it_is_there_and_no_frame_waits_for_it() -> None:
    here = threading.Event()
    wide = SlowNetwork()

    class Loading(Bench):
        def _load(self, width: int, aspect: float) -> SlowNetwork:
            if width == 640:
                return self._network
            assert here.wait(timeout=30)
            return wide

    bench = Loading(SlowNetwork())
    bench.thread.start()
    lane = bench.add("cam-1")

    def seen(frames: int) -> bool:
        bench.show("cam-1")
        return bench.journal.frames["cam-1"] >= frames

    wait_until(lambda: seen(1))
    before = lane.frames_unused
    plan = Outlook(plan=CameraPlan(width=960))
    bench.thread.submit(lambda _: lane.look(plan)).result(timeout=5)
    wait_until(lambda: seen(4))
    assert (lane.plan.width, lane.frames_unused, wide.batches) == (640, before, [])
    here.set()
    wait_until(lambda: seen(5) and len(wide.batches) > 0)
    assert lane.plan.width == 960
    bench.thread.stop()
    bench.pool.close()


def test_waiting_cameras_share_a_batch(bench: Bench, network: SlowNetwork) -> None:
    network.go = threading.Semaphore(0)
    for number in range(5):
        bench.add(f"cam-{number}")
    bench.show("cam-0")
    wait_until(lambda: not bench.lanes["cam-0"].worker.slot.ready)
    for number in range(1, 5):
        bench.show(f"cam-{number}")
    network.go.release(2)
    wait_until(lambda: sum(bench.journal.frames.values()) == 5)
    assert network.batches == [1, 4]


def test_every_camera_is_served_when_there_are_too_many(bench: Bench, network: SlowNetwork) -> None:
    network.go = threading.Semaphore(0)
    names = [f"cam-{number}" for number in range(2 * BATCH + 3)]
    for name in names:
        bench.add(name)
    rounds = 12
    for done in range(rounds):
        for name in names:
            bench.show(name)
        network.go.release()
        wait_until(partial(has_run, network, done + 1))
    network.go.release(10)
    wait_until(lambda: not any(lane.worker.slot.ready for lane in bench.lanes.values()))
    wait_until(lambda: sum(network.batches) == sum(bench.journal.frames.values()))
    served = [bench.journal.frames[name] for name in names]
    assert min(served) >= 3
    assert max(served) - min(served) <= 2


def has_run(network: SlowNetwork, batches: int) -> bool:
    return len(network.batches) >= batches


class BenchOfManyNetworks(Bench):
    def _load(self, width: int, aspect: float) -> SlowNetwork:
        return SlowNetwork()


def test_cameras_of_another_size_get_their_turn(network: SlowNetwork) -> None:
    """One network alone could be busy for ever."""
    bench = BenchOfManyNetworks(network)
    bench.thread.start()
    bench.add("wide")
    bench.add("square")

    def both_seen() -> bool:
        bench.show("wide")
        bench.show("square", height_px=64)
        return min(bench.journal.frames["wide"], bench.journal.frames["square"]) >= 20

    wait_until(both_seen)
    bench.thread.stop()
    bench.pool.close()


def test_one_bad_picture_costs_the_others_nothing(bench: Bench, network: SlowNetwork) -> None:
    network.go = threading.Semaphore(0)
    for name in ("first", "good", "bad"):
        bench.add(name)
    bench.show("first")
    wait_until(lambda: not bench.lanes["first"].worker.slot.ready)
    bench.show("good")
    bench.show("bad", grey=BAD)
    network.go.release(10)
    wait_until(lambda: bench.pool.errors == 2)
    wait_until(lambda: bench.journal.frames["good"] == 1)
    assert bench.journal.frames["bad"] == 0


def test_a_broken_network_is_counted_and_loaded_anew(
    bench: Bench, network: SlowNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detectors_module, "FAILURES_TO_RELOAD", 3)
    bench.add("cam-1")
    network.failing = True
    for failures in range(1, 4):
        bench.show("cam-1")
        wait_until(partial(has_failed, bench.pool, failures))
    network.failing = False
    wait_until(lambda: bench.pool.get(640, 64 / 36) is network)
    assert bench.loads == 2
    bench.show("cam-1")
    wait_until(lambda: bench.journal.frames["cam-1"] == 1)


def has_failed(pool: DetectorPool, times: int) -> bool:
    return pool.errors == times


def test_a_network_that_cannot_be_loaded_is_said_and_tried_again() -> None:
    mended = threading.Event()
    asked = threading.Event()

    def load(width: int, aspect: float) -> SlowNetwork:
        asked.wait()
        if not mended.is_set():
            raise ModelError("model.missing", "there is no such file")
        return SlowNetwork()

    pool = DetectorPool(load, clock=CLOCK)
    assert pool.get(640, 16 / 9) is None
    asked.set()
    wait_until(lambda: pool.errors == 1)
    with pytest.raises(ModelError, match="no such file"):
        pool.get(640, 16 / 9)
    mended.set()
    wait_until(lambda: is_there(pool))
    pool.close()


def test_whoever_loads_is_waited_for_at_the_end() -> None:
    asked, go_on = threading.Event(), threading.Event()
    network = SlowNetwork()

    def load(width: int, aspect: float) -> SlowNetwork:
        asked.set()
        go_on.wait()
        return network

    pool = DetectorPool(load, clock=CLOCK)
    pool.get(640, 16 / 9)
    asked.wait()
    closing = threading.Thread(target=pool.close)
    closing.start()
    assert closing.is_alive()
    assert not network.closed
    go_on.set()
    closing.join()
    assert network.closed


def is_there(pool: DetectorPool) -> bool:
    with contextlib.suppress(ModelError):
        return pool.get(640, 16 / 9) is not None
    return False


def test_an_order_that_fails_is_told_and_the_thread_goes_on(bench: Bench) -> None:
    bench.add("cam-1")

    def order(lanes: dict[str, Lane]) -> None:
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        bench.thread.submit(order).result(timeout=5)
    bench.show("cam-1")
    wait_until(lambda: bench.journal.frames["cam-1"] == 1)


def test_a_camera_without_frames_is_blind_and_its_violations_end(bench: Bench) -> None:
    lane = bench.add("cam-1")
    bench.show("cam-1")
    wait_until(lambda: len(bench.journal.violations) == 2)
    assert bench.journal.violations[1].end_reason == "camera_blind"
    assert lane.watch(CLOCK.now()).state is CameraState.BLIND


def test_a_blind_camera_breaks_the_rule_that_it_must_see(bench: Bench) -> None:
    rule = BlindSpotSpec(id="blind", name="Blind", hold_to_open_s=0.3)
    lane = bench.add("cam-1", more=[rule])

    bench.show("cam-1")
    wait_until(lambda: len(bench.journal.violations) == 3)
    assert [(v.rule_id, v.phase) for v in bench.journal.violations if v.rule_id == "blind"] == [
        ("blind", Phase.OPENED)
    ]
    assert lane.status("shard-1", CLOCK.now()).rules["blind"] == "armed"
