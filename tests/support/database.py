"""A fresh database with its tables, once in SQLite and once in PostgreSQL."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from safety.store.database import Database

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""A time for tests that need one, whichever it is."""


def after(seconds: float) -> datetime:
    """So many seconds after ``NOON``."""
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """An SQLite database with its tables."""
    database = Database(f"sqlite:///{tmp_path / 'anjeon.db'}")
    database.migrate()
    yield database
    database.dispose()


@pytest.fixture
def postgres_database(new_postgres_url: Callable[[], str]) -> Iterator[Database]:
    """A PostgreSQL database with its tables."""
    database = Database(new_postgres_url())
    database.migrate()
    yield database
    database.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """Every test that asks for this runs once on each kind of database."""
    return cast("Database", request.getfixturevalue(f"{request.param}_database"))
