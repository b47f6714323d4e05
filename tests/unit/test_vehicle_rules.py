"""Distances to vehicles and machines, vehicles that are too fast or where they may not be."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import TypeAdapter, ValidationError

from safety.types import (
    FloorPosition,
    ObjectClass,
    Observation,
    PlantState,
    Severity,
    VehiclePose,
    Violation,
)
from tests.support import moments
from tests.support.bodies import camera
from tests.support.moments import SURE, forklift, middle, traffic
from tests.support.observations import START, ZONE, episodes, frame_times
from zones.arming import Armament
from zones.distances import FixedDistance, Iso13855Distance, SeparationDistance
from zones.engine import RuleEngine
from zones.rules.proximity import ProximitySpec
from zones.rules.vehicle_in_zone import VehicleInZoneSpec
from zones.rules.vehicle_speed import VehicleSpeedSpec
from zones.specs import RuleSpec, ZoneSpec

NEAR = ProximitySpec(id="r", name="R")
FLOOR_ZONE = ZoneSpec(id="floor", name="Floor", floor_m=((-2, 8), (2, 8), (2, 10), (-2, 10)))
SILENT = PlantState()
FAR = FloorPosition(x_m=-8.0, y_m=9.0, covariance_m2=SURE, source="ankles")

Moment = Callable[[float], Observation]


def engine(rule: RuleSpec, *, calibrated: bool = True) -> RuleEngine:
    ids = iter(range(1000))
    return RuleEngine(
        camera_id="cam",
        zones=[ZONE, FLOOR_ZONE] if calibrated else [ZONE],
        rules=[rule],
        rule_revisions={"r": 1},
        new_id=lambda: str(next(ids)),
        calibration=camera() if calibrated else None,
    )


def reports(
    rule: RuleSpec,
    seen: Moment,
    *,
    plant: Callable[[float], PlantState] = lambda _: SILENT,
    until_s: float = 5.0,
    running: RuleEngine | None = None,
) -> list[Violation]:
    running = running or engine(rule)
    return [
        report
        for at_s in frame_times(until_s)
        for report in running.update(seen(at_s), plant(at_s))
    ]


def at_distance(
    metres: float,
    *,
    velocity: tuple[float, float] | None = (0.0, 0.0),
    person_velocity: tuple[float, float] | None = (0.0, 0.0),
    sigma_m: float = 0.1,
    latency_s: float | None = None,
) -> Moment:
    """A forklift so far from somebody's nearer foot, all the time."""

    def seen(at_s: float) -> Observation:
        spread = (sigma_m**2, 0.0, sigma_m**2)
        who = middle(1, at_s)
        assert who.floor is not None
        who = replace(
            who,
            floor=replace(who.floor, covariance_m2=spread),
            velocity_mps=person_velocity,
        )
        truck = forklift(x_m=metres + 0.1, at_s=at_s, velocity_mps=velocity)
        assert truck.floor is not None
        truck = replace(truck, floor=replace(truck.floor, covariance_m2=(0.0, 0.0, 0.0)))
        return replace(traffic([who], [truck], at_s), latency_s=latency_s)

    return seen


def pose_at(at_s: float, *, x_m: float, speed: float = 0.0, age_s: float = 0.0) -> PlantState:
    """A robot that reports itself; its near end is at (x_m, 9)."""
    return PlantState(
        vehicles={
            "amr-7": VehiclePose(
                vehicle_id="amr-7",
                kind=ObjectClass.AMR,
                at=START.shifted(at_s - age_s),
                x_m=x_m + 0.5,
                y_m=9.0,
                heading_rad=0.0,
                velocity_mps=(speed, 0.0),
                footprint_m=((0.5, 0.3), (-0.5, 0.3), (-0.5, -0.3), (0.5, -0.3)),
            )
        }
    )


def alone(at_s: float) -> Observation:
    return traffic([middle(1, at_s)], [], at_s)


