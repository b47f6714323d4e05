"""What looks like somebody in danger and is not: named, one by one."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from safety.types import KEYPOINTS, ObjectClass, PlantState, SeenVehicle, TrackedPerson
from tests.support.bodies import body, camera, project
from tests.support.observations import (
    ZONE,
    Episode,
    engine_of,
    episodes,
    frame_times,
    observation,
    person,
)
from zones.calibration import FloorCalibration
from zones.engine import RuleEngine
from zones.rules.dwell import DwellSpec
from zones.rules.intrusion import IntrusionSpec
from zones.specs import RuleSpec, ZoneSpec

Scene = Callable[[float], tuple[Sequence[TrackedPerson], Sequence[SeenVehicle]]]

KEEP_OUT = IntrusionSpec(id="keep-out", name="Keep out", zone_id="press")
WIDE = ZONE.model_copy(update={"polygon": ((0.1, 0.3), (0.9, 0.3), (0.9, 0.9), (0.1, 0.9))})
FLOOR = ZoneSpec(id="press", name="Press", floor_m=((-3, 7), (3, 7), (3, 13), (-3, 13)))


def watch(
    engine: RuleEngine, scene: Scene, until_s: float = 6.0, *, fps: float = 10
) -> list[Episode]:
    reports = []
    for at_s in frame_times(until_s, fps=fps):
        persons, vehicles = scene(at_s)
        seen = replace(observation(persons, at_s), vehicles=tuple(vehicles))
        reports += engine.update(seen, PlantState())
    return episodes(reports)


def on_the_floor(rule: RuleSpec, calibration: FloorCalibration | None) -> RuleEngine:
    return RuleEngine(
        camera_id="cam", zones=[FLOOR], rules=[rule], rule_revisions={rule.id: 1},
        new_id=iter(map(str, range(99))).__next__, calibration=calibration,
    )  # fmt: skip


def truck(at_x: float, *, width: float = 0.2, track_id: int = 1) -> SeenVehicle:
    """A forklift whose box is 0.4 high and ends at 0.8."""
    box = np.array([at_x - width / 2, 0.4, at_x + width / 2, 0.8], np.float32)
    return SeenVehicle(track_id=track_id, kind=ObjectClass.FORKLIFT, box=box, score=0.9, age_s=5.0)


def seated(at_x: float, age_s: float, *, track_id: int = 1) -> TrackedPerson:
    """Somebody in the middle of a forklift at this place."""
    return person(track_id, (at_x, 0.7), age_s=age_s, height=0.22)


class TestDriver:
    """A forklift's own driver is no pedestrian; whoever else its box hides is one."""

    def test_who_rides_is_no_pedestrian_once_that_is_seen(self) -> None:
        engine = engine_of(KEEP_OUT.model_copy(update={"hold_to_open_s": 2.5}), zones=[WIDE])

        def riding(at_s: float) -> tuple[Sequence[TrackedPerson], Sequence[SeenVehicle]]:
            return [seated(0.2 + 0.06 * at_s, at_s)], [truck(0.2 + 0.06 * at_s)]

        assert watch(engine, riding, until_s=10) == []
        assert engine.passed_over == {1: "driver"}

    def test_and_stays_none_while_the_forklift_stands(self) -> None:
        engine = engine_of(KEEP_OUT.model_copy(update={"hold_to_open_s": 2.5}), zones=[WIDE])

        def stops(at_s: float) -> tuple[Sequence[TrackedPerson], Sequence[SeenVehicle]]:
            x = 0.2 + 0.06 * min(at_s, 4)
            return [seated(x, at_s)], [truck(x)]

        assert watch(engine, stops, until_s=20) == []

    def test_who_gets_off_is_a_pedestrian_at_once(self) -> None:
        engine = engine_of(KEEP_OUT.model_copy(update={"hold_to_open_s": 2.5}), zones=[WIDE])

        def gets_off(at_s: float) -> tuple[Sequence[TrackedPerson], Sequence[SeenVehicle]]:
            x = 0.2 + 0.06 * min(at_s, 4)
            if at_s < 6:
                return [seated(x, at_s)], [truck(x)]
            return [person(1, (x + 0.2, 0.8), age_s=at_s)], [truck(x)]

        [episode] = watch(engine, gets_off, until_s=12)
        assert episode.opened_s == pytest.approx(8.5, abs=0.01)

    @pytest.mark.parametrize(
        ("walk_x", "truck_x", "foot_y"),
        [
            pytest.param(0.0, 0.06, 0.7, id="stands behind a forklift that drives past"),
            pytest.param(0.06, 0.06, 0.82, id="walks in front of it at its speed"),
            pytest.param(0.0, 0.0, 0.7, id="is in front of one that never moves"),
            pytest.param(0.03, 0.0, 0.7, id="walks behind one that stands"),
        ],
    )
    def test_who_does_not_ride_is_a_pedestrian(
        self, walk_x: float, truck_x: float, foot_y: float
    ) -> None:
        engine = engine_of(KEEP_OUT, zones=[WIDE])

        def scene(at_s: float) -> tuple[Sequence[TrackedPerson], Sequence[SeenVehicle]]:
            foot = (0.4 + walk_x * at_s, foot_y)
            return [person(1, foot, age_s=at_s, height=0.22)], [truck(0.4 + truck_x * at_s)]

        [episode] = watch(engine, scene)
        assert (episode.opened_s, episode.closed_s) == (0.0, None)

    def test_somebody_beside_the_driver_is_one(self) -> None:
        engine = engine_of(KEEP_OUT.model_copy(update={"hold_to_open_s": 2.5}), zones=[WIDE])

        def scene(at_s: float) -> tuple[Sequence[TrackedPerson], Sequence[SeenVehicle]]:
            x = 0.2 + 0.06 * at_s
            walker = person(2, (x + 0.25, 0.8), age_s=at_s)
            return [seated(x, at_s), walker], [truck(x)]

        assert [e.subject for e in watch(engine, scene)] == ["person-2"]


