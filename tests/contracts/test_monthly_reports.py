"""The monthly report from the record, on every database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session

from safety.app.demo import demo_spec
from safety.demo.history import HistoryRefused, load_history
from safety.incidents.accident_entry import AccidentEntry
from safety.incidents.types import AccidentKind, Outcome, WorkerGroup
from safety.months import span
from safety.reports.monthly import Maker, ReportError, monthly_report, report_of, revised_report
from safety.reports.schema import MonthlyReport
from safety.site.spec import SiteSpec
from safety.store import accidents, coverage, report_revisions, work_months
from safety.store.database import Database
from safety.store.refusals import Invalid
from safety.store.tables import ViolationRow
from safety.types import CameraState

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def site() -> SiteSpec:
    return demo_spec()


def maker(site: SiteSpec, now: datetime = NOW) -> Maker:
    return Maker(site=site, now=now, by="manager")


@pytest.fixture
def record(database: Database, site: SiteSpec) -> Database:
    """A record with a short made-up history."""
    with database.transaction() as session:
        load_history(session, site, now=NOW, months=13, per_day=0.4)
    return database


def made(record: Database, site: SiteSpec, month: str, now: datetime = NOW) -> MonthlyReport:
    return monthly_report(record, maker(site, now), month)


def lost_time(day: date) -> AccidentEntry:
    return AccidentEntry(
        occurred_on=day,
        kind=AccidentKind.CAUGHT,
        outcome=Outcome.LOST_TIME,
        worker_group=WorkerGroup.OWN,
        lost_days=10,
    )


def test_a_closed_month_is_the_same_for_ever_until_it_is_revised(
    record: Database, site: SiteSpec
) -> None:
    first = made(record, site, "2026-10")
    with record.transaction() as session:
        accidents.add(session, lost_time(date(2026, 10, 5)), by="manager", at=NOW)
    again = made(record, site, "2026-10", NOW + timedelta(days=40))
    assert again == first
    revised = revised_report(record, maker(site), "2026-10", "an accident was reported late")
    assert (revised.revision, revised.revision_reason) == (2, "an accident was reported late")
    assert revised.accidents.month.accidents == first.accidents.month.accidents + 1
    assert made(record, site, "2026-10") == revised
    with record.reading() as session:
        kept = report_revisions.get(session, "2026-10", 1)
    assert kept is not None
    assert report_of(kept.content) == first


def test_a_month_that_is_not_over_is_kept_by_nobody(record: Database, site: SiteSpec) -> None:
    report = made(record, site, "2026-11")
    assert not report.closed
    with record.reading() as session:
        assert report_revisions.newest(session, "2026-11") is None
    with pytest.raises(ReportError):
        revised_report(record, maker(site), "2026-11", "a reason that is long enough")


def test_what_is_counted_adds_up(record: Database, site: SiteSpec) -> None:
    report = made(record, site, "2026-10")
    violations = report.violations
    assert violations.total == sum(tally.count for tally in violations.by_rule)
    assert violations.total == sum(tally.count for tally in violations.by_zone)
    assert violations.total == sum(map(sum, violations.by_hour))
    assert violations.total == report.alerts.raised > 0
    since, until = span("2026-10", maker(site).zone)
    hours = (until - since) / timedelta(hours=1)
    for camera in report.coverage:
        parts = camera.monitored_hours + camera.degraded_hours + camera.blind_hours
        assert parts + camera.unknown_hours == pytest.approx(hours, abs=0.05)
        assert camera.installed_hours == hours
    assert report.ppe is not None
    for shares in (report.ppe.by_zone, report.ppe.by_rule, report.ppe.by_shift, report.ppe.by_hour):
        worn = sum(one.worn_hours for one in shares)
        assert worn == pytest.approx(sum(one.worn_hours for one in report.ppe.overall), abs=0.01)
    told = {one.key: one for one in report.indicators if one.month == report.month}
    for one in report.ppe.overall:
        assert told[f"ppe.{one.item}"].value == one.share
        assert (one.lower or 1) < (one.share or 0) < (one.upper or 0)
    assert report.fictional
    assert report.notes[0] == "note.fictional"
    assert report.target.before is not None
    assert report.target.after is not None
    assert (report.target.before.months, report.target.after.months) == (12, 0 + 1)


def test_what_was_never_entered_is_unknown_and_not_zero(database: Database, site: SiteSpec) -> None:
    report = made(database, site, "2026-10")
    figures = report.accidents
    assert figures.month.hours is None
    for figure in (figures.frequency_rate, figures.injury_rate, figures.total_recordable_rate):
        assert (figure.cases, figure.value, figure.upper) == (0, None, None)
    assert figures.severity_rate.why == "figure.no_hours"
    assert (report.target.verdict, report.target.why) == ("not_enough_data", "target.no_baseline")
    assert all(camera.installed_hours == 0 for camera in report.coverage)
    assert [one.value for one in report.indicators if one.key == "violations"] == [None]


def test_a_camera_counts_from_the_day_it_was_first_seen(database: Database, site: SiteSpec) -> None:
    half = datetime(2026, 10, 15, 15, 0, tzinfo=UTC)  # midnight in Seoul
    with database.transaction() as session:
        coverage.save_interval(
            session,
            camera_id="robot-cell",
            state=CameraState.LIVE,
            reason="ok",
            started_at=half,
            seconds=10 * 86_400.0,
            is_open=False,
        )
    report = made(database, site, "2026-10")
    cameras = {camera.camera_id: camera for camera in report.coverage}
    assert cameras["robot-cell"].installed_hours == 16 * 24
    assert cameras["robot-cell"].monitored_hours == 10 * 24
    assert cameras["robot-cell"].unknown_hours == 6 * 24
    assert cameras["busy-hall"].installed_hours == 0


def violation(name: str, opened: datetime, **details: object) -> ViolationRow:
    return ViolationRow(
        id=name,
        revision=1,
        phase="closed",
        rule_id="robot-cell-intrusion",
        rule_revision=1,
        rule_kind="intrusion",
        camera_id="robot-cell",
        zone_id="robot-cell-floor",
        subject="t1",
        severity="danger",
        captured_at=opened,
        opened_at=opened,
        closed_at=opened,
        details=details,
    )


def test_months_begin_at_midnight_on_the_sites_wall(database: Database, site: SiteSpec) -> None:
    midnight = datetime(2026, 9, 30, 15, 0, tzinfo=UTC)
    with database.transaction() as session:
        session.add(violation("before", midnight - timedelta(seconds=1)))
        session.add(violation("first", midnight))
        session.add(violation("tried", midnight, shadow=True))
        session.add(violation("twice", midnight, same_as="first"))
    october, september = made(database, site, "2026-10"), made(database, site, "2026-09")
    assert (october.violations.total, october.violations.shadow) == (1, 1)
    assert september.violations.total == 1
    assert october.violations.by_hour[3][0] == 1  # Thursday, the hour after midnight
    assert september.violations.by_hour[2][23] == 1


def test_contractors_hours_count_only_where_the_baseline_says_so(
    database: Database, site: SiteSpec
) -> None:
    def put(session: Session, group: str, hours: float) -> None:
        work_months.put(
            session,
            month="2026-10",
            group=group,
            hours=hours,
            headcount=100,
            source="entered",
            by="manager",
            at=NOW,
        )

    with database.transaction() as session:
        put(session, "own", 16_000)
        put(session, "contractor", 2_000)
    assert made(database, site, "2026-10").accidents.month.hours == 16_000


@pytest.mark.parametrize("month", ["2026-12", "2030-01"])
def test_a_month_that_has_not_begun_has_no_report(
    database: Database, site: SiteSpec, month: str
) -> None:
    with pytest.raises(ReportError):
        made(database, site, month)


def test_a_correction_needs_a_reason(record: Database, site: SiteSpec) -> None:
    made(record, site, "2026-10")
    with pytest.raises(Invalid):
        revised_report(record, maker(site), "2026-10", "because")


def test_a_made_up_history_goes_into_an_empty_record_only(record: Database, site: SiteSpec) -> None:
    with pytest.raises(HistoryRefused), record.transaction() as session:
        load_history(session, site, now=NOW)
