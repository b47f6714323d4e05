"""An empty database with its tables, once in SQLite and once in PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar, cast

import pytest
from sqlmodel import SQLModel, select

from safety.store.database import Database
from tests.support.postgres import PostgresServer

Row = TypeVar("Row", bound=SQLModel)

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""A time for tests that need one, whichever it is."""


def after(seconds: float) -> datetime:
    """So many seconds after ``NOON``."""
    return NOON + timedelta(seconds=seconds)


def rows(database: Database, table: type[Row]) -> list[Row]:
    """All rows of a table."""
    with database.reading() as session:
        return list(session.exec(select(table)).all())


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "anjeon.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.dispose()
    return path


@pytest.fixture
def sqlite_database(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    """An SQLite database with its tables."""
    path = shutil.copy(migrated_file, tmp_path / "anjeon.db")
    database = Database(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> Iterator[Database]:
    """One PostgreSQL database with all tables, for many tests one after another."""
    database = Database(postgres_server.new_database())
    database.migrate()
    yield database
    database.dispose()


@pytest.fixture
def postgres_database(migrated_postgres: Database) -> Iterator[Database]:
    """A PostgreSQL database with empty tables; tests may not change the tables themselves."""
    yield migrated_postgres
    with migrated_postgres.transaction() as session:
        for table in reversed(SQLModel.metadata.sorted_tables):
            session.connection().execute(table.delete())


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """Every test that asks for this runs once on each kind of database."""
    return cast("Database", request.getfixturevalue(f"{request.param}_database"))


@pytest.fixture(params=["sqlite", "postgres"])
def new_database(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], Database]]:
    """Makes connections to one new database without tables, on each kind of database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'new' / 'anjeon.db'}"
    else:
        url = request.getfixturevalue("new_postgres_url")()
    made: list[Database] = []

    def make() -> Database:
        made.append(Database(url))
        return made[-1]

    yield make
    for database in made:
        database.dispose()
