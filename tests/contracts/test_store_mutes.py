"""Mutes on record, on every database: begun, active for their time, ended once."""

from datetime import timedelta

import pytest

from safety.store import audit, mutes
from safety.store.database import Database
from safety.store.refusals import Conflict, NotFound
from safety.store.tables import Mute, Zone
from tests.support.database import NOON, after


@pytest.fixture
def record(database: Database) -> Database:
    """A record with one zone."""
    with database.transaction() as session:
        session.add(Zone(id="cell", spec={"id": "cell", "name": "Cell"}))
    return database


def begin(record: Database, person: str, *, hours: float) -> str:
    with record.transaction() as session:
        mute = mutes.begin(
            session,
            zone_id="cell",
            kind="lockout",
            person=person,
            reason="new gripper",
            ends_at=NOON + timedelta(hours=hours),
            by="manager",
            at=NOON,
        )
        return mute.id


def active(record: Database, seconds: float) -> list[str]:
    with record.reading() as session:
        return [mute.person for mute in mutes.active(session, after(seconds))]


def test_two_locks_on_one_zone_end_each_at_its_own_time(record: Database) -> None:
    begin(record, "Kim", hours=8)
    early = begin(record, "Park", hours=1)
    assert active(record, 0) == ["Park", "Kim"]
    assert active(record, -1) == []
    assert active(record, 3600) == ["Kim"]
    assert active(record, 8 * 3600) == []
    with record.transaction() as session:
        mutes.end(session, early, by="operator", at=after(60))
    assert active(record, 60) == ["Kim"]


def test_what_is_over_cannot_be_ended_and_what_is_not_there_neither(record: Database) -> None:
    mute_id = begin(record, "Kim", hours=1)
    with pytest.raises(Conflict), record.transaction() as session:
        mutes.end(session, mute_id, by="manager", at=after(3600))
    with pytest.raises(NotFound), record.transaction() as session:
        mutes.end(session, "nothing", by="manager", at=NOON)
    with record.reading() as session:
        row = session.get(Mute, mute_id)
        assert row is not None
        assert row.ended_at is None
        (entry,) = audit.list_entries(session, subject=mute_id)
        assert entry.detail["ends_at"] == (NOON + timedelta(hours=1)).isoformat()


def test_a_mute_outlives_its_zone_on_record(record: Database) -> None:
    mute_id = begin(record, "Kim", hours=1)
    with record.transaction() as session:
        session.delete(session.get(Zone, "cell"))
    with record.reading() as session:
        assert [mute.id for mute in mutes.recent(session)] == [mute_id]
