"""Hours, baseline and reports on record, on every database."""

import pytest

from safety.errors import AnjeonError
from safety.store import audit, baselines, report_revisions, work_months
from safety.store.database import Database
from safety.store.kpi_tables import WorkMonth
from safety.store.refusals import Conflict, Invalid
from tests.support.database import NOON, after


def put(record: Database, month: str, hours: float, headcount: int, **more: object) -> WorkMonth:
    entry = {"group": "own", "source": "entered", "by": "manager", "at": NOON} | more
    with record.transaction() as session:
        return work_months.put(session, month=month, hours=hours, headcount=headcount, **entry)  # type: ignore[arg-type]


def test_a_month_is_entered_once_and_corrected_in_the_open(database: Database) -> None:
    put(database, "2025-11", 16_000, 100)
    put(database, "2025-11", 16_000, 100)
    corrected = put(database, "2025-11", 15_500, 98, at=after(60), expected_version=1)
    assert corrected.version == 2
    put(database, "2025-10", 14_000, 100)
    put(database, "2025-11", 900, 6, group="contractor")
    with pytest.raises(Conflict):
        put(database, "2025-11", 15_000, 98, expected_version=1)
    with database.reading() as session:
        rows = work_months.list_months(session, first="2025-10", last="2025-11")
        trail = [e for e in audit.list_entries(session, limit=10) if e.action == "work_month.put"]
    assert [(row.month, row.worker_group, row.hours) for row in rows] == [
        ("2025-10", "own", 14_000),
        ("2025-11", "contractor", 900),
        ("2025-11", "own", 15_500),
    ]
    corrections = [e.detail["before"] for e in trail if e.detail["before"]]
    assert corrections == [{"hours": 16_000, "headcount": 100, "source": "entered"}]


@pytest.mark.parametrize(
    ("month", "hours", "headcount", "more", "key"),
    [
        ("2025-13", 1, 1, {}, "month.form"),
        ("2025-1", 1, 1, {}, "month.form"),
        ("25-01", 1, 1, {}, "month.form"),
        ("2999-01", 1, 1, {}, "work_month.future"),
        ("2025-01", -1, 1, {}, "work_month.hours"),
        ("2025-01", float("nan"), 1, {}, "work_month.hours"),
        ("2025-01", float("inf"), 1, {}, "work_month.hours"),
        ("2025-01", 745, 1, {}, "work_month.too_many"),
        ("2025-01", 1, 0, {}, "work_month.too_many"),
        ("2025-01", 1, -1, {}, "work_month.headcount"),
        ("2025-01", 1, 1, {"group": "guests"}, "work_month.group"),
    ],
)
def test_numbers_that_cannot_be_are_refused(
    database: Database, month: str, hours: float, headcount: int, more: dict[str, str], key: str
) -> None:
    with pytest.raises(AnjeonError) as refused:
        put(database, month, hours, headcount, **more)
    assert refused.value.key == key


def test_a_month_without_anybody_is_no_mistake(database: Database) -> None:
    assert put(database, "2025-08", 0, 0).hours == 0


def register(record: Database, first: str, last: str, start: str, reason: str = "") -> int | None:
    with record.transaction() as session:
        row = baselines.register(
            session,
            first_month=first,
            last_month=last,
            programme_start=start,
            groups="own",
            reason=reason,
            by="manager",
            at=NOON,
        )
        return row.id


def test_a_baseline_is_registered_once_and_changed_with_a_reason(database: Database) -> None:
    first = register(database, "2024-01", "2024-12", "2025-01")
    assert register(database, "2024-01", "2024-12", "2025-01") == first
    with pytest.raises(Invalid) as refused:
        register(database, "2023-01", "2024-12", "2025-01")
    assert refused.value.key == "baseline.reason"
    register(database, "2023-01", "2024-12", "2025-01", "2024 alone was an unusually bad year")
    with database.reading() as session:
        newest = baselines.newest(session)
        reasons = [row.reason for row in baselines.history(session)]
    assert newest is not None
    assert newest.first_month == "2023-01"
    assert reasons == ["", "2024 alone was an unusually bad year"]


@pytest.mark.parametrize(
    ("first", "last", "start", "key"),
    [
        ("2024-01", "2024-06", "2025-01", "baseline.length"),
        ("2024-12", "2024-01", "2025-01", "baseline.length"),
        ("2010-01", "2024-12", "2025-01", "baseline.length"),
        ("2024-01", "2024-12", "2024-12", "baseline.overlap"),
        ("2090-01", "2090-12", "2091-01", "baseline.future"),
        ("2024", "2024-12", "2025-01", "month.form"),
    ],
)
def test_a_window_that_cannot_be_compared_is_refused(
    database: Database, first: str, last: str, start: str, key: str
) -> None:
    with pytest.raises(AnjeonError) as refused:
        register(database, first, last, start)
    assert refused.value.key == key


def test_a_report_is_kept_and_replaced_only_with_a_reason(database: Database) -> None:
    def add(month: str, content: str, revision: int, reason: str = "") -> None:
        with database.transaction() as session:
            report_revisions.add(
                session,
                month=month,
                revision=revision,
                content=content,
                reason=reason,
                by="kim",
                at=NOON,
            )

    add("2025-10", "{}", 1)
    add("2025-11", '{"a":1}', 1)
    with pytest.raises(Invalid):
        add("2025-11", '{"a":2}', 2)
    with pytest.raises(Conflict):
        add("2025-11", '{"a":2}', 1)
    add("2025-11", '{"a":2}', 2, "an accident was reported late")
    with database.reading() as session:
        rows = report_revisions.newest_of_all(session)
        first = report_revisions.get(session, "2025-11", 1)
        newest = report_revisions.newest(session, "2025-11")
    assert [(row.month, row.revision) for row in rows] == [("2025-11", 2), ("2025-10", 1)]
    assert first is not None
    assert newest is not None
    assert (first.content, newest.content) == ('{"a":1}', '{"a":2}')


def test_a_site_has_one_identity(database: Database) -> None:
    with database.transaction() as session:
        drawn = report_revisions.identity(session).site_id
    with database.transaction() as session:
        assert report_revisions.identity(session).site_id == drawn
    assert len(drawn) == 32
