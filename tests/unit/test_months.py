"""Months of a site's calendar."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from safety.months import MonthFault, checked_month, months_from, shifted, span


@pytest.mark.parametrize("text", ["", "2026", "2026-00", "2026-13", "26-11", "2026-1", "1989-12"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(MonthFault):
        checked_month(text)


@pytest.mark.parametrize(
    ("month", "months", "result"),
    [
        ("2026-11", 0, "2026-11"),
        ("2026-11", 2, "2027-01"),
        ("2026-01", -1, "2025-12"),
        ("2026-12", -24, "2024-12"),
    ],
)
def test_months_later_and_earlier(month: str, months: int, result: str) -> None:
    assert shifted(month, months) == result


def test_all_months_of_a_window() -> None:
    assert months_from("2025-11", "2026-02") == ("2025-11", "2025-12", "2026-01", "2026-02")
    assert months_from("2026-02", "2026-02") == ("2026-02",)
    assert months_from("2026-02", "2026-01") == ()


@pytest.mark.parametrize(
    ("month", "zone", "hours"),
    [
        ("2026-11", "Asia/Seoul", 720),
        ("2026-03", "Europe/Berlin", 743),
        ("2026-10", "Europe/Berlin", 745),
    ],
)
def test_a_month_is_as_long_as_its_clocks_say(month: str, zone: str, hours: int) -> None:
    start, end = span(month, ZoneInfo(zone))
    assert end - start == timedelta(hours=hours)
    assert span(shifted(month, 1), ZoneInfo(zone))[0] == end
