"""A floor that two cameras see, with shelves between: everybody counts once, whoever sees them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import pytest

from cameras.messages import CameraStatus, FloorSighting, PlantUpdate
from cameras.plant import STALE_S, PlantBoard
from cameras.specs import CameraSpec, SyntheticSpec
from safety.clock import ManualClock
from safety.engine.doubles import Doubles
from safety.engine.plan import PlanDesk
from safety.engine.sharing import SharedZones
from safety.engine.site import EngineSite
from safety.site.spec import SiteSpec
from safety.types import CameraState, Observation, PlantState, Violation
from tests.support.observations import person
from tests.support.pinholes import Hung
from zones.calibration import CalibrationSpec, FloorCalibration, PointPair
from zones.engine import RuleEngine
from zones.floor import ANKLE_M, locate
from zones.rules.occupancy import OccupancySpec
from zones.specs import ZoneSpec
from zones.survey import solve

HUNG = {"north": Hung(place_m=(0.0, 0.0)), "south": Hung(place_m=(0.0, 18.0), yaw_deg=180.0)}
FLOOR = np.array([(x, y) for x in (-2.0, 0.0, 2.0) for y in (6.0, 9.0, 12.0)])
SPECS = {
    name: CalibrationSpec(
        pairs=tuple(
            PointPair(picture=(u, v), plan_m=(x, y))
            for (u, v), (x, y) in zip(hung.project(FLOOR).tolist(), FLOOR.tolist(), strict=True)
        )
    )
    for name, hung in HUNG.items()
}
CALIBRATIONS: Mapping[str, FloorCalibration] = {name: solve(spec) for name, spec in SPECS.items()}

HALL = ((-2.0, 2.0), (2.0, 2.0), (2.0, 16.0), (-2.0, 16.0))
"""Neither camera sees the floor right below itself."""
MIDDLE = ((-2.0, 7.0), (2.0, 7.0), (2.0, 11.0), (-2.0, 11.0))
"""Both see all of it."""

Walk = Callable[[float], tuple[float, float] | None]
ALONE = {"at_least": 2, "empty_is_fine": True}


def standing(x: float, y: float, until_s: float = 99) -> Walk:
    return lambda at_s: (x, y) if at_s < until_s else None


@dataclass
class Hall:
    """The plant from the pictures' persons to alerts; shelves at y = 9 hide whoever is beyond.

    Attributes:
        reports: Every violation's reports.
        alerts: Violations that stand for themselves.
        blind: Cameras that are blind from a time on.
        doubts: What cameras said last that the rule cannot tell.
    """

    rule: OccupancySpec
    floor_m: tuple[tuple[float, float], ...] = HALL
    shelves: bool = True
    blind: Mapping[str, float] = field(default_factory=dict)
    engine_dies_s: float = 99.0
    alone: bool = False
    reports: list[Violation] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    doubts: dict[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        zone = ZoneSpec(id="hall", name="Hall", floor_m=self.floor_m)
        self.clock = ManualClock()
        self.began = self.clock.now()
        site = EngineSite(
            spec=SiteSpec(
                name="Ansan",
                cameras=tuple(
                    CameraSpec(id=name, name=name, source=SyntheticSpec(), calibration=spec)
                    for name, spec in SPECS.items()
                ),
                zones=(zone,),
                rules=(self.rule,),
            ),
            revision=1,
            rule_revisions={self.rule.id: 1},
        )
        ids = count()
        self.engines = {
            name: RuleEngine(
                camera_id=name,
                zones=[zone],
                rules=[self.rule],
                rule_revisions={self.rule.id: 1},
                new_id=lambda: f"v{next(ids)}",
                calibration=calibration,
            )
            for name, calibration in CALIBRATIONS.items()
        }
        self.statuses: dict[str, CameraStatus] = {}
        self.plan = PlanDesk(clock=self.clock, tell=lambda _: None)
        self.shared = SharedZones(
            clock=self.clock, site=lambda: site, people=self.plan.people,
            statuses=lambda: self.statuses,
        )  # fmt: skip
        self.board = PlantBoard(clock=self.clock)
        self.doubles = Doubles(self.plan.person_of)
        self.tracks: dict[tuple[str, int], int] = {}

    def run(self, people: Iterable[Walk], until_s: float) -> "Hall":
        """Ten pictures a second of both cameras."""
        people = tuple(people)
        for number in range(round(until_s * 10)):
            at_s = number / 10
            for name in CALIBRATIONS:
                self._watch(name, people, at_s, tell=number % 2 == 0)
            if at_s < self.engine_dies_s and not self.alone:
                self.board.take(_update(self.shared))
            self.clock.sleep(0.1)
        return self

    def opened_s(self) -> list[tuple[str, float]]:
        """Camera and seconds of every violation that opened."""
        began = self.began.monotonic
        return [
            (v.camera_id, round(v.opened_at.monotonic - began, 1))
            for v in self.reports
            if v.revision == 0
        ]

    def _watch(self, name: str, people: tuple[Walk, ...], at_s: float, *, tell: bool) -> None:
        now, engine = self.clock.now(), self.engines[name]
        is_blind = at_s >= self.blind.get(name, 99.0)
        self.statuses[name] = CameraStatus(
            camera_id=name, shard="shard-0", reason="ok", since=now, at=now,
            state=CameraState.BLIND if is_blind else CameraState.LIVE,
        )  # fmt: skip
        if is_blind:
            self._take(engine.end("camera_blind", now))
            return
        seen = locate(
            [self._figure(name, number, place, at_s)
             for number, walk in enumerate(people)
             if (place := walk(at_s)) is not None and self._sees(name, place)],
            CALIBRATIONS[name],
        )  # fmt: skip
        if tell and at_s < self.engine_dies_s:
            places = tuple(
                (p.track_id, p.floor.x_m, p.floor.y_m, *p.floor.covariance_m2)
                for p in seen if p.floor is not None
            )  # fmt: skip
            self.plan.sight(FloorSighting(camera_id=name, age_s=0.0, people=places, vehicles=()))
        observation = Observation(
            camera_id=name, at=now, sequence=1, aspect=HUNG[name].aspect, persons=seen
        )
        self._take(engine.update(observation, self.board.state(now)))
        self.doubts[name] = engine.doubts().get(self.rule.id, frozenset())

    def _sees(self, name: str, place: tuple[float, float]) -> bool:
        (u, v), *_ = HUNG[name].project(np.array([place])).tolist()
        behind = self.shelves and (place[1] > 9) == (name == "north")
        return 0 <= u <= 1 and 0 <= v <= 0.98 and not behind

    def _figure(self, name: str, number: int, place: tuple[float, float], at_s: float) -> Any:
        (u, v), *_ = HUNG[name].project(np.array([place]), height_m=ANKLE_M).tolist()
        return person(number + 1, (u, v), age_s=at_s, height=0.2)

    def _take(self, reports: list[Violation]) -> None:
        for violation in reports:
            self.reports.append(violation)
            first = self.doubles.first_of(violation, on_floor=True)
            if violation.revision == 0 and first is None:
                self.alerts.append(violation.id)


def _update(shared: SharedZones) -> PlantUpdate:
    return PlantUpdate(
        machines={}, vehicles=(), lost_vehicles=(), muted_zones=(), open_rules=(),
        active_shifts=(), shared_zones=shared.look(),
    )  # fmt: skip


def rule(**fields: Any) -> OccupancySpec:
    return OccupancySpec(**{"id": "heads", "name": "Heads", "zone_id": "hall", **fields})


TWO = (standing(0.0, 6.0), standing(0.5, 12.0))


def test_two_who_are_hidden_from_each_others_camera_are_not_alone() -> None:
    hall = Hall(rule(**ALONE)).run(TWO, 12)
    assert hall.reports == []
    # By itself every camera sees one person alone.
    assert len(Hall(rule(**ALONE), alone=True).run(TWO, 5).opened_s()) == 2


def test_who_stays_behind_alone_raises_one_alert() -> None:
    hall = Hall(rule(**ALONE, hold_to_open_s=3)).run((TWO[0], standing(0.5, 12.0, 6)), 16)
    assert [at_s for _, at_s in hall.opened_s()] == [pytest.approx(11, abs=1)] * 2
    assert len(hall.alerts) == 1


@pytest.mark.parametrize(("at_most", "alerts"), [(1, 1), (2, 0)])
def test_whom_both_cameras_see_counts_once(at_most: int, alerts: int) -> None:
    hall = Hall(rule(at_most=at_most, hold_to_open_s=0.5), MIDDLE, shelves=False)
    hall.run((standing(-1.0, 8.5), standing(1.0, 9.5)), 6)
    assert len(hall.alerts) == alerts
    assert {v.details["people"] for v in hall.reports} <= {2}
    assert len(hall.opened_s()) == 2 * alerts  # each camera's own, one of them stands for both


def test_who_walks_from_one_camera_to_the_other_is_always_somebody() -> None:
    def walk(at_s: float) -> tuple[float, float]:
        return 0.3, 5.0 + min(at_s, 8.0)

    hall = Hall(rule(at_least=1, at_most=1, hold_to_open_s=0.5)).run((walk,), 14)
    assert hall.reports == []


def test_with_one_camera_blind_too_few_is_unknown_and_said_to_be() -> None:
    hall = Hall(rule(**ALONE), blind={"south": 5.0}).run(TWO, 20)
    assert hall.reports == []
    assert hall.doubts["north"] == {"others_blind"}
    hall = Hall(rule(at_most=0), blind={"south": 5.0}).run(TWO, 12)
    assert {v.camera_id for v in hall.reports} == {"north", "south"}  # too many is no doubt
    assert hall.doubts["north"] == frozenset()


def test_an_open_violation_ends_as_untold_and_not_as_cleared_when_the_other_goes_blind() -> None:
    hall = Hall(rule(**ALONE), blind={"south": 10.0}).run((TWO[0],), 20)
    assert hall.alerts != []
    ends = {v.camera_id: v.end_reason for v in hall.reports if v.closed_at is not None}
    assert ends == {"south": "camera_blind", "north": "cannot_tell"}


def test_a_camera_that_sees_all_of_the_zone_can_tell_though_the_other_is_blind() -> None:
    hall = Hall(rule(**ALONE), MIDDLE, shelves=False, blind={"south": 3.0})
    hall.run((standing(0.0, 9.0, 99), standing(1.0, 9.5, 8)), 16)
    assert [camera for camera, _ in hall.opened_s()] == ["north"]
    assert hall.doubts["north"] == frozenset()


def test_a_rule_that_names_one_camera_counts_whom_that_one_sees() -> None:
    hall = Hall(rule(**ALONE, camera_ids=("north",)))
    del hall.engines["south"]
    hall.engines["south"] = RuleEngine(
        camera_id="south", zones=[], rules=[], rule_revisions={}, new_id=str
    )
    hall.run(TWO, 8)
    assert [camera for camera, _ in hall.opened_s()] == ["north"]


def test_without_the_engine_nobody_is_said_to_be_alone() -> None:
    hall = Hall(rule(**ALONE), engine_dies_s=4.0).run(TWO, 8 + STALE_S)
    assert hall.reports == []
    assert set(hall.doubts.values()) == {frozenset({"others_blind"})}


def test_without_other_cameras_all_is_as_before() -> None:
    assert PlantState().shared_zones == {}
    assert PlantBoard(clock=ManualClock()).state(ManualClock().now()).shared_zones == {}
