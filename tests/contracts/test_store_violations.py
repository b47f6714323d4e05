"""Violations and their evidence on record: reports come late, twice and out of order."""

from dataclasses import replace
from itertools import permutations

import pytest

from safety.store import evidence, violations
from safety.store.database import Database
from safety.store.evidence_times import best_clip, clips_during
from safety.store.refusals import NotFound
from safety.store.times import utc
from safety.types import Severity, Violation
from tests.support.database import NOON, after
from tests.support.violations import START, cleared, opened, updated

FIRST = opened()
SECOND = replace(updated(FIRST, 2.0), severity=Severity.WARNING)
LAST = cleared(SECOND, 3.0)


def _save(database: Database, *reports: Violation) -> list[bool]:
    saved = []
    for report in reports:
        with database.transaction() as session:
            saved.append(violations.save_violation(session, report))
    return saved


@pytest.mark.parametrize("order", list(permutations([FIRST, SECOND, LAST])))
def test_whatever_the_order_the_record_ends_the_same(
    database: Database, order: tuple[Violation, ...]
) -> None:
    _save(database, *order)
    with database.reading() as session:
        row = violations.get(session, FIRST.id)
    assert (row.revision, row.phase, row.end_reason) == (2, "closed", "cleared")
    assert row.opened_at == utc(START)
    assert row.closed_at == after((START.wall + 5.0) - NOON.timestamp())
    assert row.duration_s == 5.0


def test_a_repeated_report_changes_nothing(database: Database) -> None:
    assert _save(database, FIRST, FIRST, SECOND, SECOND, FIRST) == [True, False, True, False, False]


def test_what_is_closed_never_opens_again(database: Database) -> None:
    late = replace(updated(LAST), closed_at=None)
    assert _save(database, FIRST, LAST, late) == [True, True, False]


def test_a_jump_of_the_wall_clock_changes_no_duration(database: Database) -> None:
    jumped = replace(LAST.captured_at, wall=LAST.captured_at.wall - 3600)
    _save(database, FIRST, replace(LAST, captured_at=jumped, closed_at=jumped))
    with database.reading() as session:
        assert violations.get(session, FIRST.id).duration_s == 5.0


@pytest.mark.parametrize(
    ("told", "kept"), [([0.1, 0.9], 0.1), ([None, 0.2], 0.2), ([0.3, None], 0.3)]
)
def test_the_first_known_siren_latency_is_kept(
    database: Database, told: list[float | None], kept: float
) -> None:
    for report, latency in zip([FIRST, SECOND], told, strict=True):
        with database.transaction() as session:
            violations.save_violation(session, report, siren_latency_s=latency)
    with database.transaction() as session:
        violations.set_siren_latency(session, FIRST.id, 7.0)
        violations.set_siren_latency(session, "unknown", 7.0)
    with database.reading() as session:
        assert violations.get(session, FIRST.id).siren_latency_s == kept


def test_a_violation_whose_shard_is_lost_keeps_its_measured_length(database: Database) -> None:
    _save(database, FIRST, SECOND)
    with database.transaction() as session:
        assert [row.id for row in violations.open_violations(session)] == [FIRST.id]
        assert violations.close_lost(session, FIRST.id, reason="shard_lost")
        assert not violations.close_lost(session, FIRST.id, reason="shard_lost")
        assert violations.open_violations(session) == []
        row = violations.get(session, FIRST.id)
    assert (row.phase, row.end_reason, row.duration_s) == ("closed", "shard_lost", 2.0)


def test_the_true_end_replaces_the_supposed_one(database: Database) -> None:
    _save(database, FIRST)
    with database.transaction() as session:
        violations.close_lost(session, FIRST.id, reason="shard_lost")
    assert _save(database, SECOND, LAST) == [False, True]
    with database.reading() as session:
        assert violations.get(session, FIRST.id).end_reason == "cleared"


