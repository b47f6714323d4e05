"""The record is locked, slow, away or read-only: sirens sound, and everything is on it later."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from safety.config import Settings
from tests.support.postgres import PostgresServer
from tests.support.reporting_shard import AlertPath, alert_path

REPORTS = 40
Fault = AbstractContextManager[Callable[[], object]]
"""Entered, it has begun; the function ends it."""


@pytest.fixture
def directory() -> Iterator[Path]:
    """Short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="anj") as directory:
        yield Path(directory)


@contextmanager
def locked(file: Path) -> Iterator[Callable[[], object]]:
    """Another program holds the write lock, as a backup does."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield lambda: connection.execute("ROLLBACK")
    finally:
        connection.close()


@contextmanager
def slow(server: PostgresServer, url: str) -> Iterator[Callable[[], object]]:
    """Every new violation takes a fifth of a second longer."""
    name = urlsplit(url).path.removeprefix("/")
    with server.connect(name) as connection:
        connection.execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END $$"
        )
        connection.execute(
            "CREATE TRIGGER slow BEFORE INSERT ON violation FOR EACH ROW EXECUTE FUNCTION slow()"
        )
        yield lambda: connection.execute("DROP TRIGGER slow ON violation")


async def reported_during(path: AlertPath, fault: Fault, *, stops: bool) -> list[str]:
    """What is reported while the fault lasts; all of it is confirmed at the end.

    Args:
        path: Where.
        fault: What is wrong.
        stops: Whether nothing at all can be written meanwhile.
    """
    mend = await asyncio.to_thread(fault.__enter__)
    try:
        reported = await path.shard.report(REPORTS)
        if stops:
            assert not path.shard.confirmed.keys() & set(reported)
        await asyncio.to_thread(mend)
        await path.shard.all_confirmed()
    finally:
        await asyncio.to_thread(fault.__exit__, None, None, None)
    return list(reported)


async def test_a_locked_file(directory: Path, cost: Callable[..., None]) -> None:
    async with alert_path(Settings(data_dir=directory)) as path:
        fault = locked(directory / "anjeon.db")
        reported = await reported_during(path, fault, stops=True)
        say(cost, path, reported, "SQLite locked", "another program holds its write lock")


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        ("slow", "a trigger that sleeps 0.2 s at every new violation"),
        ("stopped", "`pg_ctl stop`, connections cut, started again"),
        ("standby", "restarted as a read-only standby, later promoted"),
    ],
)
async def test_a_server(
    directory: Path,
    postgres_server: PostgresServer,
    new_postgres_url: Callable[[], str],
    fault: str,
    how: str,
    cost: Callable[..., None],
) -> None:
    url = new_postgres_url()
    async with alert_path(Settings(data_dir=directory, database_url=url)) as path:
        if fault == "slow":
            reported = await reported_during(path, slow(postgres_server, url), stops=False)
        else:
            unwell = postgres_server.unwell(fault)
            reported = await reported_during(path, unwell, stops=True)
        name = {"standby": "PostgreSQL failed over"}.get(fault, f"PostgreSQL {fault}")
        say(cost, path, reported, name, how)


def say(
    cost: Callable[..., None], path: AlertPath, reported: list[str], fault: str, how: str
) -> None:
    waited = path.shard.waited_s()
    siren_s = path.siren_s(reported)
    assert len(siren_s) == len(reported), "the siren sounded for each"
    cost(
        "Database",
        fault,
        how,
        alerts=len(reported),
        lost=len(path.lost()),
        waits_s=[waited[violation_id] for violation_id in reported],
        siren_s=siren_s,
    )
