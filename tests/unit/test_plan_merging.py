"""One person on the plan: merged over cameras by place and time, kept apart where they are not."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from cameras.messages import FloorSighting, PlanUpdate
from safety.clock import ManualClock
from safety.engine.merging import KEPT_S, Merger, Sighting
from safety.engine.plan import PlanDesk

Way = Callable[[float], tuple[float, float]]
SIGMA = 0.15
VARIANCE = (SIGMA**2, 0.0, SIGMA**2)


def walk(x: float, y: float, vx: float = 0.0, vy: float = 0.0) -> Way:
    return lambda t: (x + vx * t, y + vy * t)


def sighting(track_id: int, x: float, y: float) -> Sighting:
    return Sighting(track_id=track_id, x_m=x, y_m=y, covariance_m2=VARIANCE)


class Hall:
    """People who walk, and cameras that see them with noise, each under its own numbers."""

    def __init__(self, seed: int = 0) -> None:
        self.merger = Merger()
        self.noise = np.random.default_rng(seed)
        self.now = 100.0
        self.begun = self.now

    def run(
        self, seconds: float, cameras: dict[str, dict[int, Way]], *, every_s: float = 0.2
    ) -> None:
        end = self.now + seconds
        while self.now < end - 1e-9:
            for number, (camera_id, people) in enumerate(cameras.items()):
                at = self.now + 0.03 * number
                seen = []
                for track_id, way in people.items():
                    x, y = np.array(way(at - self.begun)) + self.noise.normal(0, SIGMA, 2)
                    seen.append(sighting(track_id, x, y))
                self.merger.sight(camera_id, seen, at)
            self.now += every_s

    def ids(self) -> list[int]:
        return [each.id for each in self.merger.people(self.now)]


def test_one_person_before_two_cameras_is_one() -> None:
    hall, way = Hall(), walk(0, 0, 1.2, 0.3)
    hall.run(6, {"a": {1: way}, "b": {7: way}})
    (person,) = hall.merger.people(hall.now)
    assert person.tracks == (("a", 1), ("b", 7))
    x, y = way(hall.now - hall.begun)
    assert math.hypot(person.x_m - x, person.y_m - y) < 0.5
    assert math.hypot(person.velocity_mps[0] - 1.2, person.velocity_mps[1] - 0.3) < 0.8
    assert person.covariance_m2[0] < VARIANCE[0] * 1.2


@pytest.mark.parametrize("seed", range(5))
def test_two_people_apart_stay_two(seed: int) -> None:
    hall = Hall(seed)
    one, other = walk(0, 0, 0.5, 0), walk(0, 2.0, 0.5, 0)
    hall.run(8, {"a": {1: one, 2: other}, "b": {1: other, 2: one}})
    first, second = hall.merger.people(hall.now)
    assert {first.tracks, second.tracks} == {(("a", 1), ("b", 2)), (("a", 2), ("b", 1))}


def test_a_crowd_of_twelve_is_counted_once() -> None:
    hall = Hall()
    ways = [walk(2.0 * (n % 4), 2.0 * (n // 4), 0.1, 0.05) for n in range(12)]
    hall.run(
        6,
        {
            "a": dict(enumerate(ways)),
            "b": {n + 50: way for n, way in enumerate(reversed(ways))},
            "c": dict(enumerate(ways[:6])),
        },
    )
    assert len(hall.ids()) == 12


def test_numbers_last_through_a_walk_from_camera_to_camera() -> None:
    hall, way = Hall(), walk(0, 0, 1.0, 0)
    hall.run(4, {"a": {1: way}})
    before = hall.ids()
    hall.run(3, {"a": {1: way}, "b": {9: way}})
    hall.run(5, {"a": {}, "b": {9: way}})
    assert hall.ids() == before


def test_a_broken_track_goes_on_under_the_same_number() -> None:
    hall, way = Hall(), walk(0, 0, 1.0, 0)
    hall.run(3, {"a": {1: way}})
    before = hall.ids()
    hall.run(1, {"a": {}})
    hall.run(2, {"a": {2: way}})
    assert hall.ids() == before


def test_people_who_pass_each_other_keep_their_numbers() -> None:
    hall = Hall()
    one, other = walk(0, 0, 1.2, 0), walk(12, 0.6, -1.2, 0)
    cameras = {"a": {1: one, 2: other}, "b": {3: one, 4: other}}
    hall.run(2, cameras)
    before = {each.tracks: each.id for each in hall.merger.people(hall.now)}
    hall.run(8, cameras)
    assert {each.tracks: each.id for each in hall.merger.people(hall.now)} == before


def test_those_taken_for_one_are_parted_when_they_walk_apart() -> None:
    hall = Hall()
    one: Way = lambda t: (0.0, max(0.0, t - 3) * 1.0)  # noqa: E731
    other: Way = lambda t: (0.1, -max(0.0, t - 3) * 1.0)  # noqa: E731
    hall.run(3, {"a": {1: one}, "b": {2: other}})
    assert len(hall.ids()) == 1
    hall.run(5, {"a": {1: one}, "b": {2: other}})
    assert len(hall.ids()) == 2


def test_those_taken_for_two_are_united_when_they_agree() -> None:
    hall, way = Hall(), walk(0, 0)
    hall.run(1, {"a": {1: way}})
    hall.run(1, {"a": {1: way}, "b": {2: walk(5, 0)}})
    assert len(hall.ids()) == 2
    hall.run(4, {"a": {1: way}, "b": {2: way}})
    assert hall.ids() == [1]


def test_nobody_is_united_over_more_than_three_metres() -> None:
    merger = Merger()
    vague = (100.0, 0.0, 100.0)
    for step in range(20):
        at = 100 + 0.2 * step
        for camera_id, x in (("a", 0.0), ("b", 3.5)):
            seen = Sighting(track_id=1, x_m=x, y_m=0.0, covariance_m2=vague)
            merger.sight(camera_id, [seen], at)
    assert len(merger.people(104)) == 2


def test_who_is_not_seen_is_forgotten() -> None:
    hall = Hall()
    hall.run(2, {"a": {1: walk(0, 0)}})
    hall.run(KEPT_S + 0.5, {"a": {}})
    assert hall.ids() == []
    assert hall.merger.owner_of("a", 1) is None


@pytest.mark.parametrize(
    "bad",
    [
        Sighting(track_id=1, x_m=math.nan, y_m=0.0, covariance_m2=VARIANCE),
        Sighting(track_id=1, x_m=0.0, y_m=math.inf, covariance_m2=VARIANCE),
        Sighting(track_id=1, x_m=0.0, y_m=0.0, covariance_m2=(0.0, 0.0, 0.0)),
        Sighting(track_id=1, x_m=0.0, y_m=0.0, covariance_m2=(1.0, 2.0, 1.0)),
        Sighting(track_id=1, x_m=0.0, y_m=0.0, covariance_m2=(math.nan, 0.0, 1.0)),
    ],
)
def test_absurd_positions_are_passed_over(bad: Sighting) -> None:
    merger = Merger()
    merger.sight("a", [bad, sighting(2, 1.0, 1.0)], 100.0)
    assert [each.tracks for each in merger.people(100.0)] == [(("a", 2),)]


# The desk


def told(camera_id: str, people: Sequence[tuple[int, float, float]], age_s: float) -> FloorSighting:
    return FloorSighting(
        camera_id=camera_id,
        age_s=age_s,
        people=tuple((track_id, x, y, *VARIANCE) for track_id, x, y in people),
    )


async def test_dashboards_are_told_while_there_is_somebody_and_once_after() -> None:
    clock, updates = ManualClock(), list[PlanUpdate]()

    class Enough(Exception):
        pass

    def tell(update: PlanUpdate) -> None:
        updates.append(update)
        if not update.people:
            raise Enough

    desk = PlanDesk(clock=clock, tell=tell)
    desk.sight(told("a", [(1, 2.0, 3.0)], 0.1))
    with pytest.raises(Enough):
        await desk.run()
    assert [len(update.people) for update in updates][:2] == [1, 1]
    assert updates[0].people[0].cameras == ("a",)
    assert [len(update.people) for update in updates][-1] == 0


def test_people_in_a_zone_are_counted_once() -> None:
    clock = ManualClock()
    desk = PlanDesk(clock=clock, tell=lambda _: None)
    for _ in range(10):
        desk.sight(told("a", [(1, 2.0, 3.0), (2, 8.0, 8.0)], 0.05))
        desk.sight(told("b", [(5, 2.1, 3.0)], 0.05))
        clock.sleep(0.2)
    zone = ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0))
    person = desk.person_of("b", 5)
    assert person is not None
    assert desk.people_in(zone) == (person,)
    assert desk.person_of("a", 1) == person
    assert len(desk.people()) == 2


@pytest.mark.parametrize("age_s", [-1.0, 5.0, math.nan])
def test_what_comes_late_or_from_the_future_is_passed_over(age_s: float) -> None:
    desk = PlanDesk(clock=ManualClock(), tell=lambda _: None)
    desk.sight(told("a", [(1, 2.0, 3.0)], age_s))
    assert desk.people() == ()
