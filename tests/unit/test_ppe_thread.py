"""The equipment network runs beside the analysis, and its troubles stay its own."""

import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from cameras import ppe as ppe_module
from cameras.ppe import PpeThread
from cameras.ppe_watch import PpeWatch
from safety.clock import SystemClock
from safety.errors import ModelError
from safety.perception.detector import Objects, Take, in_batches
from safety.perception.ppe import crop_of
from safety.types import Frame, Picture, PpeItem, PpeState, TrackedPerson
from tests.support.pictures import WholePicture
from tests.support.ppe import head_of, standing
from tests.support.waiting import wait_until

CLOCK = SystemClock()
HAT = frozenset({PpeItem.HARDHAT})
PERSON = standing(1, 0.5, 0.9)
BARE_HEAD = 1
SIZE = (960, 540)


class Network:
    """Finds a bare head in every crop of ``PERSON``; holds still or breaks on demand."""

    names: tuple[str, ...] = ("hardhat", "no-hardhat")
    network_px = (256, 256)
    backend = "recorded"

    def __init__(self) -> None:
        self.go = threading.Semaphore(10_000)
        self.nonfinite_outputs = 0
        self.trouble: Callable[[], None] = lambda: None
        self.batches: list[int] = []
        self.closed = False

    def detect(self, pictures: Sequence[Picture]) -> list[Objects]:
        self.go.acquire()
        self.batches.append(len(pictures))
        self.trouble()
        return [self._found() for _ in pictures]

    def stream(self, take: Take) -> Iterator[Objects]:
        return in_batches(self.detect, take, 8)

    def close(self) -> None:
        self.closed = True

    def _found(self) -> Objects:
        crop = crop_of(PERSON.box, *SIZE)
        low = np.array([crop.left, crop.top]) / SIZE
        extent = np.array([crop.right - crop.left, crop.bottom - crop.top]) / SIZE
        box = (head_of(PERSON).reshape(2, 2) - low) / extent
        return Objects(
            boxes=box.reshape(1, 4).astype(np.float32),
            scores=np.array([0.8], np.float32),
            classes=np.array([BARE_HEAD], np.int64),
        )


class Plant:
    """The thread, its network, and cameras that all show ``PERSON``."""

    def __init__(self) -> None:
        self.network = Network()
        self.loads = 0
        self.thread = PpeThread(self._load, clock=CLOCK)
        self.missing = False

    def _load(self) -> Network:
        self.loads += 1
        if self.missing:
            raise ModelError("model.missing", "there is no such file")
        return self.network

    def show(self, watch: PpeWatch) -> TrackedPerson:
        """One frame now; the person as then known."""
        frame = Frame(
            camera_id="cam",
            sequence=1,
            captured_at=CLOCK.now(),
            width_px=SIZE[0],
            height_px=SIZE[1],
            picture=np.zeros((360, 640, 3), np.uint8),
            full=WholePicture(np.zeros((SIZE[1], SIZE[0], 3), np.uint8)),
        )
        [person] = watch.wear((PERSON,), {1: HAT}, frame.captured_at)
        self.thread.look(watch, frame, (person,), {1: HAT})
        return person

    def ready(self) -> bool:
        return self.thread.serves(HAT)


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Iterator[Plant]:
    monkeypatch.setattr("cameras.ppe_watch.LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(ppe_module, "FIRST_RETRY_S", 0.05)
    plant = Plant()
    plant.thread.start()
    yield plant
    plant.network.go.release(1000)
    plant.thread.stop()


def test_nothing_is_loaded_before_a_rule_asks(plant: Plant) -> None:
    assert plant.thread.serves(frozenset())
    plant.show(PpeWatch())
    assert plant.loads == 0


def test_looks_become_what_a_person_wears(plant: Plant) -> None:
    watch = PpeWatch()
    wait_until(plant.ready)
    wait_until(lambda: plant.show(watch).ppe.get(PpeItem.HARDHAT) is PpeState.MISSING)
    assert plant.thread.ms_per_picture >= 0


def test_an_item_that_the_network_cannot_miss_is_not_served(plant: Plant) -> None:
    wait_until(plant.ready)
    assert not plant.thread.serves(HAT | {PpeItem.VEST})


def test_waiting_cameras_share_a_batch_and_nobody_waits_for_it(plant: Plant) -> None:
    wait_until(plant.ready)
    plant.network.go = threading.Semaphore(0)
    watches = [PpeWatch() for _ in range(5)]
    plant.show(watches[0])
    wait_until(lambda: not plant.thread.waiting)
    for _ in range(3):
        for watch in watches:
            plant.show(watch)
    assert plant.thread.waiting == 4
    plant.network.go.release(2)
    wait_until(lambda: plant.network.batches == [1, 4])


def breaks() -> None:
    raise RuntimeError("the engine broke down")


@pytest.mark.parametrize("how", ["raises", "nan"])
def test_a_broken_network_says_so_and_is_loaded_anew(plant: Plant, how: str) -> None:
    network, watch = plant.network, PpeWatch()

    def gives_nan() -> None:
        network.nonfinite_outputs += 1

    wait_until(plant.ready)
    network.trouble = breaks if how == "raises" else gives_nan
    plant.show(watch)
    wait_until(lambda: plant.thread.errors == 1)
    assert network.closed
    network.trouble = lambda: None
    wait_until(plant.ready)
    assert plant.loads == 2
    wait_until(lambda: plant.show(watch).ppe.get(PpeItem.HARDHAT) is PpeState.MISSING)


def test_a_network_that_cannot_be_loaded_is_tried_again(plant: Plant) -> None:
    plant.missing = True
    assert not plant.ready()
    wait_until(lambda: plant.loads >= 2)
    assert not plant.ready()
    plant.missing = False
    wait_until(plant.ready)


def test_a_network_that_hangs_is_not_counted_on(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ppe_module, "HUNG_S", 0.05)
    watch = PpeWatch()
    wait_until(plant.ready)
    plant.network.go = threading.Semaphore(0)
    plant.show(watch)
    wait_until(lambda: not plant.ready())
    plant.network.go.release(100)
    wait_until(plant.ready)
    wait_until(lambda: plant.show(watch).ppe.get(PpeItem.HARDHAT) is PpeState.MISSING)


class Broken:
    def rgb(self) -> Picture:
        raise OSError("no memory")

    def crop(self, left: int, top: int, right: int, bottom: int) -> Picture:
        raise OSError("no memory")


def test_a_frame_that_cannot_be_cut_is_nobody_elses_trouble(plant: Plant) -> None:
    wait_until(plant.ready)
    watch, now = PpeWatch(), CLOCK.now()
    frame = Frame(
        camera_id="cam",
        sequence=1,
        captured_at=now,
        width_px=960,
        height_px=540,
        picture=np.zeros((360, 640, 3), np.uint8),
        full=Broken(),
    )
    watch.wear((PERSON,), {1: HAT}, now)
    plant.thread.look(watch, frame, (PERSON,), {1: HAT})
    assert plant.thread.errors == 1
    wait_until(lambda: plant.show(watch).ppe.get(PpeItem.HARDHAT) is PpeState.MISSING)