@pytest.mark.parametrize(("metres", "alarms"), [(0.0, True), (1.9, True), (2.1, False), (9, False)])
def test_a_fixed_distance(metres: float, alarms: bool) -> None:
    found = reports(NEAR, at_distance(metres))
    assert bool(found) == alarms
    if alarms:
        assert found[0].subject == "person-1+forklift-1"
        assert found[0].details["distance_m"] == pytest.approx(metres, abs=0.01)
        assert found[0].details["uncertainty_m"] == pytest.approx(0.1)
        assert found[0].details["level"] == "warning"


def test_iso_13855_with_the_latency_that_was_measured() -> None:
    """1.6 (0.2 + 0.5 + 0.3) + 0.85 + 2 x 0.1 = 2.65 m."""
    rule = NEAR.model_copy(
        update={"warning": Iso13855Distance(reaction_s=0.5, stopping_s=0.3, height_m=1.0)}
    )
    [opened, *_] = reports(rule, at_distance(2.6, latency_s=0.2))
    assert opened.details["limit_m"] == pytest.approx(2.65)
    assert reports(rule, at_distance(2.7, latency_s=0.2)) == []
    assert reports(rule, at_distance(2.7, latency_s=0.3)) != []


def test_a_faster_vehicle_needs_more_distance() -> None:
    rule = NEAR.model_copy(update={"warning": SeparationDistance(human_mps=0, reach_m=1.0)})
    assert reports(rule, at_distance(2.0)) == []
    assert reports(rule, at_distance(2.0, velocity=(-1.0, 0.0))) != []
    assert reports(rule, at_distance(2.0, velocity=None)) != []


@pytest.mark.parametrize(
    ("metres", "levels"), [(3.0, set()), (1.5, {"warning"}), (0.5, {"warning", "stop"})]
)
def test_warning_and_stop_are_violations_of_their_own(metres: float, levels: set[str]) -> None:
    rule = NEAR.model_copy(update={"stop": FixedDistance(distance_m=1.0)})
    opened = [r for r in reports(rule, at_distance(metres)) if r.revision == 0]
    assert {r.details["level"] for r in opened} == levels
    severities = {r.details["level"]: r.severity for r in opened}
    assert severities.get("warning", Severity.WARNING) is Severity.WARNING
    assert severities.get("stop", Severity.DANGER) is Severity.DANGER


@pytest.mark.parametrize(
    ("velocity", "person", "alarms"),
    [
        ((-2.0, 0.0), (0.0, 0.0), True),  # contact in 1.8 s
        ((-2.0, 0.0), (0.0, 1.5), False),  # steps aside
        ((-1.0, 0.0), (0.0, 0.0), False),  # in 3.6 s
        ((2.0, 0.0), (0.0, 0.0), False),
        (None, (0.0, 0.0), False),
    ],
)
def test_time_to_contact(
    velocity: tuple[float, float] | None, person: tuple[float, float], alarms: bool
) -> None:
    rule = NEAR.model_copy(update={"time_to_contact_s": 2.0})
    found = reports(rule, at_distance(3.9, velocity=velocity, person_velocity=person))
    assert bool(found) == alarms
    if alarms:
        assert found[0].details["contact_s"] == pytest.approx(1.8, abs=0.1)


def test_the_nearest_distance_of_the_whole_approach_is_told() -> None:
    def seen(at_s: float) -> Observation:
        return at_distance(abs(2.5 - at_s) + 0.5)(at_s)

    last = reports(NEAR, seen, until_s=8)[-1]
    assert last.phase == "closed"
    assert last.details["nearest_m"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("velocity", "alarms"), [((0.0, 0.0), False), ((0.5, 0.0), True), (None, True)]
)
def test_vehicles_that_stand_may_be_left_out(
    velocity: tuple[float, float] | None, alarms: bool
) -> None:
    rule = NEAR.model_copy(update={"standing": False})
    assert bool(reports(rule, at_distance(1.0, velocity=velocity))) == alarms


