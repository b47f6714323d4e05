"""Which level a siren should show, for reports in any order."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.base import QuietWhen, SirenLevel
from alerts.episodes import Attention, Episodes
from safety.types import Severity, Violation
from tests.support.violations import START, cleared, opened, updated

OFF, WARNING, DANGER = SirenLevel.OFF, SirenLevel.WARNING, SirenLevel.DANGER


def level_after(
    *reports: Violation, seconds: float = 0.0, channels: tuple[str, ...] | None = None
) -> SirenLevel:
    episodes = Episodes(stale_after_s=60.0)
    for report in reports:
        episodes.report(report, channels)
    return episodes.wanted("siren", START.shifted(seconds)).level


@pytest.mark.parametrize(
    ("severity", "level"),
    [(Severity.INFO, OFF), (Severity.WARNING, WARNING), (Severity.DANGER, DANGER)],
)
def test_severity_decides_the_level(severity: Severity, level: SirenLevel) -> None:
    assert level_after(replace(opened(), severity=severity)) is level


@pytest.mark.parametrize(
    ("channels", "level"),
    [(None, DANGER), (("siren", "other"), DANGER), (("other",), OFF), ((), OFF)],
)
def test_a_rule_chooses_its_sirens(channels: tuple[str, ...] | None, level: SirenLevel) -> None:
    assert level_after(opened(), channels=channels) is level


def test_the_worst_of_several_counts() -> None:
    mild = replace(opened("v2"), severity=Severity.WARNING)
    assert level_after(mild, opened("v1")) is DANGER
    assert level_after(mild, opened("v1"), cleared(opened("v1"))) is WARNING


def test_quiet_once_it_is_over_and_a_late_report_does_not_sound_again() -> None:
    first = opened()
    assert level_after(first, cleared(first)) is OFF
    assert level_after(first, cleared(first), updated(first)) is OFF
    assert level_after(cleared(first), first) is OFF


def test_acknowledged_stays_silent_while_it_lasts() -> None:
    episodes = Episodes(stale_after_s=60.0)
    violation = opened()
    episodes.report(violation, None)
    episodes.attend(violation.id, Attention.SEEN, START)
    for _ in range(3):
        violation = updated(violation)
        episodes.report(violation, None)
        assert episodes.wanted("siren", START.shifted(3)).level is OFF


@pytest.mark.parametrize(
    ("quiet_when", "severity", "seen", "dismissed"),
    [
        ("acknowledged", Severity.DANGER, OFF, OFF),
        ("light", Severity.DANGER, WARNING, OFF),
        ("light", Severity.WARNING, WARNING, OFF),
        ("light", Severity.INFO, OFF, OFF),
        ("over", Severity.DANGER, DANGER, OFF),
        ("over", Severity.WARNING, WARNING, OFF),
    ],
)
def test_what_people_say_of_it_does_what_the_channel_is_set_to(
    quiet_when: QuietWhen, severity: Severity, seen: SirenLevel, dismissed: SirenLevel
) -> None:
    episodes = Episodes(stale_after_s=60.0)
    episodes.report(replace(opened(), severity=severity), None)
    for said, level in (
        (Attention.SEEN, seen),
        (Attention.DISMISSED, dismissed),
        (Attention.SEEN, dismissed),
    ):
        episodes.attend("v1", said, START)
        assert episodes.wanted("siren", START, quiet_when=quiet_when).level is level
    episodes.report(replace(opened("v2"), severity=Severity.DANGER), None)
    assert episodes.wanted("siren", START, quiet_when=quiet_when).level is DANGER


def test_acknowledged_before_the_first_report_is_silent_too() -> None:
    episodes = Episodes(stale_after_s=60.0)
    episodes.attend("v1", Attention.SEEN, START)
    episodes.report(opened("v1"), None)
    assert episodes.wanted("siren", START).level is OFF


@pytest.mark.parametrize(
    ("age_s", "level"),
    [(0.0, DANGER), (59.0, DANGER), (61.0, OFF), (-4.0, DANGER), (-3600.0, OFF)],
    ids=["new", "still", "nobody reports it any more", "clocks differ a little", "other boot"],
)
def test_only_what_is_reported_now_sounds(age_s: float, level: SirenLevel) -> None:
    assert level_after(opened(), seconds=age_s) is level


def test_a_new_report_revives_what_had_gone_stale() -> None:
    first = opened()
    assert level_after(first, updated(first, 100.0), seconds=100.0) is DANGER


def test_what_ended_is_forgotten_in_the_end() -> None:
    episodes = Episodes(stale_after_s=60.0)
    episodes.report(opened("v1"), None)
    episodes.attend("never-reported", Attention.SEEN, START)
    assert episodes.forget_old(START.shifted(595)) == []
    assert episodes.forget_old(START.shifted(601)) == ["v1"]


@given(st.permutations(range(5)), st.lists(st.integers(0, 4), max_size=6))
def test_the_order_of_reports_does_not_matter_once_all_are_there(
    order: list[int], repeats: list[int]
) -> None:
    reports = [opened()]
    for _ in range(3):
        reports.append(updated(reports[-1]))
    reports.append(cleared(reports[-1]))
    assert level_after(*(reports[i] for i in [*order, *repeats]), seconds=5.0) is OFF
