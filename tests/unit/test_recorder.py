"""The recorder writes in order, together what has gathered, and goes on trying."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
from sqlmodel import Session, select

from safety.clock import ManualClock
from safety.engine.recorder import BATCH, Chore, Entry, Recorder, Stored
from safety.errors import StoreUnavailable
from safety.store import audit
from safety.store.database import Database
from safety.store.tables import Audit
from safety.store.times import utc
from tests.support.database import rows

NOW = utc(ManualClock().now())


@pytest.fixture
def recorder(sqlite_database: Database) -> Recorder:
    return Recorder(sqlite_database, clock=ManualClock())


@pytest.fixture
async def running(recorder: Recorder) -> AsyncIterator[Recorder]:
    task = asyncio.create_task(recorder.run())
    yield recorder
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def note(name: str, session: Session) -> None:
    """One row on record."""
    audit.record(session, actor="test", action="note", subject=name, at=NOW, detail={})


def noted(database: Database) -> list[str]:
    return [row.subject for row in sorted(rows(database, Audit), key=lambda row: row.seq or 0)]


def entry(name: str, write: Callable[[Session], None], told: list[str]) -> Entry:
    return Entry(key=(name,), write=write, stored=telling(name, told))


def telling(name: str, told: list[str]) -> Stored:
    async def stored() -> None:
        told.append(name)

    return stored


async def test_order_is_kept_through_an_outage_and_each_entry_is_written_once(
    running: Recorder, sqlite_database: Database
) -> None:
    outage, told = 7, list[str]()

    def sometimes(session: Session) -> None:
        nonlocal outage
        note("1", session)
        if outage:
            outage -= 1
            raise StoreUnavailable("store.locked", "locked")

    running.put(entry("0", partial(note, "0"), told))
    running.put(entry("1", sometimes, told))
    running.put(entry("2", partial(note, "2"), told))
    running.put(entry("1", partial(note, "again"), told))
    await running.drained()
    assert noted(sqlite_database) == told == ["0", "1", "2"]
    assert (outage, running.available, len(running)) == (0, True, 0)


async def test_what_has_gathered_is_committed_together_in_bounded_portions(
    recorder: Recorder, sqlite_database: Database
) -> None:
    seen: dict[str, int] = {}

    def write(name: str, session: Session) -> None:
        note(name, session)
        # Others see only what is committed.
        seen[name] = len(rows(sqlite_database, Audit))

    names = [f"{number:03d}" for number in range(2 * BATCH + 1)]
    for name in names:
        recorder.put(Entry(key=(name,), write=partial(write, name)))
    task = asyncio.create_task(recorder.run())
    await recorder.drained()
    task.cancel()
    assert noted(sqlite_database) == names
    assert [seen[name] for name in names] == [0] * BATCH + [BATCH] * BATCH + [2 * BATCH]


async def test_a_chore_is_done_in_its_turn_outside_any_transaction(
    running: Recorder, sqlite_database: Database
) -> None:
    told: list[str] = []

    def chore() -> None:
        with sqlite_database.transaction() as session:
            assert len(session.exec(select(Audit)).all()) == 1
            note("chore", session)

    running.put(entry("before", partial(note, "before"), told))
    running.put(Chore(key=("chore",), do=chore, stored=telling("chore", told)))
    running.put(entry("after", partial(note, "after"), told))
    await running.drained()
    assert noted(sqlite_database) == told == ["before", "chore", "after"]


async def test_an_entry_that_can_never_be_written_holds_up_nobody_and_is_not_confirmed(
    running: Recorder, sqlite_database: Database
) -> None:
    told: list[str] = []

    def broken(session: Session) -> None:
        note("half", session)
        raise ValueError("no such thing")

    def refuse() -> None:
        raise ValueError("nor this")

    running.put(entry("a", partial(note, "a"), told))
    running.put(entry("b", broken, told))
    running.put(entry("c", partial(note, "c"), told))
    running.put(Chore(key=("d",), do=refuse, stored=telling("d", told)))
    await running.drained()
    assert noted(sqlite_database) == told == ["a", "c"]
    assert running.refused == 2
