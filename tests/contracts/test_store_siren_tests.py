"""Sirens' self-tests on record, on every database."""

from safety.store import audit, siren_tests
from safety.store.database import Database
from safety.store.siren_tables import SirenTest
from tests.support.database import after


def keep(database: Database, test_id: str, channel_id: str, seconds: float, problem: str) -> None:
    with database.transaction() as session:
        siren_tests.save(
            session,
            SirenTest(
                id=test_id,
                channel_id=channel_id,
                at=after(seconds),
                passed=not problem,
                latency_s=None if problem else 0.02,
                problem=problem,
                problem_key="channel.device_unreachable" if problem else "",
                problem_params={"device": "10.0.0.7:10000"} if problem else {},
            ),
        )


def test_the_newest_of_each_siren_and_all_in_order(database: Database) -> None:
    keep(database, "t1", "horn", 0, "no power")
    keep(database, "t2", "lamp", 5, "")
    keep(database, "t3", "horn", 600, "")
    keep(database, "t3", "horn", 600, "")
    with database.reading() as session:
        newest = siren_tests.newest(session)
        listed = [test.id for test in siren_tests.list_tests(session)]
        of_horn = [test.id for test in siren_tests.list_tests(session, channel_id="horn", limit=1)]
        logged = [
            each for each in audit.list_entries(session) if each.action == "channel.self_test"
        ]
    assert {key: test.id for key, test in newest.items()} == {"horn": "t3", "lamp": "t2"}
    assert (newest["horn"].at, newest["horn"].passed) == (after(600), True)
    assert listed == ["t3", "t2", "t1"]
    assert of_horn == ["t3"]
    assert len(logged) == 3, "saying it again changes nothing"
