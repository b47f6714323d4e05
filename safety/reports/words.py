"""A monthly report in Korean or English."""

from safety.reports.presented import Headline, Presented
from safety.reports.schema import MonthlyReport
from safety.reports.wording import Wording
from safety.reports.words_more import (
    alert_section,
    change_section,
    coverage_section,
    incident_section,
    indicator_section,
    method_section,
)
from safety.reports.words_ppe import ppe_section
from safety.reports.words_target import accident_section, explained, target_section
from safety.reports.words_violations import tallies, violation_section

_SHOWN_DANGERS = 3


def presented(report: MonthlyReport, language: str) -> Presented:
    """All words and numbers of a report, for whatever shows it."""
    words = Wording(language, report.site.timezone)
    say = words.say
    return Presented(
        language=language,
        title=say("report.title"),
        site=report.site.name,
        month=words.month(report.month),
        made=_made(report, words),
        made_at=report.revised_at,
        warning=" ".join(say(f"report.{key}") for key in _warnings(report)),
        watermark=" ".join(say(f"report.mark.{key}") for key in _warnings(report)[:1]),
        position=say("footer.supplementary"),
        verdict=say(f"kpi.verdict.{report.target.verdict}"),
        explained=tuple(explained(report, words)),
        headlines=_headlines(report, words),
        main=tallies("dangers", report.violations.by_rule[:_SHOWN_DANGERS], words, rated=True),
        sections=(
            target_section(report, words),
            accident_section(report, words),
            incident_section(report, words),
            violation_section(report, words),
            indicator_section(report, words),
            ppe_section(report, words),
            coverage_section(report, words),
            alert_section(report, words),
            change_section(report, words),
            method_section(report, words),
        ),
        signatures=(say("report.sign.manager"), say("report.sign.workers")),
    )


def _made(report: MonthlyReport, words: Wording) -> str:
    made = words.say("report.made", at=words.moment(report.revised_at), software=report.software)
    if report.revision == 1:
        return made
    revised = words.say(
        "report.revision", revision=report.revision, reason=report.revision_reason or ""
    )
    return f"{made} {revised}"


def _warnings(report: MonthlyReport) -> list[str]:
    """Why nobody should take the report for a final one of a real plant."""
    return ["fictional"] * report.fictional + ["not_closed"] * (not report.closed)


def _headlines(report: MonthlyReport, words: Wording) -> tuple[Headline, ...]:
    say, accidents = words.say, report.accidents
    monitored = sum(camera.monitored_hours for camera in report.coverage)
    installed = sum(camera.installed_hours for camera in report.coverage)
    overdue = sum(action.overdue for one in report.incidents for action in one.actions)
    rate = accidents.frequency_rate
    return (
        Headline(
            label=say("report.head.accidents"),
            text=words.number(accidents.month.accidents, 0),
            note=say(
                "report.head.accidents_note",
                year=words.number(accidents.year_to_date.accidents, 0),
                days=words.number(accidents.year_to_date.lost_days, 1),
            ),
        ),
        Headline(
            label=say("report.head.frequency"),
            text=words.number(rate.value, 2),
            note=say("report.head.frequency_note", interval=words.interval(rate)),
        ),
        Headline(
            label=say("report.head.violations"),
            text=words.number(report.violations.total, 0),
            note=say("report.head.violations_note", hours=words.number(monitored, 0)),
        ),
        Headline(
            label=say("report.head.coverage"),
            text=words.share(monitored / installed if installed else None),
            note=say("report.head.coverage_note", hours=words.number(installed, 0)),
        ),
        Headline(
            label=say("report.head.overdue"),
            text=words.number(overdue, 0),
            note=say("report.head.overdue_note", incidents=len(report.incidents)),
        ),
    )