def test_pages_hold_every_violation_once_newest_first(database: Database) -> None:
    moments = [0, 10, 10, 10, 20, 30]
    for number, moment in enumerate(moments):
        _save(database, opened(f"v{number}", START.shifted(moment)))
    seen: list[str] = []
    with database.reading() as session:
        while page := violations.list_violations(
            session, before=seen[-1] if seen else None, limit=2
        ):
            seen += [row.id for row in page]
        assert seen == ["v5", "v4", "v3", "v2", "v1", "v0"]
        some = violations.list_violations(
            session, since=utc(START.shifted(10)), until=utc(START.shifted(20))
        )
        assert {row.id for row in some} == {"v1", "v2", "v3"}
        assert violations.list_violations(session, camera_id="other") == []
        assert len(violations.list_violations(session, rule_id="rule-1", camera_id="cam-1")) == 6
        with pytest.raises(NotFound):
            violations.list_violations(session, before="unknown")


def _ready(database: Database, path: str = "a.mp4") -> None:
    with database.transaction() as session:
        evidence.ready(
            session,
            violation_id="v1",
            kind="clip",
            path=path,
            sha256="00" * 32,
            size_bytes=3_000_000_000,
            started_at=NOON,
            ended_at=after(15),
            at=after(16),
        )


def _fail(database: Database) -> None:
    with database.transaction() as session:
        evidence.failed(session, violation_id="v1", kind="clip", reason="disk_full")


def test_evidence_may_come_before_its_violation_and_twice(database: Database) -> None:
    _ready(database)
    _ready(database, path="b.mp4")
    with database.reading() as session:
        (row,) = evidence.of_violation(session, "v1")
        assert evidence.get(session, row.id).path == "a.mp4"
        assert evidence.of_violations(session, ["v1", "v2"], kind="clip") == {"v1": row}
        assert row.size_bytes == 3_000_000_000
        with pytest.raises(NotFound):
            evidence.get(session, "unknown")


@pytest.mark.parametrize("fails_first", [True, False])
def test_a_file_that_exists_is_never_called_failed(database: Database, fails_first: bool) -> None:
    steps = [_fail, _ready] if fails_first else [_ready, _fail]
    for step in steps:
        step(database)
    with database.reading() as session:
        (row,) = evidence.of_violation(session, "v1")
    assert (row.state, row.reason) == ("ready", None)


def test_failed_evidence_says_why(database: Database) -> None:
    _fail(database)
    with database.reading() as session:
        (row,) = evidence.of_violation(session, "v1")
        assert evidence.of_violations(session, ["v1"], kind="clip") == {}
    assert (row.state, row.reason) == ("failed", "disk_full")


def test_clips_that_show_a_time_whatever_they_were_made_for(database: Database) -> None:
    """A clip belongs to the camera that made it; deleted, failed and other ones do not count."""
    _save(database, FIRST)

    def clip(
        begins_s: float,
        ends_s: float,
        *,
        violation_id: str = FIRST.id,
        kind: str = "clip",
        other_camera: str = "",
    ) -> None:
        with database.transaction() as session:
            evidence.ready(
                session,
                violation_id=violation_id,
                kind=kind,
                path=f"{begins_s:g}.mp4",
                sha256="00",
                size_bytes=1,
                started_at=after(begins_s),
                ended_at=after(ends_s),
                at=after(ends_s),
                other_camera=other_camera,
            )

    clip(0, 10)
    clip(8, 20, other_camera="other")
    clip(0, 30, kind="picture")
    clip(100, 110, violation_id="nobody-knows-it")
    cameras = {FIRST.camera_id, "other"}
    with database.reading() as session:
        found = clips_during(session, cameras, after(5), after(60))
        assert [(each.camera_id, each.path) for each in found] == [
            (FIRST.camera_id, "0.mp4"),
            ("other", "8.mp4"),
        ]
        assert clips_during(session, {"other"}, after(0), after(8)) == []
        assert [each.path for each in clips_during(session, {"other"}, after(0), after(9))] == [
            "8.mp4"
        ]
    best = best_clip(found, FIRST.camera_id, after(9), after(12))
    assert best is not None
    assert (best.path, best.overlap_s(after(9), after(12))) == ("0.mp4", 1.0)
    assert best_clip(found, FIRST.camera_id, after(10), after(12)) is None
    assert best_clip(found, "third", after(0), after(12)) is None