def test_only_the_kinds_asked_for() -> None:
    rule = NEAR.model_copy(update={"vehicles": ("amr",)})
    assert reports(rule, at_distance(1.0)) == []


def test_a_vehicle_that_only_reports_itself() -> None:
    near = reports(NEAR, alone, plant=lambda at_s: pose_at(at_s, x_m=1.0))
    assert near[0].subject == "person-1+amr-7"
    assert near[0].details["reported"] is True
    assert reports(NEAR, alone, plant=lambda at_s: pose_at(at_s, x_m=4.0)) == []


def test_a_vehicle_seen_and_reported_is_one_violation() -> None:
    def seen(at_s: float) -> Observation:
        return at_distance(1.0)(at_s)

    opened = [
        r for r in reports(NEAR, seen, plant=lambda at_s: pose_at(at_s, x_m=1.2)) if r.revision == 0
    ]
    assert [r.subject for r in opened] == ["person-1+amr-7"]


def test_a_report_that_is_too_old_leaves_the_camera_looking() -> None:
    def plant(at_s: float) -> PlantState:
        return replace(pose_at(at_s, x_m=9.0, age_s=3.0), lost_vehicles=frozenset({"amr-7"}))

    running = engine(NEAR)
    opened = reports(NEAR, at_distance(1.0), plant=plant, running=running)[0]
    assert opened.subject == "person-1+forklift-1"
    assert running.doubts() == {"r": frozenset({"vehicle_lost"})}


def test_two_persons_who_exchange_their_ids_keep_their_violations() -> None:
    """The tracker takes one for the other while they pass each other."""
    running = engine(NEAR)
    near, far = middle(1, 0.0), replace(middle(2, 0.0), floor=FAR)
    for at_s in frame_times(2.0):
        running.update(traffic([near, far], [forklift(x_m=1.0, at_s=at_s)], at_s), SILENT)
    [before] = running.open_violations
    rule = running._rules["r"]
    rule.exchange(1, 2)
    swapped = [replace(near, track_id=2), replace(far, track_id=1)]
    for at_s in (2.1, 2.2, 4.0):
        running.update(traffic(swapped, [forklift(x_m=1.0, at_s=at_s)], at_s), SILENT)
    assert [v.id for v in running.open_violations] == [before.id]


def test_a_driver_is_no_pedestrian() -> None:
    """Somebody whose box rides inside the forklift's box for a while drives it."""

    def seen(at_s: float) -> Observation:
        x = 0.3 + 0.05 * at_s
        truck = forklift(x_m=0.0, at_s=at_s, x=x)
        box = truck.box.copy()
        box[:] = (x - 0.02, 0.32, x + 0.02, 0.44)
        return traffic([replace(middle(1, at_s), box=box)], [truck], at_s)

    running = engine(NEAR)
    reports(NEAR, seen, until_s=6, running=running)
    assert running.open_violations == ()


def test_where_the_floor_is_unknown_the_distance_is_estimated_and_that_is_said() -> None:
    def seen(at_s: float) -> Observation:
        who = replace(middle(1, at_s), floor=None)
        return traffic([who], [forklift(x_m=0, at_s=at_s, x=0.6, floor=False)], at_s)

    running = engine(NEAR, calibrated=False)
    opened = reports(NEAR, seen, running=running)[0]
    assert opened.details["estimated"] is True
    assert running.doubts() == {"r": frozenset({"floor_unknown"})}


def machine_rule() -> ProximitySpec:
    return ProximitySpec(
        id="r", name="R", to="machine", zone_id="floor", warning=FixedDistance(distance_m=1.0)
    )


@pytest.mark.parametrize(("y_m", "alarms"), [(9.0, True), (10.9, True), (11.3, False)])
def test_distance_to_a_machine(y_m: float, alarms: bool) -> None:
    def seen(at_s: float) -> Observation:
        place = FloorPosition(x_m=0.0, y_m=y_m, covariance_m2=SURE, source="ankles")
        return traffic([replace(middle(1, at_s), floor=place)], [], at_s)

    found = reports(machine_rule(), seen)
    assert bool(found) == alarms
    if alarms:
        assert (found[0].subject, found[0].zone_id) == ("person-1+floor", "floor")


