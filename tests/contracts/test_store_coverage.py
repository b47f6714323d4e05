"""Coverage: how long each camera really watched."""

import pytest

from safety.store import coverage
from safety.store.coverage import Totals
from safety.store.database import Database
from safety.types import CameraState
from tests.support.database import NOON, after

LIVE, DEGRADED, BLIND = CameraState.LIVE, CameraState.DEGRADED, CameraState.BLIND


def _save(
    database: Database,
    state: CameraState,
    start: float,
    seconds: float,
    *,
    camera: str = "gate",
    reason: str = "ok",
    is_open: bool = False,
) -> None:
    with database.transaction() as session:
        coverage.save_interval(
            session,
            camera_id=camera,
            state=state,
            reason=reason,
            started_at=after(start),
            seconds=seconds,
            is_open=is_open,
        )


def _totals(database: Database, since: float, until: float) -> dict[str, Totals]:
    with database.reading() as session:
        return coverage.totals(session, since=after(since), until=after(until))


def test_an_interval_grows_and_ends_once(database: Database) -> None:
    for seconds, is_open in [(0.0, True), (10.0, True), (7.0, True), (12.5, False), (99.0, False)]:
        _save(database, LIVE, 0, seconds, is_open=is_open)
    with database.reading() as session:
        (row,) = coverage.intervals(session, "gate", since=NOON, until=after(60))
    assert (row.seconds, row.ended_at) == (12.5, after(12.5))


def test_totals_count_what_lies_in_the_window(database: Database) -> None:
    _save(database, LIVE, 0, 60)
    _save(database, DEGRADED, 60, 20, reason="slow")
    _save(database, BLIND, 80, 10, reason="no_frames")
    _save(database, LIVE, 90, 30, is_open=True)
    _save(database, LIVE, 0, 5, camera="other")
    assert _totals(database, 50, 200) == {
        "gate": Totals(live_s=40.0, degraded_s=20.0, blind_s=10.0, unrecorded_s=80.0)
    }
    assert _totals(database, 0, 5)["other"] == Totals(live_s=5.0)
    assert _totals(database, 1000, 2000) == {}


def test_a_state_that_changes_at_once_makes_two_intervals(database: Database) -> None:
    _save(database, BLIND, 0, 0, reason="starting")
    _save(database, LIVE, 0, 30, is_open=True)
    assert _totals(database, 0, 30)["gate"] == Totals(live_s=30.0)


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_a_jump_of_the_wall_clock_adds_no_second_and_loses_none(
    database: Database, jump_s: float
) -> None:
    _save(database, LIVE, 0, 100)
    _save(database, LIVE, 100 + jump_s, 50)
    assert _totals(database, -7200, 7200)["gate"].live_s == 150.0


def test_what_a_crash_left_open_ends_at_its_last_extension(database: Database) -> None:
    _save(database, LIVE, 0, 40, is_open=True)
    _save(database, BLIND, 0, 20, camera="other", reason="no_frames", is_open=True)
    with database.transaction() as session:
        assert coverage.close_abandoned(session) == 2
        assert coverage.close_abandoned(session) == 0
        (row,) = coverage.intervals(session, "other", since=NOON, until=after(60))
    assert (row.reason, row.ended_at) == ("no_frames", after(20))
    assert _totals(database, 0, 100)["gate"] == Totals(live_s=40.0, unrecorded_s=60.0)
