"""Whatever is missing or odd in the record: the report says so, and no number is made up."""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlmodel import Session

from safety.app.demo import demo_spec
from safety.errors import AnjeonError
from safety.incidents.accident_entry import AccidentEntry, check_entry
from safety.incidents.types import AccidentKind, Outcome, WorkerGroup
from safety.months import months_from
from safety.reports.monthly import Maker, current_report
from safety.reports.schema import MonthlyReport
from safety.reports.violations import violation_facts
from safety.reports.words import presented
from safety.site.spec import SiteSpec
from safety.store import accidents, baselines, coverage, work_months
from safety.store.database import Database
from safety.store.report_counts import ViolationCount
from safety.types import CameraState
from zones.plant import PlantSpec, ShiftSpec

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
SITE = demo_spec()
MONTHS = months_from("2025-01", "2026-10")


def hours(session: Session, month: str, worked: float = 10_000, heads: int = 60) -> None:
    work_months.put(
        session,
        month=month,
        group="own",
        hours=worked,
        headcount=heads,
        source="entered",
        by="manager",
        at=NOW,
    )


def all_hours(session: Session, *, without: str = "") -> None:
    for month in MONTHS:
        if month != without:
            hours(session, month)


def baseline(session: Session, first: str = "2025-01", last: str = "2025-12", **more: Any) -> None:
    baselines.register(
        session,
        first_month=first,
        last_month=last,
        programme_start="2026-01",
        groups="own",
        by="manager",
        at=NOW,
        **more,
    )


def accident(session: Session, day: str) -> None:
    accidents.add(session, entry(day), by="manager", at=NOW)


def entry(day: str) -> AccidentEntry:
    return AccidentEntry(
        occurred_on=date.fromisoformat(day),
        kind=AccidentKind.CAUGHT,
        outcome=Outcome.LOST_TIME,
        worker_group=WorkerGroup.OWN,
        lost_days=5.0,
    )


def nothing(session: Session) -> None:
    """An empty record."""


def no_accidents(session: Session) -> None:
    all_hours(session)
    baseline(session)


def a_month_without_hours(session: Session) -> None:
    all_hours(session, without="2026-03")
    baseline(session)
    accident(session, "2026-03-09")
    accident(session, "2025-03-09")


def no_hours_at_all(session: Session) -> None:
    baseline(session)
    accident(session, "2026-03-09")


def nobody_worked(session: Session) -> None:
    for month in MONTHS:
        hours(session, month, 0, 0)
    baseline(session)
    accident(session, "2026-03-09")


def heads_that_change(session: Session) -> None:
    for number, month in enumerate(MONTHS):
        hours(session, month, 100.0 * number, number)
    baseline(session)


def an_accident_before_the_site(session: Session) -> None:
    all_hours(session)
    baseline(session)
    accident(session, "1996-02-29")


def an_accident_that_lies_ahead(session: Session) -> None:
    all_hours(session)
    baseline(session)
    accident(session, "2031-01-01")


def a_baseline_over_another(session: Session) -> None:
    all_hours(session)
    baseline(session)
    baseline(session, "2024-07", "2025-12", reason="the first was entered wrongly")


def a_half_installed_camera(session: Session) -> None:
    coverage.save_interval(
        session,
        camera_id=SITE.cameras[0].id,
        state=CameraState.LIVE,
        reason="ok",
        started_at=datetime(2026, 10, 31, 14, 0, tzinfo=UTC),
        seconds=1_800.0,
        is_open=False,
    )


