"""The calendar of shifts: days, midnights, holidays and clocks that change."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from zones.plant import Day, ShiftSpec
from zones.shifts import active

EVERY_DAY: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def shift(shift_id: str, start: str, end: str, **fields: Any) -> ShiftSpec:
    return ShiftSpec(
        id=shift_id,
        name=shift_id,
        start=time.fromisoformat(start),
        end=time.fromisoformat(end),
        **fields,
    )


DAY = shift("day", "08:00", "17:00")
NIGHT = shift("night", "22:00", "06:00")


def at(local: str, timezone: str = "Asia/Seoul", fold: int = 0) -> float:
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(timezone), fold=fold).timestamp()


@pytest.mark.parametrize(
    ("local", "on"),
    [
        pytest.param("2026-11-18 07:59:59", set(), id="a second before it begins"),
        pytest.param("2026-11-18 08:00", {"day"}, id="when it begins"),
        pytest.param("2026-11-18 16:59:59", {"day"}, id="its last second"),
        pytest.param("2026-11-18 17:00", set(), id="when it ends"),
        pytest.param("2026-11-18 23:00", {"night"}, id="before midnight"),
        pytest.param("2026-11-19 05:59", {"night"}, id="after midnight"),
        pytest.param("2026-11-19 06:00", set(), id="the morning after"),
        pytest.param("2026-11-21 12:00", set(), id="Saturday"),
        pytest.param("2026-11-21 03:00", {"night"}, id="Friday's night goes on into Saturday"),
        pytest.param("2026-11-23 03:00", set(), id="Sunday has no night to go on into Monday"),
        pytest.param("2026-09-25 12:00", set(), id="Chuseok"),
        pytest.param("2026-03-02 12:00", set(), id="substitute for Independence Day"),
        pytest.param("2027-02-09 12:00", set(), id="substitute for Lunar New Year"),
        pytest.param("2026-06-03 12:00", set(), id="an election"),
        pytest.param("2026-09-24 03:00", {"night"}, id="a night that goes on into Chuseok"),
        pytest.param("2026-12-26 03:00", set(), id="a night that would have begun at Christmas"),
    ],
)
def test_on_working_days_in_seoul(local: str, on: set[str]) -> None:
    assert active([DAY, NIGHT], at(local), "Asia/Seoul") == on


def test_a_shift_that_holds_on_holidays_too() -> None:
    watch = shift("watch", "00:00", "00:00", days=EVERY_DAY, on_holidays=True)
    assert active([watch, DAY], at("2026-09-25 12:00"), "Asia/Seoul") == {"watch"}


@pytest.mark.parametrize(
    ("local", "fold", "on"),
    [
        pytest.param("2026-03-29 01:30", 0, True, id="before the hour that is left out"),
        pytest.param("2026-03-29 03:30", 0, True, id="after it"),
        pytest.param("2026-03-29 06:00", 0, False, id="ends by the clock on the wall"),
        pytest.param("2026-10-25 02:30", 0, True, id="the first time that it is half past two"),
        pytest.param("2026-10-25 02:30", 1, True, id="and the second"),
        pytest.param("2026-10-25 05:59", 0, True, id="its last minute"),
    ],
)
def test_a_night_on_which_clocks_change(local: str, fold: int, on: bool) -> None:
    nightly = shift("night", "22:00", "06:00", days=EVERY_DAY)
    moment = at(local, "Europe/Berlin", fold)
    assert (active([nightly], moment, "Europe/Berlin", ()) == {"night"}) is on


def test_a_beginning_that_the_clock_leaves_out_is_when_it_would_have_been() -> None:
    early = shift("early", "02:30", "10:00", days=EVERY_DAY)
    half_past = at("2026-03-29 03:30", "Europe/Berlin")
    assert active([early], half_past - 1, "Europe/Berlin", ()) == set()
    assert active([early], half_past, "Europe/Berlin", ()) == {"early"}


def test_an_hour_that_comes_twice_belongs_to_the_shift_that_ends_in_it() -> None:
    late = shift("late", "18:00", "02:30", days=EVERY_DAY)
    again = at("2026-10-25 02:15", "Europe/Berlin", fold=1)
    assert active([late], again, "Europe/Berlin", ()) == {"late"}


@given(
    st.times(),
    st.times(),
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 12, 31)),  # noqa: DTZ001
    st.sampled_from(["Asia/Seoul", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_two_shifts_that_share_the_day_leave_no_gap(
    one: time, other: time, moment: datetime, timezone: str
) -> None:
    """Hand-over at the same time on the wall: somebody is always on, whatever clocks do."""
    shifts = [
        ShiftSpec(id="a", name="a", start=one, end=other, days=EVERY_DAY),
        ShiftSpec(id="b", name="b", start=other, end=one, days=EVERY_DAY),
    ]
    assert active(shifts, moment.replace(tzinfo=ZoneInfo(timezone)).timestamp(), timezone, ())


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"days": []}, id="no day"),
        pytest.param({"days": ["funday"]}, id="no such day"),
        pytest.param({"start": "08:00+09:00"}, id="a time zone of its own"),
        pytest.param({"end": "25:00"}, id="no such time"),
    ],
)
def test_what_is_no_shift(fields: dict[str, Any]) -> None:
    good = {"id": "day", "name": "Day", "start": "08:00", "end": "17:00"}
    with pytest.raises(ValidationError):
        ShiftSpec.model_validate(good | fields)
