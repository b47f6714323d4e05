"""The way into the record, the same on both kinds of database."""

import threading
from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from safety.errors import ConfigError, StoreUnavailable
from safety.store import audit, tables
from safety.store import database as database_module
from safety.store.database import Database
from tests.support.database import NOON


def _entry(database: Database, actor: str) -> None:
    with database.transaction() as session:
        audit.record(session, actor=actor, action="test", subject="x", at=NOON)


def _actors(database: Database) -> list[str]:
    with database.reading() as session:
        return [entry.actor for entry in audit.list_entries(session)]


def test_the_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        differences = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_server_default": True}),
            SQLModel.metadata,
        )
    assert differences == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    _entry(database, "kim")
    database.migrate()
    assert _actors(database) == ["kim"]


def test_processes_that_migrate_at_the_same_time_wait_longer_than_for_a_writer(
    new_database: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a disk so slow that a migration outlasts the patience of ordinary writers.
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.01)
    failures: list[BaseException] = []

    def migrate(database: Database) -> None:
        try:
            database.migrate()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=migrate, args=[new_database()]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    _entry(new_database(), "kim")


def test_a_database_of_a_newer_version_is_refused(new_database: Callable[[], Database]) -> None:
    database = new_database()
    database.migrate()
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match=r"newer version of Anjeon \(tables 9999\)") as caught:
        database.migrate()
    assert caught.value.key == "store.newer"


def test_a_database_without_tables_says_so(new_database: Callable[[], Database]) -> None:
    database = new_database()
    database.migrate()
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE audit"))
    with pytest.raises(StoreUnavailable) as caught:
        _entry(database, "kim")
    assert caught.value.key == "store.not_migrated"


def test_an_exception_undoes_the_whole_transaction(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as session:
            audit.record(session, actor="kim", action="test", subject="x", at=NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert _actors(database) == []


def test_a_reading_session_refuses_to_write(database: Database) -> None:
    with pytest.raises(StoreUnavailable) as caught, database.reading() as session:
        audit.record(session, actor="kim", action="test", subject="x", at=NOON)
    assert caught.value.key == "store.read_only"
    _entry(database, "lee")
    assert _actors(database) == ["lee"]


def test_reading_waits_for_no_writer(database: Database) -> None:
    with database.transaction() as session:
        audit.record(session, actor="kim", action="test", subject="x", at=NOON)
        assert _actors(database) == []


def test_broken_constraints_are_not_passed_off_as_a_missing_database(database: Database) -> None:
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(tables.Session(id="x", user_id="nobody", csrf_token="x"))


def test_values_stay_out_of_error_messages(database: Database) -> None:
    row = tables.Session(
        id="x",
        user_id="nobody",
        csrf_token="very-secret",
        created_at=NOON,
        last_seen_at=NOON,
        expires_at=NOON,
    )
    with pytest.raises(IntegrityError) as caught, database.transaction() as session:
        session.add(row)
    assert "very-secret" not in str(caught.value)


def test_times_come_back_as_the_same_moment_in_utc(database: Database) -> None:
    _entry(database, "kim")
    with database.reading() as session:
        at = audit.list_entries(session)[0].at
    assert at == NOON
    assert at.utcoffset() is not None


def test_a_ping_is_quiet_when_all_is_well(database: Database) -> None:
    database.ping()


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("", "store.bad_url"),
        ("anjeon.db", "store.bad_url"),
        ("mysql://anjeon:hunter2@db/x", "store.bad_driver"),
        ("postgresql+asyncpg://anjeon:hunter2@db/x", "store.bad_driver"),
        ("sqlite://", "store.no_path"),
        ("sqlite:///:memory:", "store.no_path"),
        ("postgresql://anjeon:hunter2@db:port/x", "store.bad_url"),
    ],
)
def test_urls_that_cannot_be_used_are_refused_without_repeating_them(url: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Database(url)
    assert caught.value.key == key
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_the_description_has_no_password(scheme: str) -> None:
    database = Database(f"{scheme}://anjeon:hunter2@db/x?sslpassword=hunter3")
    assert database.description == "postgresql+psycopg://anjeon:***@db/x"
