"""The monthly report by itself: on the first working day, once, and people are told."""

from datetime import UTC, date, datetime

import pytest

from alerts.notices import SiteContext
from safety.app.demo import demo_spec
from safety.engine.reporting import first_working_day, report_if_due
from safety.i18n import translator
from safety.store import alert_lists, baselines, outbox, report_revisions, work_months
from safety.store.database import Database

SITE = demo_spec()
CONTEXT = SiteContext(name="Works", timezone="Asia/Seoul", language="ko", messengers=("log",))


def seoul(day: int, hour: int) -> datetime:
    """A time of November 2026 in Seoul: the 1st is a Sunday."""
    return datetime(2026, 11, day, hour - 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "first"),
    [
        (date(2026, 11, 20), date(2026, 11, 2)),
        (date(2026, 1, 5), date(2026, 1, 2)),
        (date(2027, 2, 1), date(2027, 2, 1)),
        (date(2026, 10, 31), date(2026, 10, 1)),
        (date(2026, 5, 5), date(2026, 5, 4)),
        (date(2026, 3, 9), date(2026, 3, 3)),
    ],
)
def test_the_first_working_day(day: date, first: date) -> None:
    assert first_working_day(day) == first


def look(database: Database, now: datetime) -> bool:
    return report_if_due(database, site=SITE, context=CONTEXT, now=now)


def register(database: Database) -> None:
    with database.transaction() as session:
        baselines.register(
            session,
            first_month="2025-01",
            last_month="2025-12",
            programme_start="2026-01",
            groups="own",
            by="manager",
            at=seoul(1, 12),
        )


def enter_hours(database: Database) -> None:
    with database.transaction() as session:
        work_months.put(
            session,
            month="2026-10",
            group="own",
            hours=9_000,
            headcount=60,
            source="entered",
            by="manager",
            at=seoul(1, 12),
        )


def test_it_is_made_on_the_first_working_morning_and_told_once(
    sqlite_database: Database,
) -> None:
    register(sqlite_database)
    enter_hours(sqlite_database)
    assert not look(sqlite_database, seoul(1, 12))
    assert not look(sqlite_database, datetime(2026, 11, 1, 21, 0, tzinfo=UTC))  # 6:00
    assert look(sqlite_database, seoul(2, 9))
    assert not look(sqlite_database, seoul(2, 10))
    assert not look(sqlite_database, seoul(20, 10))
    with sqlite_database.reading() as session:
        (alert,) = alert_lists.list_alerts(session)
        (notice,) = outbox.of_alert(session, alert.id)
        kept = report_revisions.newest(session, "2026-10")
    assert (alert.kind, alert.params["month"], notice.channel_id) == (
        "report_ready",
        "2026-10",
        "log",
    )
    assert kept is not None
    for language in ("ko", "en"):
        sentence = translator(language)(alert.message_key, **alert.params)
        assert "2026-10" in sentence
        assert "{" not in sentence


def test_a_site_without_a_baseline_is_left_in_peace(sqlite_database: Database) -> None:
    assert not look(sqlite_database, seoul(2, 9))


def test_a_report_without_its_hours_is_not_kept_and_follows_them(
    sqlite_database: Database,
) -> None:
    register(sqlite_database)
    assert look(sqlite_database, seoul(2, 9))
    assert not look(sqlite_database, seoul(2, 10))
    with sqlite_database.reading() as session:
        (asked,) = alert_lists.list_alerts(session)
        assert report_revisions.newest(session, "2026-10") is None
    assert asked.kind == "hours_missing"
    for language in ("ko", "en"):
        assert "2026-10" in translator(language)(f"alert.title.{asked.kind}", **asked.params)
    enter_hours(sqlite_database)
    assert look(sqlite_database, seoul(5, 14))
    with sqlite_database.reading() as session:
        kept = report_revisions.newest(session, "2026-10")
    assert kept is not None
    assert '"hours":9000.0' in kept.content
