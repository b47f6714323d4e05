"""Where people were on the floor, on every database: sums, and nothing of few people."""

import pytest

from cameras.messages import FloorSighting
from safety.clock import ManualClock
from safety.engine.exposure import ExposureDesk, most_at_once
from safety.engine.plan import PlanDesk
from safety.store import exposure
from safety.store.database import Database
from safety.store.exposure import Amount
from safety.types import Phase, Severity, Violation

DAY = "2026-01-05"


def amount(seconds: float, people: int, violations: int = 0) -> Amount:
    return Amount(person_seconds=seconds, people=people, violations=violations)


def shown(database: Database, first: str = DAY, last: str = DAY) -> dict[tuple[int, int], Amount]:
    with database.reading() as session:
        return exposure.sums(session, first=first, last=last)


def test_cells_where_few_people_were_are_hidden_and_days_do_not_add_up(
    database: Database,
) -> None:
    with database.transaction() as session:
        exposure.add(session, DAY, {(0, 0): amount(60, 2), (-1, 2): amount(1800, 3, 1)})
        exposure.add(session, "2026-01-06", {(0, 0): amount(60, 2)})
    assert shown(database, last="2026-01-06") == {(-1, 2): amount(1800, 3, 1)}
    assert amount(1800, 3, 1).per_person_hour == 2
    assert amount(0, 3).per_person_hour is None
    with database.reading() as session:
        assert exposure.hidden(session, first=DAY, last="2026-01-06") == 1
    with database.transaction() as session:
        exposure.add(session, DAY, {(0, 0): amount(30, 3)})
    assert shown(database)[(0, 0)] == amount(90, 3)
    assert shown(database, "2026-01-07", "2026-01-31") == {}


def test_days_past_their_time_are_forgotten(database: Database) -> None:
    with database.transaction() as session:
        exposure.add(session, DAY, {(0, 0): amount(60, 3)})
        exposure.add(session, "2026-01-06", {(0, 0): amount(70, 3)})
        exposure.prune(session, before="2026-01-06")
    assert shown(database, last="2026-12-31") == {(0, 0): amount(70, 3)}


class Hall:
    """People on a plan, looked at once a second, written once a minute."""

    def __init__(self, database: Database) -> None:
        self.clock = ManualClock()
        self.plan = PlanDesk(clock=self.clock, tell=lambda update: None)
        self.desk = ExposureDesk(
            clock=self.clock,
            database=database,
            people=self.plan.people,
            person_of=self.plan.person_of,
            timezone=lambda: "Asia/Seoul",
        )

    def stand(self, *places: tuple[float, float], first: int = 0) -> None:
        people = tuple((n, x, y, 0.01, 0.0, 0.01) for n, (x, y) in enumerate(places, start=first))
        self.plan.sight(FloorSighting(camera_id="press", age_s=0.0, people=people, vehicles=()))

    def pass_second(self, *places: tuple[float, float], first: int = 0) -> None:
        self.stand(*places, first=first)
        self.desk.look()
        self.clock.advance(1.0)


def intrusion(hall: Hall, track_id: int, phase: Phase = Phase.OPENED) -> Violation:
    now = hall.clock.now()
    return Violation(
        id="v",
        revision=0,
        phase=phase,
        rule_id="r",
        rule_revision=1,
        rule_kind="intrusion",
        camera_id="press",
        zone_id="z",
        subject=f"person-{track_id}",
        severity=Severity.DANGER,
        captured_at=now,
        opened_at=now,
    )


async def test_seconds_and_violations_are_added_where_people_stand(
    sqlite_database: Database,
) -> None:
    hall = Hall(sqlite_database)
    places = [(0.2, 0.2), (0.8, 0.2), (0.5, 0.9)]
    for _ in range(20):
        hall.pass_second(*places, (5.5, 5.5))
    hall.stand(*places)
    hall.desk.violation(intrusion(hall, 1))
    hall.desk.violation(intrusion(hall, 1, Phase.CLOSED))
    hall.desk.violation(intrusion(hall, 99))
    await hall.desk.flush()
    await hall.desk.flush()
    found = shown(sqlite_database)
    assert list(found) == [(0, 0)]
    assert found[(0, 0)].people == 3
    assert found[(0, 0)].violations == 1
    assert found[(0, 0)].person_seconds == 60


async def test_a_person_whose_track_breaks_is_not_three_people(sqlite_database: Database) -> None:
    hall = Hall(sqlite_database)
    for track in range(4):
        for _ in range(20):
            hall.pass_second((0.5, 0.5), first=track)
        for _ in range(10):
            hall.pass_second()
    await hall.desk.flush()
    assert shown(sqlite_database) == {}


async def test_people_who_come_one_after_the_other_are_told_apart_if_all_were_on_the_plan(
    sqlite_database: Database,
) -> None:
    hall = Hall(sqlite_database)
    waiting = [(4.5, 0.5), (4.5, 2.5), (4.5, 4.5)]
    for turn in range(3):
        for _ in range(15):
            hall.pass_second(*(p if n != turn else (3.6, p[1]) for n, p in enumerate(waiting)))
    for turn in range(3):
        for _ in range(5):
            hall.pass_second(
                *((3.5, 1.5 + 0.1 * n) if n == turn else p for n, p in enumerate(waiting))
            )
        await hall.desk.flush()
    assert shown(sqlite_database)[(3, 1)].people == 3


@pytest.mark.parametrize(
    ("present", "most"),
    [
        ([], 0),
        ([(0, 5)], 0),
        ([(0, 60)], 1),
        ([(0, 60), (60, 120), (120, 180)], 1),
        ([(0, 60), (30, 90), (55, 120)], 2),
        ([(0, 60), (30, 90), (45, 120)], 3),
    ],
)
def test_who_was_there_at_the_same_time_is_different(
    present: list[tuple[float, float]], most: int
) -> None:
    assert most_at_once(present) == most
