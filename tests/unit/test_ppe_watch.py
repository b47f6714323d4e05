"""Whom a camera looks at next, and what it makes of the answers."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from cameras.ppe_watch import CROPS_PER_S, MOST_CROPS, Look, PpeWatch
from safety.clock import Instant
from safety.perception.ppe_binding import Evidence
from safety.types import Frame, PpeItem, PpeState, TrackedPerson
from tests.support.pictures import WholePicture
from tests.support.ppe import standing

HAT, VEST = PpeItem.HARDHAT, PpeItem.VEST
BOTH = frozenset({HAT, VEST})
WORN, MISSING, UNKNOWN = PpeState.WORN, PpeState.MISSING, PpeState.UNKNOWN
BARE = {HAT: Evidence(missing=0.8), VEST: Evidence(missing=0.8)}
FULL = WholePicture(np.zeros((540, 960, 3), np.uint8))


def moment(at_s: float) -> Instant:
    return Instant(wall=1e9 + at_s, monotonic=100 + at_s)


def frame(at_s: float) -> Frame:
    return Frame(
        camera_id="cam",
        sequence=1,
        captured_at=moment(at_s),
        width_px=960,
        height_px=540,
        picture=np.zeros((360, 640, 3), np.uint8),
        full=FULL,
    )


class Camera:
    """A camera; looks are answered a frame later, unless told otherwise."""

    def __init__(
        self, persons: Sequence[TrackedPerson], *, whole: bool = False, fps: float = 10
    ) -> None:
        self._fps = fps
        self.persons = tuple(persons)
        self.wanted: Mapping[int, frozenset[PpeItem]] = {p.track_id: BOTH for p in persons}
        self.watch = PpeWatch()
        self.looks: list[Look] = []
        self.dressed: tuple[TrackedPerson, ...] = ()
        self.answering = True
        self._frame = 0
        self._whole = whole

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * self._fps)):
            self._step()

    def _step(self) -> None:
        at_s = self._frame / self._fps
        self._frame += 1
        if self.answering and self.watch.busy:
            look = self.looks[-1]
            self.watch.answer(look, dict.fromkeys(look.looked_at, BARE))
        self.dressed = self.watch.wear(self.persons, self.wanted, moment(at_s))
        look_ = self.watch.look(frame(at_s), self.persons, self.wanted, whole=self._whole)
        if look_ is not None:
            self.looks.append(look_)

    def ppe(self, track_id: int = 1) -> Mapping[PpeItem, PpeState]:
        return next(p.ppe for p in self.dressed if p.track_id == track_id)


def crowd(count: int) -> list[TrackedPerson]:
    return [standing(i + 1, 0.1 + 0.8 * i / count, 0.9) for i in range(count)]


def test_one_person_is_looked_at_twice_a_second_and_decided() -> None:
    camera = Camera(crowd(1))
    camera.run(4)
    assert 7 <= len(camera.looks) <= 8
    assert camera.ppe() == {HAT: MISSING, VEST: MISSING}
    since = camera.dressed[0].missing_since
    assert since == {HAT: moment(0).monotonic, VEST: moment(0).monotonic}


def test_who_comes_into_the_zone_is_looked_at_in_that_frame() -> None:
    """Whom the rules want is known only after the frame was dressed."""
    camera = Camera(crowd(1))
    camera.watch.wear(camera.persons, {}, moment(0))
    look = camera.watch.look(frame(0), camera.persons, camera.wanted, whole=False)
    assert look is not None
    assert look.looked_at == {1}


@pytest.mark.parametrize("fps", [3, 5, 10, 25])
@pytest.mark.parametrize("count", [3, 10, 30])
def test_few_crops_per_second_and_everybodys_turn(count: int, fps: float) -> None:
    """A camera analysed less often cuts more crops out of each frame."""
    camera = Camera(crowd(count), fps=fps)
    camera.run(6)
    cut = [len(look.pictures) for look in camera.looks]
    assert max(cut) <= MOST_CROPS
    assert sum(cut) <= 6 * CROPS_PER_S + MOST_CROPS
    times = {p.track_id: [x.at for x in camera.looks if p.track_id in x.looked_at]
             for p in camera.persons}  # fmt: skip
    assert max(map(len, times.values())) - min(map(len, times.values())) <= 2
    # Looks come with frames: at 3 frames/s every other one is the first after half a second.
    every_s = math.ceil(0.5 * fps) / fps
    assert min(map(len, times.values())) >= min(6 / every_s, 6 * CROPS_PER_S // count) - 1


def test_the_crop_shows_the_person_from_the_full_picture() -> None:
    person = standing(1, 0.5, 0.9)
    camera = Camera([person])
    camera.run(0.1)
    [picture] = camera.looks[0].pictures
    width = (person.box[2] - person.box[0]) * 960
    assert picture.shape[1] == pytest.approx(width * 1.24, abs=2)
    assert picture.shape[0] == pytest.approx(0.4 * 540 * 1.18, abs=2)


def test_a_camera_may_look_at_its_whole_picture_instead() -> None:
    camera = Camera(crowd(5), whole=True)
    camera.run(0.1)
    [look] = camera.looks
    assert look.crops is None
    assert [picture.shape for picture in look.pictures] == [(360, 640, 3)]
    assert look.looked_at == {1, 2, 3, 4, 5}


def test_one_look_at_a_time() -> None:
    camera = Camera(crowd(10))
    camera.answering = False
    camera.run(3)
    assert len(camera.looks) == 1
    assert camera.ppe() == {HAT: UNKNOWN, VEST: UNKNOWN}


def test_nobody_is_looked_at_whom_no_rule_wants_or_who_is_too_small() -> None:
    camera = Camera([standing(1, 0.3, 0.9), standing(2, 0.7, 0.5, height=0.05)])
    camera.wanted = {2: BOTH}
    camera.run(2)
    assert camera.looks == []
    assert camera.ppe(1) == {}
    assert camera.ppe(2) == {HAT: UNKNOWN, VEST: UNKNOWN}


def test_without_a_rule_persons_pass_through_untouched() -> None:
    camera = Camera(crowd(2))
    camera.wanted = {}
    camera.run(1)
    assert all(a is b for a, b in zip(camera.dressed, camera.persons, strict=True))


def test_what_is_known_fades_when_answers_stay_away() -> None:
    camera = Camera(crowd(1))
    camera.run(4)
    camera.answering = False
    camera.run(5)
    assert camera.ppe() == {HAT: UNKNOWN, VEST: UNKNOWN}


def test_a_failed_look_is_tried_again() -> None:
    camera = Camera(crowd(1))
    camera.answering = False
    camera.run(0.1)
    camera.watch.answer(camera.looks[0], {})
    camera.run(1)
    assert len(camera.looks) == 2


def test_the_time_in_each_state_is_counted_by_the_clock() -> None:
    camera = Camera(crowd(2))
    camera.run(10)
    told = camera.watch.seconds[HAT]
    assert sum(told.values()) == pytest.approx(2 * 9.9, abs=0.01)
    assert told[WORN] == 0
    assert 0 < told[UNKNOWN] < 4


def test_who_is_gone_is_forgotten() -> None:
    camera = Camera(crowd(20))
    camera.run(2)
    camera.persons = ()
    camera.run(5)
    camera.persons = tuple(crowd(1))
    camera.wanted = {}
    camera.run(0.1)
    assert camera.ppe() == {}
