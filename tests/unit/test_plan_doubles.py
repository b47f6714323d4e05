"""Two cameras report one person in one zone: one alert, two violations on record."""

from dataclasses import replace
from typing import Any

import pytest

from alerts.intake import record_violation
from alerts.notices import SiteContext
from cameras.messages import FloorSighting
from safety.clock import ManualClock
from safety.engine.doubles import Doubles
from safety.engine.plan import PlanDesk
from safety.store import alerts, outbox, violations
from safety.store.database import Database
from safety.store.tables import Alert
from safety.types import Violation
from tests.support.violations import START, cleared, opened, updated

SITE = SiteContext(
    name="Ansan",
    timezone="Asia/Seoul",
    language="en",
    messengers=("hook",),
    cameras={"cam-1": "Hall", "cam-2": "Gate"},
    zones={"zone-1": "Press 3"},
    rules={"rule-1": "No entry"},
    channels={"hook": "Control room"},
)

FIRST = opened("first")
OTHER = replace(opened("other", camera_id="cam-2", at=START.shifted(0.1)), subject="person-9")
PEOPLE = {("cam-1", 1): 5, ("cam-2", 9): 5, ("cam-2", 4): 6}


def doubles(people: dict[tuple[str, int], int] = PEOPLE) -> Doubles:
    return Doubles(lambda camera_id, track_id: people.get((camera_id, track_id)))


# Which are the same


def test_the_same_person_in_the_same_zone_before_another_camera_is_the_same() -> None:
    desk = doubles()
    assert desk.first_of(FIRST, on_floor=True) is None
    assert desk.first_of(OTHER, on_floor=True) == "first"
    assert desk.first_of(updated(OTHER), on_floor=True) == "first"
    assert desk.first_of(cleared(FIRST), on_floor=True) is None
    assert desk.first_of(cleared(OTHER), on_floor=True) == "first"


@pytest.mark.parametrize(
    ("change", "on_floor"),
    [
        pytest.param({"subject": "person-4"}, True, id="another person"),
        pytest.param({"subject": "person-77"}, True, id="somebody not on the plan"),
        pytest.param({"rule_id": "rule-2"}, True, id="another rule"),
        pytest.param({"shadow": True}, True, id="in shadow"),
        pytest.param({"camera_id": "cam-1", "subject": "person-1"}, True, id="the same camera"),
        pytest.param({"subject": "zone"}, True, id="nobody"),
        pytest.param({}, False, id="a zone in the picture"),
    ],
)
def test_everything_else_stands_for_itself(change: dict[str, Any], on_floor: bool) -> None:
    desk = doubles()
    desk.first_of(FIRST, on_floor=on_floor)
    assert desk.first_of(replace(OTHER, **change), on_floor=on_floor) is None


def test_who_walks_out_of_one_picture_and_into_the_next_is_one_situation() -> None:
    """Never seen by both at once; the second camera tells of them right before it reports them."""
    clock = ManualClock()
    plan = PlanDesk(clock=clock, tell=lambda _: None)
    desk = Doubles(plan.person_of)

    def see(camera_id: str, track_id: int, x_m: float) -> None:
        place = (track_id, x_m, 5.0, 0.02, 0.0, 0.02)
        plan.sight(FloorSighting(camera_id=camera_id, age_s=0.0, people=(place,), vehicles=()))

    for step in range(10):
        see("cam-1", 1, 0.25 * step)
        if step == 6:
            assert desk.first_of(FIRST, on_floor=True) is None
        clock.sleep(0.2)
    clock.sleep(0.4)
    see("cam-2", 9, 0.25 * 12)
    assert desk.first_of(OTHER, on_floor=True) == "first"


def test_what_is_over_is_not_followed() -> None:
    desk = doubles()
    desk.first_of(FIRST, on_floor=True)
    desk.first_of(cleared(FIRST), on_floor=True)
    assert desk.first_of(OTHER, on_floor=True) is None


def test_a_broken_track_is_followed_by_its_new_number() -> None:
    desk = doubles({("cam-1", 3): 5, ("cam-2", 9): 5})
    desk.first_of(FIRST, on_floor=True)
    desk.first_of(replace(updated(FIRST), details={"seen_as": "person-3"}), on_floor=True)
    assert desk.first_of(OTHER, on_floor=True) == "first"


