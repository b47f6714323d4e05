"""Shares of protective equipment in a month: by zone, rule, shift and hour, over days."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from safety.app.demo import demo_spec
from safety.months import span
from safety.reports.indicators import MonthFacts, indicators
from safety.reports.ppe import ppe_facts, worn_shares
from safety.reports.schema import PpeFacts, PpeShare
from safety.site.spec import SiteSpec
from safety.store import ppe_hours
from safety.store.database import Database
from safety.store.ppe_hours import PpeAmount, PpeKey
from tests.support.reports import report_of
from zones.plant import PlantSpec, ShiftSpec

NIGHT = ShiftSpec(
    id="night",
    name="Night",
    start=time(22, 0),
    end=time(6, 0),
    days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
)
SITE = demo_spec().model_copy(update={"plant": PlantSpec(shifts=(NIGHT,))})


def hour(day: int, at: int) -> datetime:
    """An hour of November 2026 in Korea, which has no summer time."""
    return datetime(2026, 11, day, tzinfo=UTC) + timedelta(hours=at - 9)


def amount(worn: float, missing: float, unknown: float = 0.0, stays: int = 10) -> PpeAmount:
    return PpeAmount(
        zone_id="hall-cell", worn_s=worn, missing_s=missing, unknown_s=unknown, stays=stays
    )


def facts(record: Database, site: SiteSpec = SITE, month: str = "2026-11") -> PpeFacts:
    zone = ZoneInfo(site.timezone)
    since, until = span(month, zone)
    with record.reading() as session:
        overall = worn_shares(session, zone, since=since, until=until)
        return ppe_facts(session, site, overall, since=since, until=until)


def put(record: Database, at: datetime, what: PpeAmount, *, rule: str = "hats") -> None:
    with record.transaction() as session:
        ppe_hours.add(session, {PpeKey(at, "busy-hall", rule, "hardhat"): what})


def test_shares_leave_out_what_nobody_could_tell(sqlite_database: Database) -> None:
    for day in range(2, 12):
        put(sqlite_database, hour(day, 9), amount(3000, 600 + day, 1200))
    (found,) = facts(sqlite_database).overall
    assert found.share == pytest.approx(30_000 / 36_065, abs=1e-4)
    assert found.unknown_hours == pytest.approx(12_000 / 3600, abs=1e-3)
    assert (found.days, found.stays) == (10, 100)
    assert (found.lower or 1) < (found.share or 0) < (found.upper or 0)


def test_few_days_have_a_share_and_no_interval(sqlite_database: Database) -> None:
    put(sqlite_database, hour(2, 9), amount(10, 0))
    put(sqlite_database, hour(3, 9), amount(0, 0, 600, stays=0))
    (found,) = facts(sqlite_database).overall
    assert (found.share, found.lower, found.upper, found.days) == (1.0, None, None, 1)


def test_nothing_that_could_be_told_has_no_share(sqlite_database: Database) -> None:
    put(sqlite_database, hour(2, 9), amount(0, 0, 600, stays=0))
    (found,) = facts(sqlite_database).overall
    assert (found.share, found.lower, found.days) == (None, None, 0)
    assert facts(sqlite_database, month="2026-10").overall == ()


def test_a_night_shift_goes_on_after_midnight_and_hours_are_the_sites(
    sqlite_database: Database,
) -> None:
    put(sqlite_database, hour(2, 23), amount(60, 0))
    put(sqlite_database, hour(3, 5), amount(60, 0))
    put(sqlite_database, hour(3, 6), amount(0, 60))
    found = facts(sqlite_database)
    shifts = {one.key: (one.name, one.share) for one in found.by_shift}
    assert shifts == {"night": ("Night", 1.0), "outside_shifts": ("outside_shifts", 0.0)}
    assert [one.key for one in found.by_hour] == ["05", "06", "23"]
    assert [one.name for one in found.by_zone] == [
        zone.name for zone in SITE.zones if zone.id == "hall-cell"
    ]


def test_where_clocks_change_no_hour_is_lost_and_none_counts_twice(
    sqlite_database: Database,
) -> None:
    berlin = SITE.model_copy(update={"timezone": "Europe/Berlin"})
    first = datetime(2026, 10, 24, 22, tzinfo=UTC)
    for number in range(25):  # the Sunday on which the hour from two to three comes twice
        put(sqlite_database, first + timedelta(hours=number), amount(60, 0))
    found = facts(sqlite_database, berlin, "2026-10")
    assert found.overall[0].days == 1
    hours = {one.key: one.worn_hours for one in found.by_hour}
    assert len(hours) == 24
    assert hours["02"] == pytest.approx(2 * hours["03"], abs=1e-3)
    night = next(one for one in found.by_shift if one.key == "night")
    assert night.worn_hours == pytest.approx(9 / 60, abs=1e-3)


def test_rules_are_added_up_by_item(sqlite_database: Database) -> None:
    put(sqlite_database, hour(2, 9), amount(60, 0))
    put(sqlite_database, hour(2, 9), amount(0, 60), rule="gone-by-now")
    found = facts(sqlite_database)
    assert found.overall[0].share == 0.5
    assert {one.name: one.share for one in found.by_rule} == {"hats": 1.0, "gone-by-now": 0.0}


def test_the_indicator_has_the_doubt_beside_it() -> None:
    plain = report_of(1)
    worn = PpeShare(
        key="hardhat",
        name="hardhat",
        item="hardhat",
        worn_hours=3,
        missing_hours=1,
        unknown_hours=4,
        days=9,
        stays=30,
        share=0.75,
        lower=0.6,
        upper=0.9,
    )
    found = indicators(
        MonthFacts(
            month="2026-11",
            violations=plain.violations,
            coverage=plain.coverage,
            alerts=plain.alerts,
            near_misses=0,
            closing_days=(),
            worked_hours=None,
            worn=(worn,),
        )
    )
    by_key = {one.key: one for one in found}
    share, doubt = by_key["ppe.hardhat"], by_key["ppe_unknown.hardhat"]
    assert (share.value, share.lower, share.denominator) == (0.75, 0.6, 4)
    assert (doubt.value, doubt.denominator) == (0.5, 8)
