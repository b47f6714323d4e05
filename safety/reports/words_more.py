"""The report's sections on incidents, indicators, coverage, alerts, changes and method."""

from safety.reports.presented import Cell, Section, table
from safety.reports.schema import Change, Indicator, MonthlyReport
from safety.reports.wording import Wording, text

_SHOWN_MONTHS = 6


def incident_section(report: MonthlyReport, words: Wording) -> Section:
    """Incidents with causes and corrective actions."""
    say = words.say
    incidents = table(
        "incidents",
        say("report.table.incidents"),
        (
            ("number", say("report.col.number"), True),
            ("day", say("report.col.day"), False),
            ("kind", say("report.col.kind"), False),
            ("place", say("report.col.place"), False),
            ("summary", say("report.col.summary"), False),
            ("causes", say("report.col.causes"), False),
            ("state", say("report.col.state"), False),
        ),
        [
            (
                words.cell(one.number, 0),
                text(words.day(one.occurred_on)),
                text(say(f"incident.kind.{one.kind}")),
                text(one.place),
                text(one.summary),
                text(" / ".join(one.causes)),
                text(say(f"incident.state.{one.state}")),
            )
            for one in report.incidents
        ],
    )
    actions = table(
        "actions",
        say("report.table.actions"),
        (
            ("number", say("report.col.number"), True),
            ("action", say("report.col.action"), False),
            ("control", say("report.col.control"), False),
            ("due", say("report.col.due"), False),
            ("done", say("report.col.done"), False),
            ("state", say("report.col.state"), False),
        ),
        [
            (
                words.cell(one.number, 0),
                text(action.text),
                text(say(f"incident.control.{action.control}")),
                text(words.day(action.due_on)),
                text(words.day(action.done_on)),
                text(
                    say("report.overdue")
                    if action.overdue
                    else say(f"incident.action_state.{action.state}")
                ),
            )
            for one in report.incidents
            for action in one.actions
        ],
    )
    none = () if report.incidents else (say("report.no_incidents"),)
    return Section(
        key="incidents",
        title=say("report.section.incidents"),
        sentences=none,
        tables=(incidents, actions) if report.incidents else (),
    )


def indicator_section(report: MonthlyReport, words: Wording) -> Section:
    """Leading indicators of the last months side by side."""
    say = words.say
    months = sorted({one.month for one in report.indicators})[-_SHOWN_MONTHS:]
    known = {(one.key, one.month): one for one in report.indicators}
    keys = list(dict.fromkeys(one.key for one in report.indicators))
    return Section(
        key="indicators",
        title=say("report.section.indicators"),
        sentences=(say("report.indicators.note"),),
        tables=(
            table(
                "indicators",
                say("report.table.indicators"),
                [
                    ("name", say("report.col.indicator"), False),
                    *((month, month, True) for month in months),
                    ("interval", say("report.col.interval"), True),
                ],
                [
                    (
                        text(_indicator_name(key, words)),
                        *(_indicator(known.get((key, month)), words) for month in months),
                        text(_interval(known.get((key, report.month)), words)),
                    )
                    for key in keys
                ],
            ),
        ),
    )


def coverage_section(report: MonthlyReport, words: Wording) -> Section:
    """How long each camera really watched, and why not."""
    say = words.say
    rows = [
        (
            text(one.name),
            words.cell(one.installed_hours, 1),
            words.cell(one.monitored_hours, 1),
            words.cell(one.degraded_hours, 1),
            words.cell(one.blind_hours, 1),
            words.cell(one.unknown_hours, 1),
            words.percent(
                one.monitored_hours / one.installed_hours if one.installed_hours else None,
                formula='IF({installed}>0,{monitored}/{installed},"")',
            ),
            text(
                ", ".join(
                    f"{say(f'reason.{why.reason}')} {words.number(why.hours, 1)} h"
                    for why in one.reasons
                )
            ),
        )
        for one in report.coverage
    ]
    return Section(
        key="coverage",
        title=say("report.section.coverage"),
        sentences=(say("report.coverage.note"),),
        tables=(
            table(
                "coverage",
                say("report.table.coverage"),
                (
                    ("camera", say("report.col.camera"), False),
                    ("installed", say("report.col.installed"), True),
                    ("monitored", say("report.col.monitored"), True),
                    ("degraded", say("report.col.degraded"), True),
                    ("blind", say("report.col.blind"), True),
                    ("unknown", say("report.col.unknown"), True),
                    ("share", say("report.col.share"), True),
                    ("reasons", say("report.col.reasons"), False),
                ),
                rows,
            ),
        ),
    )