def test_it_is_decided_once() -> None:
    people = dict(PEOPLE)
    desk = doubles(people)
    desk.first_of(FIRST, on_floor=True)
    desk.first_of(OTHER, on_floor=True)
    people["cam-2", 9] = 6
    assert desk.first_of(updated(OTHER), on_floor=True) == "first"


def test_a_third_camera_joins_the_first_though_that_is_over() -> None:
    desk = doubles(PEOPLE | {("cam-3", 1): 5})
    desk.first_of(FIRST, on_floor=True)
    desk.first_of(OTHER, on_floor=True)
    desk.first_of(cleared(FIRST), on_floor=True)
    third = opened("third", camera_id="cam-3")
    assert desk.first_of(third, on_floor=True) == "first"


def test_an_earlier_lifes_decision_stands() -> None:
    desk = doubles({})
    desk.resume({"other": "first"})
    assert desk.first_known("other") == "first"
    assert desk.first_of(updated(OTHER), on_floor=True) == "first"
    assert desk.first_known("first") == "first"


# What that leaves in the record


def record(database: Database, *reports: Violation, same_as: str | None = None) -> None:
    for report in reports:
        with database.transaction() as session:
            record_violation(
                session,
                report,
                rule_channels=None,
                site=SITE,
                siren_latency_s=None,
                now=START.shifted(30),
                same_as=same_as,
            )


def all_alerts(database: Database) -> list[Alert]:
    with database.reading() as session:
        return list(alerts.list_alerts(session))


def told(database: Database) -> list[str]:
    with database.reading() as session:
        found = alerts.list_alerts(session)
        return sorted(d.event for alert in found for d in outbox.of_alert(session, alert.id))


def test_one_alert_and_two_violations_of_which_one_names_the_other(database: Database) -> None:
    record(database, FIRST)
    record(database, OTHER, updated(OTHER), same_as="first")
    [alert] = all_alerts(database)
    assert alert.violation_id == "first"
    assert told(database) == ["raised"]
    with database.reading() as session:
        assert violations.get(session, "other").details["same_as"] == "first"
        assert "same_as" not in violations.get(session, "first").details


@pytest.mark.parametrize("order", [("first", "other"), ("other", "first")])
def test_the_alert_is_cleared_when_both_are_over(
    database: Database, order: tuple[str, str]
) -> None:
    record(database, FIRST)
    record(database, OTHER, same_as="first")
    ends = {"first": (cleared(FIRST, 1), None), "other": (cleared(OTHER, 2), "first")}
    for number, name in enumerate(order):
        [alert] = all_alerts(database)
        assert alert.cleared_at is None, number
        report, same_as = ends[name]
        record(database, report, same_as=same_as)
    [alert] = all_alerts(database)
    assert alert.cleared_at is not None
    assert told(database) == ["cleared", "raised"]


def test_what_was_decided_stays_when_the_engine_has_forgotten(database: Database) -> None:
    record(database, FIRST)
    record(database, OTHER, same_as="first")
    record(database, updated(OTHER))
    assert len(all_alerts(database)) == 1
    record(database, cleared(FIRST), cleared(updated(OTHER)))
    [alert] = all_alerts(database)
    assert alert.cleared_at is not None


def test_without_the_first_ones_alert_it_raises_its_own(database: Database) -> None:
    record(database, OTHER, same_as="lost")
    [alert] = all_alerts(database)
    assert alert.violation_id == "other"
    record(database, cleared(OTHER), same_as="lost")
    [alert] = all_alerts(database)
    assert alert.cleared_at is not None


def test_an_alert_that_was_over_lasts_again_while_its_situation_goes_on(
    database: Database,
) -> None:
    record(database, FIRST, cleared(FIRST))
    record(database, OTHER, same_as="first")
    [alert] = all_alerts(database)
    assert alert.cleared_at is None
    late = updated(OTHER)
    record(database, replace(cleared(late), end_reason="track_lost"), same_as="first")
    [alert] = all_alerts(database)
    assert alert.cleared_at is not None
    record(database, late, same_as="first")  # a report that comes late changes nothing
    [alert] = all_alerts(database)
    assert alert.cleared_at is not None
    assert told(database).count("raised") == 1
