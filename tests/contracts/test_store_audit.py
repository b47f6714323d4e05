"""The audit trail's chain on every database: whatever is done to it behind our back is found."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from safety.store import audit, audit_chain, migrations, tables
from safety.store.audit_chain import Head
from safety.store.database import Database
from tests.support.database import NOON, after


def write(database: Database, count: int, *, actor: str = "kim", at: float = 0.0) -> None:
    for number in range(count):
        with database.transaction() as session:
            audit.record(
                session,
                actor=actor,
                action="test",
                subject=str(number),
                at=after(at + number),
                detail={"who": "김", "share": 0.1, "list": (1, 2), 3: None},  # type: ignore[dict-item]
            )


def found(database: Database, noted: Head | None = None) -> list[tuple[str, int]]:
    with database.reading() as session:
        seen = audit_chain.verify(session, noted=noted)
        return [(each.fault, each.seq) for each in seen.findings]


def head(database: Database) -> Head:
    with database.reading() as session:
        return audit_chain.head(session)


def test_what_people_did_is_chained_in_the_order_in_which_it_was_committed(
    database: Database,
) -> None:
    write(database, 3)
    with database.transaction() as session:
        for subject in ("a", "b"):
            audit.record(session, actor="lee", action="test", subject=subject, at=NOON)
    with database.reading() as session:
        seen = audit_chain.verify(session)
    assert seen.findings == ()
    assert (seen.entries, seen.head.seq, seen.since) == (5, 5, NOON)
    assert seen.head == head(database)


def test_an_empty_trail_is_sound(database: Database) -> None:
    assert found(database) == []
    assert found(database, head(database)) == []


@pytest.mark.parametrize(
    ("deed", "expected"),
    [
        ("UPDATE audit SET actor = 'lee' WHERE seq = 3", [("changed", 3)]),
        ("UPDATE audit SET detail = '{}' WHERE seq = 1", [("changed", 1)]),
        ("UPDATE audit SET hash = 'forged' WHERE seq = 2", [("changed", 2), ("changed", 3)]),
        ("DELETE FROM audit WHERE seq = 2", [("missing", 2)]),
        ("DELETE FROM audit WHERE seq <= 2", [("missing", 1)]),
        ("DELETE FROM audit WHERE seq >= 4", [("end", 3)]),
        ("DELETE FROM audit", [("end", 0)]),
        ("UPDATE audit SET id = id + 100 WHERE seq = 2", [("changed", 2)]),
        ("UPDATE audit SET seq = 99 WHERE seq = 2", [("missing", 2), ("missing", 6), ("end", 99)]),
        ("UPDATE audit SET seq = NULL WHERE seq = 5", [("end", 4), ("unlinked", 5)]),
        ("DELETE FROM audit_chain", [("end", 5)]),
    ],
)  # fmt: skip
def test_what_is_done_behind_our_back_is_found(
    database: Database, deed: str, expected: list[tuple[str, int]]
) -> None:
    write(database, 5)
    with database.reading() as session:
        first = min(entry.id or 0 for entry in audit.list_entries(session))
    with database.engine.begin() as connection:
        connection.execute(text(deed))
    shown = [
        (fault, place - first + 1 if fault == "unlinked" else place)
        for fault, place in found(database)
    ]
    assert shown == expected


def test_entries_that_change_places_are_found(database: Database) -> None:
    write(database, 3)
    with database.engine.begin() as connection:
        for deed in (
            "UPDATE audit SET seq = -1 WHERE seq = 1",
            "UPDATE audit SET seq = 1 WHERE seq = 2",
            "UPDATE audit SET seq = 2 WHERE seq = -1",
        ):
            connection.execute(text(deed))
    assert [fault for fault, _ in found(database)] == ["changed", "changed", "changed"]


def test_a_trail_that_was_made_anew_as_a_whole_does_not_hold_the_head_that_was_noted(
    database: Database,
) -> None:
    write(database, 2)
    noted = head(database)
    write(database, 2)
    assert found(database, noted) == []
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM audit"))
        connection.execute(text("DELETE FROM audit_chain"))
    write(database, 4, actor="lee")
    assert found(database) == []
    assert found(database, noted) == [("head", 2)]


def test_writers_at_the_same_time_make_one_chain(database: Database) -> None:
    def work(name: str) -> None:
        write(database, 8, actor=name)

    threads = [threading.Thread(target=work, args=[name]) for name in ("kim", "lee", "park")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found(database) == []
    assert head(database).seq == 24


def test_what_is_rolled_back_leaves_no_gap(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as session:
            audit.record(session, actor="kim", action="test", subject="x", at=NOON)
            session.add(tables.Session(id="x", user_id="nobody", csrf_token="x"))

    write(database, 1)
    with pytest.raises(IntegrityError):
        fail()
    write(database, 1)
    assert found(database) == []
    assert head(database).seq == 2


def test_old_entries_go_and_the_chain_says_so(database: Database) -> None:
    write(database, 3)
    noted = head(database)
    write(database, 2, at=1000)
    with database.transaction() as session:
        assert audit.prune(session, before=after(900), at=after(2000)) == 3
    with database.transaction() as session:
        assert audit.prune(session, before=after(900), at=after(2001)) == 0
    assert found(database) == []
    assert found(database, noted) == []
    with database.reading() as session:
        assert audit_chain.verify(session).since == after(1000)
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM audit WHERE seq = 4"))
    assert found(database) == [("missing", 4)]


def test_a_beginning_that_was_moved_without_a_word_is_found(database: Database) -> None:
    write(database, 3)
    with database.engine.begin() as connection:
        first = "(SELECT hash FROM audit WHERE seq = 1)"
        connection.execute(text(f"UPDATE audit_chain SET first_seq = 1, first_hash = {first}"))
        connection.execute(text("DELETE FROM audit WHERE seq = 1"))
    assert found(database) == [("beginning", 1)]


def test_the_newest_entry_stays_however_old_it_is(database: Database) -> None:
    write(database, 3)
    with database.transaction() as session:
        audit.prune(session, before=NOON + timedelta(days=9999), at=after(10))
    assert found(database) == []
    assert head(database).seq == 4


def test_what_is_on_record_already_is_chained_when_the_tables_are_brought_up_to_date(
    new_database: Callable[[], Database],
) -> None:
    database = new_database()
    database.migrate()
    with database.engine.begin() as connection:
        command.downgrade(migrations.configuration(connection), "0010")
        for actor in ("kim", "이"):
            connection.execute(
                text(
                    "INSERT INTO audit (at, actor, action, subject, detail) VALUES"
                    " (:at, :actor, 'test', 'x', :detail)"
                ),
                {"at": "2026-01-05 12:00:00.123456", "actor": actor, "detail": '{"a": "한"}'},
            )
    database.migrate()
    assert found(database) == []
    write(database, 1)
    assert found(database) == []
    assert head(database).seq == 3
