"""What happens to the record when its disk, its file or its server gives out."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from safety.errors import StoreUnavailable
from safety.store import audit
from safety.store import database as database_module
from safety.store.database import Database
from tests.support.database import NOON
from tests.support.postgres import PostgresServer
from tests.support.small_disk import SmallDisk

WRITER = """
import sys
from datetime import UTC, datetime
from safety.store import audit
from safety.store.database import Database

database = Database(sys.argv[1])
number = 0
while True:
    with database.transaction() as session:
        for part in range(20):
            audit.record(session, actor="writer", action="test", subject=f"{number}/{part}",
                         at=datetime.now(UTC), detail={"padding": "x" * 500})
    print(number, flush=True)
    number += 1
"""


def _write(database: Database, subject: str = "x", size: int = 10) -> None:
    with database.transaction() as session:
        detail = {"padding": "x" * size}
        audit.record(session, actor="kim", action="t", subject=subject, at=NOON, detail=detail)


def _count(database: Database) -> int:
    with database.reading() as session:
        return len(audit.list_entries(session, limit=10_000))


def _refused(database: Database, write: Callable[[Database], None] = _write) -> str:
    with pytest.raises(StoreUnavailable) as caught:
        write(database)
    assert "hunter2" not in str(caught.value)
    return caught.value.key


@pytest.fixture
def on_small_disk(small_disk: SmallDisk) -> Iterator[Database]:
    """An SQLite database on a disk that is nearly full."""
    database = Database(f"sqlite:///{small_disk.path / 'anjeon.db'}")
    database.migrate()
    yield database
    database.dispose()


def test_a_file_locked_by_another_program_is_waited_for_and_then_reported(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.2)
    database = Database(f"sqlite:///{tmp_path / 'anjeon.db'}")
    with closing(sqlite3.connect(tmp_path / "anjeon.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert _refused(database) == "store.locked"
        assert _count(database) == 0
    _write(database)
    assert _count(database) == 1
    database.dispose()


def test_a_thread_that_holds_the_file_too_long_does_not_block_the_others_for_ever(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.2)
    with sqlite_database.transaction():
        assert _refused(sqlite_database) == "store.locked"
    _write(sqlite_database)


def test_a_full_disk_is_reported_and_writing_goes_on_once_there_is_room(
    on_small_disk: Database, small_disk: SmallDisk
) -> None:
    _write(on_small_disk)
    small_disk.fill()
    assert _refused(on_small_disk, lambda database: _write(database, size=200_000)) == "store.full"
    assert _count(on_small_disk) == 1
    small_disk.empty()
    _write(on_small_disk)
    assert _count(on_small_disk) == 2


def test_a_full_disk_does_not_prevent_a_new_connection_from_saying_so(
    on_small_disk: Database, small_disk: SmallDisk
) -> None:
    on_small_disk.dispose()
    small_disk.fill()
    assert _refused(on_small_disk) in {"store.full", "store.io", "store.cannot_open"}
    small_disk.empty()
    _write(on_small_disk)


def test_a_read_only_disk_is_reported_and_writing_goes_on_once_it_is_writable(
    on_small_disk: Database, small_disk: SmallDisk
) -> None:
    on_small_disk.dispose()
    small_disk.remount("ro")
    assert _refused(on_small_disk) in {"store.read_only", "store.cannot_open"}
    small_disk.remount("rw")
    _write(on_small_disk)
    assert _count(on_small_disk) == 1


def test_a_damaged_file_is_called_damaged(sqlite_database: Database, tmp_path: Path) -> None:
    sqlite_database.dispose()
    (tmp_path / "anjeon.db").write_bytes(b"these are not the tables you look for" * 400)
    assert _refused(sqlite_database) == "store.corrupt"


def test_a_missing_directory_is_reported_and_made_by_migrating(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'not' / 'yet' / 'anjeon.db'}")
    assert _refused(database) == "store.cannot_open"
    database.migrate()
    _write(database)
    assert (tmp_path / "not" / "yet" / "anjeon.db").stat().st_mode & 0o077 == 0
    database.dispose()


def test_a_directory_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    database = Database(f"sqlite:///{tmp_path / 'file' / 'anjeon.db'}")
    assert _refused(database, lambda each: each.migrate()) == "store.no_file"


@pytest.mark.parametrize("commits", [1, 7])
def test_a_writer_killed_in_the_middle_loses_nothing_it_reported(
    sqlite_database: Database, tmp_path: Path, commits: int
) -> None:
    url = f"sqlite:///{tmp_path / 'anjeon.db'}"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        reported = [int(writer.stdout.readline()) for _ in range(commits)]
        writer.kill()
        reported += [int(line) for line in writer.stdout if line.endswith("\n")]
    with sqlite_database.reading() as session:
        subjects = {entry.subject for entry in audit.list_entries(session, limit=10_000)}
    assert {f"{number}/{part}" for number in reported for part in range(20)} <= subjects
    assert len(subjects) % 20 == 0
    with closing(sqlite3.connect(tmp_path / "anjeon.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    _write(sqlite_database)


def test_a_server_that_stops_and_comes_back_needs_no_new_database_object(
    postgres_database: Database, postgres_server: PostgresServer
) -> None:
    _write(postgres_database)
    postgres_server.stop()
    try:
        assert _refused(postgres_database) == "store.unreachable"
        assert _refused(postgres_database, lambda each: each.ping()) == "store.unreachable"
    finally:
        postgres_server.start()
    _write(postgres_database)
    assert _count(postgres_database) == 2


def test_a_server_that_stops_during_a_transaction_undoes_it(
    postgres_database: Database, postgres_server: PostgresServer
) -> None:
    def write_and_stop(database: Database) -> None:
        with database.transaction() as session:
            audit.record(session, actor="kim", action="test", subject="x", at=NOON)
            postgres_server.stop()

    try:
        assert _refused(postgres_database, write_and_stop) == "store.unreachable"
    finally:
        postgres_server.start()
    assert _count(postgres_database) == 0
    _write(postgres_database)


def test_a_read_only_server_is_called_read_only(
    new_postgres_url: Callable[[], str], postgres_server: PostgresServer
) -> None:
    database = Database(new_postgres_url())
    database.migrate()
    with postgres_server.connect("postgres") as connection:
        connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        connection.execute("SELECT pg_reload_conf()")
    database.dispose()
    try:
        assert _refused(database) == "store.read_only"
    finally:
        with postgres_server.connect("postgres") as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connection.execute("SELECT pg_reload_conf()")
    database.dispose()
    _write(database)
    database.dispose()


def test_a_row_that_stays_locked_is_reported(
    postgres_database: Database, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.2)
    impatient = Database(postgres_database.engine.url.render_as_string(hide_password=False))
    name = postgres_database.engine.url.database
    assert name is not None
    with postgres_server.connect(name) as other, other.transaction():
        other.execute("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE")
        assert _refused(impatient) == "store.locked"
    _write(impatient)
    impatient.dispose()


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("127.0.0.1:1", "store.unreachable"),
        ("no-such-host.invalid", "store.unreachable"),
    ],
)
def test_a_server_that_is_not_there_is_reported_without_the_password(
    address: str, key: str
) -> None:
    assert _refused(Database(f"postgresql://anjeon:hunter2@{address}/anjeon")) == key


def test_a_wrong_password_is_called_that(
    new_postgres_url: Callable[[], str], postgres_server: PostgresServer
) -> None:
    postgres_server.demand_password("guarded", "right")
    url = new_postgres_url().replace("://anjeon@", "://guarded:hunter2@")
    assert _refused(Database(url)) == "store.unauthorized"
    assert _refused(Database(url.replace("hunter2@/", "right@/nothing-"))) == "store.unreachable"