CASES: dict[Callable[[Session], None], Callable[[MonthlyReport], bool]] = {
    nothing: lambda r: r.target.why == "target.no_baseline" and r.accidents.month.hours is None,
    no_accidents: lambda r: (
        r.target.verdict == "not_enough_data"
        and r.target.ratio is None
        and r.accidents.frequency_rate.value == 0
        and (r.accidents.frequency_rate.upper or 0) > 0
    ),
    a_month_without_hours: lambda r: (
        r.target.after is not None
        and r.target.after.months_without_hours == ("2026-03",)
        and r.target.after.cases == 0
        and "note.months_left_out" in r.notes
    ),
    no_hours_at_all: lambda r: (
        r.target.why == "target.no_hours" and r.accidents.frequency_rate.value is None
    ),
    nobody_worked: lambda r: (
        r.target.why == "target.no_hours" and r.accidents.injury_rate.value is None
    ),
    heads_that_change: lambda r: r.accidents.month.headcount == len(MONTHS) - 1,
    an_accident_before_the_site: lambda r: (
        "note.before_hours" in r.notes
        and r.target.before is not None
        and r.target.before.cases == 0
        and r.months[0].month == "2025-01"
    ),
    an_accident_that_lies_ahead: lambda r: sum(row.accidents for row in r.months) == 0,
    a_baseline_over_another: lambda r: (
        r.target.baseline is not None
        and r.target.baseline.first_month == "2024-07"
        and [old.first_month for old in r.target.baseline.changes] == ["2025-01"]
        and "note.baseline_changed" in r.notes
        and r.target.before is not None
        and len(r.target.before.months_without_hours) == 6
    ),
    a_half_installed_camera: lambda r: (
        [camera.installed_hours for camera in r.coverage if camera.monitored_hours] == [1.0]
        and all(camera.monitored_hours <= camera.installed_hours for camera in r.coverage)
    ),
}


@pytest.mark.parametrize("odd", CASES, ids=lambda odd: odd.__name__)
def test_the_report_says_what_is_odd_and_makes_nothing_up(
    sqlite_database: Database, odd: Callable[[Session], None]
) -> None:
    with sqlite_database.transaction() as session:
        odd(session)
    report = current_report(sqlite_database, Maker(site=SITE, now=NOW, by="test"), "2026-10")
    assert CASES[odd](report)
    assert all(math.isfinite(number) for number in numbers(report.model_dump()))
    for language in ("ko", "en"):
        said = str(presented(report, language)).lower()
        assert "nan" not in said.replace("maintenance", "")
        assert "infinity" not in said
        assert "note." not in said


def numbers(part: object) -> Iterator[float]:
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list | tuple):
        for each in part:
            yield from numbers(each)
    elif isinstance(part, float):
        yield part


@pytest.mark.parametrize(
    ("odd", "key"),
    [
        (lambda s: hours(s, "2026-10", -1), "work_month.hours"),
        (lambda s: hours(s, "2026-10", math.nan), "work_month.hours"),
        (lambda s: hours(s, "2026-10", 60 * 745, 60), "work_month.too_many"),
        (lambda s: hours(s, "2027-01"), "work_month.future"),
        (lambda s: baseline(s, "2025-06", "2026-06"), "baseline.overlap"),
        (lambda s: baseline(s, "2025-01", "2025-06"), "baseline.length"),
    ],
)
def test_what_cannot_be_is_not_entered(
    sqlite_database: Database, odd: Callable[[Session], None], key: str
) -> None:
    with pytest.raises(AnjeonError) as refused, sqlite_database.transaction() as session:
        odd(session)
    assert refused.value.key == key


@pytest.mark.parametrize("day", ["2026-11-21", "1989-12-31"])
def test_an_accident_of_tomorrow_or_of_another_age_is_not_entered(day: str) -> None:
    assert "occurred_on" in check_entry(entry(day), today=date(2026, 11, 20))


@pytest.mark.parametrize(
    ("opened", "shift"),
    [
        (datetime(2026, 10, 24, 21, 30, tzinfo=UTC), "night"),  # 23:30, summer time
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "night"),  # 2:30 for the first time
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "night"),  # 2:30 for the second time
        (datetime(2026, 10, 25, 4, 59, tzinfo=UTC), "night"),  # 5:59, winter time
        (datetime(2026, 10, 25, 5, 0, tzinfo=UTC), "outside_shifts"),
    ],
)
def test_a_night_shift_over_the_end_of_summer_time(opened: datetime, shift: str) -> None:
    night = ShiftSpec(
        id="night", name="Night", start=time(22, 0), end=time(6, 0), days=("sat", "sun")
    )
    site = SITE.model_copy(
        update={"timezone": "Europe/Berlin", "plant": PlantSpec(shifts=(night,))}
    )
    found = violation_facts([count(site, opened)], site, {})
    assert [tally.key for tally in found.by_shift] == [shift]
    assert [tally.rate for tally in found.by_rule] == [None]
    assert sum(map(sum, found.by_hour)) == 1


def count(site: SiteSpec, opened: datetime) -> ViolationCount:
    return ViolationCount(
        rule_id=site.rules[0].id,
        rule_kind=site.rules[0].kind,
        zone_id=None,
        shadow=False,
        from_at=opened,
        count=1,
    )
