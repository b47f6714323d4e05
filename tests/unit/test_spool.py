"""The spool keeps every report until it is confirmed, over crashes and disk failures."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameras.ledger import Ledger, Record
from cameras.messages import (
    EvidenceFailed,
    EvidenceReady,
    EvidenceStored,
    ViolationReport,
    ViolationStored,
)
from cameras.spool import Spool, unfinished_shards
from safety.clock import SystemClock
from safety.types import Phase, Violation
from tests.support.violations import START, cleared, opened, updated
from tests.support.waiting import wait_until


def report(violation: Violation) -> ViolationReport:
    return ViolationReport(violation=violation)


def stored(violation: Violation) -> ViolationStored:
    return ViolationStored(violation_id=violation.id, revision=violation.revision)


def evidence(violation_id: str = "v1") -> list[Record]:
    return [
        EvidenceReady(
            violation_id=violation_id,
            kind=kind,
            path=f"2026/01/05/{violation_id}",
            sha256="0" * 64,
            size_bytes=1,
            started_at=START,
            ended_at=START,
        )
        for kind in ("clip", "picture")
    ]


@contextmanager
def running(path: Path) -> Iterator[Spool]:
    spool = Spool(path, clock=SystemClock())
    spool.start()
    try:
        yield spool
    finally:
        spool.close()


def put(spool: Spool, *records: Record) -> None:
    for record in records:
        spool.put(record)


def waiting(spool: Spool) -> list[Record]:
    return [record for _, record in spool.after(0)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool" / "shard-0.jsonl"


def test_what_waits_is_sent_in_order_of_reporting(path: Path) -> None:
    first, second = opened("v1"), opened("v2")
    with running(path) as spool:
        for violation in (first, second, cleared(first)):
            spool.put(report(violation))
        assert waiting(spool) == [report(first), report(second), report(cleared(first))]
        (_, _), (number, _), (_, _) = spool.after(0)
        assert [record for _, record in spool.after(number)] == [report(cleared(first))]


def test_only_the_newest_update_waits(path: Path) -> None:
    first = opened()
    second = updated(first)
    third = updated(second)
    with running(path) as spool:
        for violation in (first, second, third):
            spool.put(report(violation))
        assert waiting(spool) == [report(first), report(third)]


def test_a_confirmed_report_is_not_sent_again_but_its_open_violation_can_be(path: Path) -> None:
    violation = opened()
    with running(path) as spool:
        spool.put(report(violation))
        spool.confirm(stored(violation))
        assert waiting(spool) == []
        assert spool.confirmed_open() == [report(violation)]


def test_a_crash_closes_what_was_open_and_fails_its_evidence(path: Path) -> None:
    confirmed = updated(opened("v1"))
    unconfirmed = opened("v2")
    with running(path) as spool:
        for violation in (opened("v1"), confirmed, unconfirmed):
            spool.put(report(violation))
        spool.confirm(stored(opened("v1")))
        spool.confirm(stored(confirmed))
    with running(path) as spool:
        records = waiting(spool)
    reports = [r.violation for r in records if isinstance(r, ViolationReport)]
    assert reports[0] == unconfirmed
    endings = {v.id: v for v in reports[1:]}
    assert set(endings) == {"v1", "v2"}
    for ending in endings.values():
        assert (ending.phase, ending.end_reason) == (Phase.CLOSED, "shard_lost")
        assert ending.revision > confirmed.revision
    failures = {(r.violation_id, r.kind) for r in records if isinstance(r, EvidenceFailed)}
    assert failures == {(v, k) for v in ("v1", "v2") for k in ("clip", "picture")}


def test_a_settled_violation_leaves_an_empty_file(path: Path) -> None:
    violation = opened()
    end = cleared(violation)
    with running(path) as spool:
        put(spool, report(violation), report(end), *evidence())
        assert waiting(spool) != []
    assert unfinished_shards(path.parent) == {"shard-0"}
    with running(path) as spool:
        assert waiting(spool) == [report(violation), report(end), *evidence()]
        for confirmation in (stored(violation), stored(end)):
            spool.confirm(confirmation)
        for kind in ("clip", "picture"):
            spool.confirm(EvidenceStored(violation_id="v1", kind=kind))
        assert spool.waiting == 0
    assert unfinished_shards(path.parent) == set()


@pytest.mark.parametrize(
    "rest",
    [
        b'{"protocol":1,"type":"violation","viola',
        b"\x00\x00\x00",
        b'{"protocol":1,"type":"shutdown"}\n',
        b'{"protocol":2,"type":"violation_stored","violation_id":"v1","revision":0}\n',
    ],
    ids=["torn", "zeroes", "not a record", "another version"],
)
def test_lines_that_cannot_be_read_are_skipped(path: Path, rest: bytes) -> None:
    end = cleared(opened())
    with running(path) as spool:
        put(spool, report(opened()), report(end), *evidence())
    with path.open("ab") as file:
        file.write(rest)
    with running(path) as spool:
        assert waiting(spool) == [report(opened()), report(end), *evidence()]
    with running(path) as spool:
        assert len(waiting(spool)) == 4


def test_without_a_disk_it_remembers_and_writes_later(path: Path) -> None:
    path.parent.write_text("in the way of the directory")
    with running(path) as spool:
        spool.put(report(opened()))
        wait_until(lambda: spool.degraded)
        assert waiting(spool) == [report(opened())]
        path.parent.unlink()
        wait_until(lambda: not spool.degraded)
    with running(path) as spool:
        assert waiting(spool)[0] == report(opened())


def test_every_put_is_announced(path: Path) -> None:
    with running(path) as spool:
        announced = threading.Event()
        spool.on_put(announced.set)
        spool.put(report(opened()))
        assert announced.is_set()


def test_a_long_history_is_rewritten_short(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cameras.spool.REWRITE_AFTER_LINES", 10)
    violation = opened()
    with running(path) as spool:
        spool.put(report(violation))
        for _ in range(50):
            violation = updated(violation)
            spool.put(report(violation))
            spool.confirm(stored(violation))
            wait_until(lambda: path.exists())
        spool.put(report(opened("v2")))
    with running(path) as spool:
        pass
    assert len(path.read_bytes().splitlines()) < 30


HISTORY = st.lists(
    st.tuples(st.sampled_from(["v1", "v2"]), st.sampled_from(["next", "close", "confirm", "clip"])),
    max_size=30,
)


@given(history=HISTORY)
def test_the_short_history_leads_to_the_same_state(history: list[tuple[str, str]]) -> None:
    ledger = Ledger()
    newest: dict[str, Violation] = {}
    for violation_id, step in history:
        former = newest.get(violation_id)
        match step:
            case "next" if former is None:
                newest[violation_id] = opened(violation_id)
                ledger.put(report(newest[violation_id]))
            case "next" | "close" if former is not None and former.phase is not Phase.CLOSED:
                newest[violation_id] = updated(former) if step == "next" else cleared(former)
                ledger.put(report(newest[violation_id]))
            case "confirm" if former is not None:
                ledger.confirm(stored(former))
            case "clip" if former is not None:
                ledger.put(evidence(violation_id)[0])
            case _:
                pass
    again = Ledger()
    for message in ledger.messages():
        if isinstance(message, ViolationStored | EvidenceStored):
            again.confirm(message)
        else:
            again.put(message)

    def by_violation(of: Ledger) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {"v1": [], "v2": []}
        for _, record in of.after(0):
            if isinstance(record, ViolationReport):
                found[record.violation.id].append(record)
            else:
                found[record.violation_id].append(record)
        # Evidence has no order against reports.
        return {v: sorted(r, key=lambda record: record.type) for v, r in found.items()}

    assert by_violation(again) == by_violation(ledger)
    assert again.open_violations() == ledger.open_violations()
    assert again.confirmed_open() == ledger.confirmed_open()


def test_another_cameras_clip_is_kept_until_confirmed_and_stands_for_no_other() -> None:
    ledger = Ledger()
    clip = evidence()[0]
    assert isinstance(clip, EvidenceReady)
    elsewhere = clip.model_copy(update={"other_camera": "south"})
    ledger.put(elsewhere)
    # Of another shard's violation nothing else is owed.
    assert ledger.farewell() == []
    ledger.confirm(EvidenceStored(violation_id="v1", kind="clip"))
    assert ledger.waiting == 1
    ledger.put(report(opened()))
    missing = [each for each in ledger.farewell() if isinstance(each, EvidenceFailed)]
    assert {(each.kind, each.other_camera) for each in missing} == {("clip", ""), ("picture", "")}
    again = Ledger()
    for message in ledger.messages():
        assert isinstance(message, ViolationReport | EvidenceReady)
        again.put(message)
    again.confirm(EvidenceStored(violation_id="v1", kind="clip", other_camera="south"))
    assert again.waiting == 1