def test_a_machine_needs_an_outline() -> None:
    with pytest.raises(ValidationError) as error:
        ProximitySpec(id="r", name="R", to="machine")
    assert error.value.errors()[0]["type"] == "proximity.no_machine"


def test_a_machine_drawn_in_a_picture_only_cannot_be_judged_and_that_is_said() -> None:
    rule = machine_rule().model_copy(update={"zone_id": "press"})
    running = engine(rule)
    assert reports(rule, alone, running=running) == []
    assert running.states() == {"r": Armament.UNABLE}


def test_speed_of_a_vehicle_that_reports_it() -> None:
    rule = VehicleSpeedSpec(id="r", name="R", zone_id="floor", limit_mps=1.0)
    fast = reports(rule, alone, plant=lambda at_s: pose_at(at_s, x_m=0.0, speed=1.2))
    assert fast[0].subject == "amr-7"
    assert fast[0].details["speed_mps"] == pytest.approx(1.2)
    assert reports(rule, alone, plant=lambda at_s: pose_at(at_s, x_m=5.0, speed=1.2)) == []
    assert reports(rule, alone, plant=lambda at_s: pose_at(at_s, x_m=0.0, speed=0.8)) == []


def test_an_unknown_speed_is_no_speed_and_does_not_clear() -> None:
    rule = VehicleSpeedSpec(id="r", name="R", limit_mps=1.0)

    def seen(at_s: float) -> Observation:
        velocity = (0.0, 2.0) if at_s < 2 else None
        return traffic([], [forklift(x_m=0, at_s=at_s, velocity_mps=velocity)], at_s)

    last = reports(rule, seen)[-1]
    assert (last.phase, last.end_reason) == ("closed", "cannot_tell")


def test_without_a_floor_speeds_are_unknown_and_that_is_said() -> None:
    rule = VehicleSpeedSpec(id="r", name="R", limit_mps=1.0)
    running = engine(rule, calibrated=False)

    def seen(at_s: float) -> Observation:
        return traffic([], [forklift(x_m=0, at_s=at_s, floor=False)], at_s)

    assert reports(rule, seen, running=running) == []
    assert running.doubts() == {"r": frozenset({"floor_unknown"})}


@pytest.mark.parametrize(
    ("x_m", "alarms"), [(0.0, True), (1.9, True), (2.2, False), (-3.9, True), (-4.5, False)]
)
def test_a_vehicle_in_a_floor_zone_counts_with_its_outline(x_m: float, alarms: bool) -> None:
    rule = VehicleInZoneSpec(id="r", name="R", zone_id="floor")
    seen = at_distance(x_m - 0.1)
    assert bool(reports(rule, seen)) == alarms


def test_a_vehicle_in_a_picture_zone_counts_without_any_floor() -> None:
    rule = VehicleInZoneSpec(id="r", name="R", zone_id="press")
    running = engine(rule, calibrated=False)
    found = reports(rule, moments.driving_in, until_s=8, running=running)
    [episode] = episodes(found)
    assert (episode.opened_s, episode.closed_s) == pytest.approx((2.0, 7.0), abs=0.11)


@pytest.mark.parametrize(
    "wrong",
    [
        {"vehicles": ["bicycle"]},
        {"warning": {"kind": "fixed", "distance_m": -1}},
        {"time_to_contact_s": float("nan")},
        {"to": "wall"},
    ],
)
def test_refuses_what_cannot_be(wrong: dict[str, object]) -> None:
    adapter: TypeAdapter[RuleSpec] = TypeAdapter(RuleSpec)
    with pytest.raises(ValidationError):
        adapter.validate_python({"kind": "proximity", "id": "r", "name": "R", **wrong})