def alert_section(report: MonthlyReport, words: Wording) -> Section:
    """What became of alerts and notices."""
    say, facts = words.say, report.alerts
    judged = facts.confirmed + facts.false_alarms
    rows = [
        (text(say(f"report.alerts.{name}")), words.cell(value, digits))
        for name, value, digits in (
            ("raised", facts.raised, 0),
            ("acknowledged", facts.acknowledged, 0),
            ("median", facts.median_acknowledge_s, 1),
            ("confirmed", facts.confirmed, 0),
            ("false", facts.false_alarms, 0),
            ("deliveries", facts.deliveries, 0),
            ("delivered", facts.delivered, 0),
            ("late", facts.late, 0),
            ("given_up", facts.given_up, 0),
        )
    ]
    false_share = facts.false_alarms / judged if judged else None
    return Section(
        key="alerts",
        title=say("report.section.alerts"),
        sentences=(
            say(
                "report.alerts.note",
                share=words.share(false_share),
                judged=words.number(judged, 0),
                raised=words.number(facts.raised, 0),
            ),
        ),
        tables=(
            table(
                "alerts",
                say("report.table.alerts"),
                (
                    ("name", say("report.col.what"), False),
                    ("value", say("report.col.value"), True),
                ),
                rows,
            ),
        ),
    )


def change_section(report: MonthlyReport, words: Wording) -> Section:
    """What was changed: figures before and after are not the same thing."""
    say = words.say
    return Section(
        key="changes",
        title=say("report.section.changes"),
        sentences=(say("report.changes.note" if report.changes else "report.changes.none"),),
        tables=(
            table(
                "changes",
                say("report.table.changes"),
                (
                    ("at", say("report.col.time"), False),
                    ("kind", say("report.col.kind"), False),
                    ("subject", say("report.col.subject"), False),
                    ("what", say("report.col.what"), False),
                ),
                [_change(change, words) for change in report.changes],
            ),
        )
        if report.changes
        else (),
    )


def method_section(report: MonthlyReport, words: Wording) -> Section:
    """How the figures were made, and what they cannot say."""
    return Section(
        key="method",
        title=words.say("report.section.method"),
        sentences=tuple(words.say(note) for note in report.notes),
    )


def _change(change: Change, words: Wording) -> tuple[Cell, ...]:
    say = words.say
    what = say(f"report.change.{change.what}")
    return (
        text(words.moment(change.at)),
        text(say(f"report.changed.{change.kind}")),
        text(change.subject),
        text(change.what if what.startswith("report.change.") else what),
    )


def _indicator_name(key: str, words: Wording) -> str:
    group, _, kind = key.partition(".")
    if group in {"ppe", "ppe_unknown"}:
        return words.say(f"report.indicator.{group}", item=words.say(f"ppe.{kind}"))
    if kind:
        return words.say("report.indicator.of_kind", kind=words.say(f"rules.kind.{kind}"))
    return words.say(f"report.indicator.{group}")


def _indicator(one: Indicator | None, words: Wording) -> Cell:
    if one is None:
        return words.cell(None)
    return words.percent(one.value) if one.unit == "share" else words.cell(one.value)


def _interval(one: Indicator | None, words: Wording) -> str:
    if one is None or one.lower is None or one.upper is None:
        return words.between(None, None)
    if one.unit == "share":
        return words.share_interval(one.lower, one.upper)
    return words.between(one.lower, one.upper)