class TestReflection:
    """A wet floor shows everybody a second time, head down from the same feet."""

    def mirrored(self, real: TrackedPerson, track_id: int) -> TrackedPerson:
        foot = float(real.box[3])
        keypoints = real.keypoints.copy()
        keypoints[:, 1] = 2 * foot - keypoints[:, 1]
        left, top, right, bottom = real.box
        box = np.array([left, bottom, right, 2 * foot - top], np.float32)
        return replace(real, track_id=track_id, keypoints=keypoints, box=box)

    def test_it_is_not_counted_and_its_owner_is(self) -> None:
        engine = engine_of(KEEP_OUT, zones=[WIDE])

        def scene(at_s: float) -> tuple[Sequence[TrackedPerson], Sequence[SeenVehicle]]:
            real = person(1, (0.5, 0.5), age_s=at_s)
            return [real, self.mirrored(real, 2)], []

        assert [e.subject for e in watch(engine, scene)] == ["person-1"]
        assert engine.passed_over == {2: "unreal"}

    def test_somebody_head_down_alone_is_a_person(self) -> None:
        """Who fell down steps lies so; nobody else stands at those feet."""
        engine = engine_of(KEEP_OUT, zones=[WIDE])
        fallen = self.mirrored(person(1, (0.5, 0.5), age_s=1), 1)
        assert len(watch(engine, lambda _: ([fallen], []))) == 1

    def test_a_mirror_image_behind_glass_stands_outside_the_zone(self) -> None:
        """Upright, as far behind the glass as its owner is before it."""
        engine = on_the_floor(KEEP_OUT, camera())

        def scene(at_s: float) -> tuple[Sequence[TrackedPerson], Sequence[SeenVehicle]]:
            return [body(2, "stands", (0.0, 15.0), age_s=at_s)], []

        assert watch(engine, scene) == []


