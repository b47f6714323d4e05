"""Accidents on record, on every database: added, corrected, void, reported, handed in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from safety.incidents.accident_entry import AccidentEntry
from safety.incidents.accident_files import Accidents, Line
from safety.incidents.errors import IncidentError
from safety.incidents.form30 import WorkplaceEntry
from safety.incidents.types import AccidentKind, Outcome, Representative, WorkerGroup
from safety.store import accidents, audit, incident_imports, incident_workplace
from safety.store.database import Database
from safety.store.incident_tables import AccidentImport
from safety.store.refusals import Conflict, NotFound
from tests.support.database import NOON


def entry(day: str = "2026-01-05", **changes: Any) -> AccidentEntry:
    values: dict[str, Any] = {
        "occurred_on": date.fromisoformat(day),
        "kind": AccidentKind.CAUGHT,
        "outcome": Outcome.LOST_TIME,
        "worker_group": WorkerGroup.OWN,
        "lost_days": 14.0,
    }
    return AccidentEntry(**values | changes)


def test_what_counts_in_a_period(database: Database) -> None:
    with database.transaction() as session:
        ids = {
            day: accidents.add(session, entry(day), by="m", at=NOON).id
            for day in ("2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01")
        }
        accidents.void(session, ids["2026-01-31"], reason="twice", by="m", at=NOON)
    with database.reading() as session:
        january = accidents.list_accidents(session, date(2026, 1, 1), date(2026, 2, 1))
        assert [each.id for each in january] == [ids["2026-01-01"]]
        newest = accidents.page(session, void=True, limit=3)
        rest = accidents.page(session, void=True, before=newest[-1].id)
        assert [each.occurred_on.isoformat() for each in (*newest, *rest)] == sorted(
            ids, reverse=True
        )
        with pytest.raises(NotFound):
            accidents.page(session, before="nothing")


def test_corrections_are_audited_and_the_void_stay_as_they_are(database: Database) -> None:
    with database.transaction() as session:
        made = accidents.add(session, entry(), by="m", at=NOON)
        accidents.change(
            session, made.id, entry(lost_days=20.0), by="m", at=NOON, expected_version=1
        )
        with pytest.raises(Conflict):
            accidents.change(session, made.id, entry(), by="x", at=NOON, expected_version=1)
        with pytest.raises(NotFound):
            accidents.change(session, made.id, entry(), incident_id="none", by="x", at=NOON)
        accidents.void(session, made.id, reason="entered twice", by="m", at=NOON)
        refused: list[Callable[[], object]] = [
            lambda: accidents.change(session, made.id, entry(), by="m", at=NOON),
            lambda: accidents.void(session, made.id, reason="again", by="m", at=NOON),
            lambda: accidents.submit(
                session, made.id, representative=Representative.CONFIRMED, by="m", at=NOON
            ),
        ]
        for again in refused:
            with pytest.raises(Conflict):
                again()
        told = {each.action: each.detail for each in audit.list_entries(session, subject=made.id)}
        assert told["accident.change"] == {"lost_days": {"before": 14.0, "after": 20.0}}
        assert told["accident.void"] == {"reason": "entered twice"}


def test_a_form_is_owed_until_it_is_handed_in_and_a_report_where_it_is_serious(
    database: Database,
) -> None:
    with database.transaction() as session:
        short = accidents.add(session, entry(lost_days=2.0), by="m", at=NOON)
        long = accidents.add(session, entry(lost_days=3.0), by="m", at=NOON)
        dead = accidents.add(
            session, entry(lost_days=0.0, deaths=1, outcome=Outcome.FATALITY), by="m", at=NOON
        )
        assert {each.id for each in accidents.unsubmitted(session)} == {long.id, dead.id}
        hand_in: dict[str, Any] = {"representative": Representative.DISSENT, "by": "m", "at": NOON}
        assert accidents.submit(session, long.id, **hand_in).representative == "dissent"
        for refused in (short.id, long.id):
            with pytest.raises(Conflict):
                accidents.submit(session, refused, **hand_in)
        accidents.report(session, dead.id, by="m", at=NOON)
        for refused in (dead.id, short.id):
            with pytest.raises(Conflict):
                accidents.report(session, refused, by="m", at=NOON)
        assert [each.id for each in accidents.unsubmitted(session)] == [dead.id]


def test_the_same_accident_is_known_by_its_reference_or_by_day_kind_and_place(
    database: Database,
) -> None:
    with database.transaction() as session:
        accidents.add(session, entry(place="2동  프레스"), by="m", at=NOON)
        accidents.add(session, entry(reference="A-7"), by="m", at=NOON)
    cases = [
        (entry(place="2동 프레스", lost_days=30.0), True),
        (entry(place="3동"), False),
        (entry("2020-02-02", reference="a-7"), True),
        (entry(place="2동 프레스", occurred_time="09:30"), False),
        (entry(place="2동 프레스", worker_group=WorkerGroup.CONTRACTOR), False),
    ]
    with database.reading() as session:
        known = accidents.known(session, [each for each, _ in cases])
        assert [accidents.identity(each) in known for each, _ in cases] == [is_ for _, is_ in cases]
        assert accidents.known(session, []) == {}


def test_a_file_is_taken_over_once_and_forgotten_if_nobody_does(database: Database) -> None:
    found = Accidents(
        lines=[
            Line(number=2, entry=entry("2026-01-02")),
            Line(number=3, entry=entry("2026-01-03")),
            Line(number=4, entry=entry("2026-01-03")),
        ]
    )
    with database.transaction() as session:
        accidents.add(session, entry("2026-01-02"), by="m", at=NOON)

        def check(hours: float = 0.0) -> AccidentImport:
            at = NOON + timedelta(hours=hours)
            return incident_imports.check(session, found, b"x", filename="a.csv", by="m", at=at)

        made = check()
        assert [row["double"] for row in made.rows] == ["record", "", "file"]
        apply: dict[str, Any] = {"today": NOON.date(), "by": "m", "at": NOON}
        assert incident_imports.apply(session, made.id, **apply).imported == 1
        with pytest.raises(Conflict):
            incident_imports.apply(session, made.id, **apply)
        both = check()
        assert incident_imports.apply(session, both.id, doubles=True, **apply).imported == 3
        stale = check()
        check(hours=25)
        with pytest.raises(NotFound):
            incident_imports.get(session, stale.id)
        assert {row.id for row in incident_imports.recent(session)} == {made.id, both.id}


def test_the_workplace_is_one_and_has_versions(database: Database) -> None:
    with database.transaction() as session:
        assert incident_workplace.read(session) == (WorkplaceEntry(), 0)
        said = WorkplaceEntry(name="한빛", workers=30, relation=WorkerGroup.CONTRACTOR)
        assert incident_workplace.save(session, said, by="m", at=NOON, expected_version=0) == 1
        with pytest.raises(Conflict):
            incident_workplace.save(session, said, by="x", at=NOON, expected_version=0)
        for wrong in (replace(said, workers=-1), replace(said, address="900101-1234567")):
            with pytest.raises(IncidentError):
                incident_workplace.save(session, wrong, by="x", at=NOON)
    with database.reading() as session:
        assert incident_workplace.read(session) == (said, 1)
