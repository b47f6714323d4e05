"""Where people were on the floor, on every database: sums, and nothing of few people."""

from cameras.messages import FloorSighting
from safety.clock import ManualClock
from safety.engine.exposure import ExposureDesk
from safety.engine.plan import PlanDesk
from safety.store import exposure
from safety.store.database import Database
from safety.store.exposure import Amount
from safety.types import Phase, Severity, Violation

DAY = "2026-01-05"


def amount(seconds: float, tracks: int, violations: int = 0) -> Amount:
    return Amount(person_seconds=seconds, tracks=tracks, violations=violations)


def shown(database: Database, first: str = DAY, last: str = DAY) -> dict[tuple[int, int], Amount]:
    with database.reading() as session:
        return exposure.sums(session, first=first, last=last)


def test_cells_that_few_were_seen_in_are_hidden(database: Database) -> None:
    with database.transaction() as session:
        exposure.add(session, DAY, {(0, 0): amount(60, 2), (-1, 2): amount(1800, 3, 1)})
    assert shown(database) == {(-1, 2): amount(1800, 3, 1)}
    assert amount(1800, 3, 1).per_person_hour == 2
    assert amount(0, 3).per_person_hour is None
    with database.reading() as session:
        assert exposure.hidden(session, first=DAY, last=DAY) == 1
    with database.transaction() as session:
        exposure.add(session, DAY, {(0, 0): amount(30, 1)})
    assert shown(database)[(0, 0)] == amount(90, 3)
    assert shown(database, "2026-01-06", "2026-01-31") == {}


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

    def stand(self, *places: tuple[float, float]) -> None:
        people = tuple((n, x, y, 0.01, 0.0, 0.01) for n, (x, y) in enumerate(places))
        self.plan.sight(FloorSighting(camera_id="press", age_s=0.0, people=people, vehicles=()))

    def pass_second(self, *places: tuple[float, float]) -> None:
        self.stand(*places)
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
    for _ in range(10):
        hall.pass_second(*places, (5.5, 5.5))
    hall.stand(*places)
    hall.desk.violation(intrusion(hall, 1))
    hall.desk.violation(intrusion(hall, 1, Phase.CLOSED))
    hall.desk.violation(intrusion(hall, 99))
    await hall.desk.flush()
    await hall.desk.flush()
    found = shown(sqlite_database)
    assert list(found) == [(0, 0)]
    assert found[(0, 0)].tracks == 3
    assert found[(0, 0)].violations == 1
    assert found[(0, 0)].person_seconds == 30