class TestPicture:
    """A poster, a pictogram, a screen: somebody too small to be where he seems to stand."""

    def small(self, share: float) -> TrackedPerson:
        """Somebody drawn at this share of the size of a person there."""
        real = body(1, "stands", (0.0, 10.0), age_s=9.0)
        foot = real.keypoints[KEYPOINTS.index("left_ankle"), :2].copy()
        keypoints = real.keypoints.copy()
        keypoints[:, :2] = foot + share * (keypoints[:, :2] - foot)
        corners = foot + share * (real.box.reshape(2, 2) - foot)
        return replace(real, keypoints=keypoints, box=corners.reshape(4).astype(np.float32))

    @pytest.mark.parametrize(
        ("share", "calibrated", "alarms"),
        [
            pytest.param(0.2, True, 0, id="a pictogram, 34 cm high"),
            pytest.param(0.2, False, 1, id="nobody knows how high it is: armed"),
            pytest.param(0.65, True, 1, id="a child or a small person, 1.1 m"),
            pytest.param(1.0, True, 1, id="a person"),
            pytest.param(1.8, True, 1, id="somebody on a ladder looks too tall"),
        ],
    )
    def test_only_what_is_too_small_is_no_person(
        self, share: float, calibrated: bool, alarms: int
    ) -> None:
        engine = on_the_floor(KEEP_OUT, camera())
        if not calibrated:
            polygon = project(np.array([(x, y, 0) for x, y in FLOOR.floor_m or ()]))
            corners = tuple((float(x), float(y)) for x, y in polygon.clip(0, 1))
            seen = ZONE.model_copy(update={"polygon": corners})
            engine = engine_of(KEEP_OUT, zones=[seen])
        assert len(watch(engine, lambda _: ([self.small(share)], []))) == alarms

    def test_somebody_who_never_moves_is_a_person(self) -> None:
        """A still person in danger is the case that matters."""
        engine = on_the_floor(KEEP_OUT, camera())
        [episode] = watch(engine, lambda at_s: ([replace(self.small(1.0), age_s=at_s)], []), 60)
        assert episode.closed_s is None

    def test_somebody_who_crouches_is_a_person(self) -> None:
        engine = on_the_floor(KEEP_OUT, camera())
        assert len(watch(engine, lambda _: ([body(1, "squats", (0.0, 10.0))], []))) == 1


class TestTrackSwap:
    """A tracker that calls two who pass each other by each other's ids."""

    def swapping(self, at_s: float) -> tuple[Sequence[TrackedPerson], Sequence[SeenVehicle]]:
        """Somebody stands in the zone, another waits below it; at 4 s their ids are swapped."""
        inside, outside = (2, 1) if at_s >= 4 else (1, 2)
        return [
            person(inside, (0.5, 0.55), age_s=at_s),
            person(outside, (0.5, 0.75), age_s=at_s),
        ], []

    def test_is_one_intrusion_by_the_same_person(self) -> None:
        engine = engine_of(KEEP_OUT, zones=[ZONE])
        assert watch(engine, self.swapping, until_s=8) == [Episode("person-1", 0.0, None, None)]

    def test_carries_nobody_s_waiting_time_to_another(self) -> None:
        rule = DwellSpec(id="wait", name="Wait", zone_id="press", limit_s=6)
        [episode] = watch(engine_of(rule, zones=[ZONE]), self.swapping, until_s=8)
        assert episode.opened_s == pytest.approx(6.0)

    def test_two_who_walk_past_each_other_have_not_swapped(self) -> None:
        engine = engine_of(KEEP_OUT, zones=[ZONE])

        def passing(at_s: float) -> tuple[Sequence[TrackedPerson], Sequence[SeenVehicle]]:
            return [
                person(1, (0.3 + 0.1 * at_s, 0.5), age_s=at_s),
                person(2, (0.7 - 0.1 * at_s, 0.7), age_s=at_s),
            ], []

        found = watch(engine, passing, until_s=4)
        assert [(e.subject, e.opened_s, e.closed_s) for e in found] == [("person-1", 1.0, 3.9)]


@pytest.mark.parametrize("fps", [10, 5])
def test_a_detection_of_one_frame_is_nobody_where_the_rule_waits(fps: float) -> None:
    engine = engine_of(KEEP_OUT.model_copy(update={"hold_to_open_s": 0.3}), zones=[ZONE])

    def flickers(at_s: float) -> tuple[Sequence[TrackedPerson], Sequence[SeenVehicle]]:
        return ([person(round(at_s * 10), (0.5, 0.5))] if round(at_s * 10) % 20 == 0 else []), []

    assert watch(engine, flickers, until_s=20, fps=fps) == []
