"""A monthly report in Korean or English."""

from safety.kpi.verdict import Verdict
from safety.reports.presented import Cell, Headline, Plot, Presented, Section, Table, table
from safety.reports.schema import Figure, MonthlyReport, Tally
from safety.reports.wording import Wording, text
from safety.reports.words_more import (
    alert_section,
    change_section,
    coverage_section,
    incident_section,
    indicator_section,
    method_section,
)

_SHOWN_DANGERS = 3
_SHOWN = {Verdict.SHOWN.value, Verdict.HIGHER.value}
"""With these verdicts nobody waits for more months."""


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
        explained=tuple(_explained(report, words)),
        headlines=_headlines(report, words),
        main=_tallies("dangers", report.violations.by_rule[:_SHOWN_DANGERS], words, rated=True),
        sections=(
            _target_section(report, words),
            _accident_section(report, words),
            incident_section(report, words),
            _violation_section(report, words),
            indicator_section(report, words),
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


def _explained(report: MonthlyReport, words: Wording) -> list[str]:
    target, say = report.target, words.say
    if target.why is not None:
        return [say(target.why)]
    lines = []
    if target.before is not None and target.after is not None:
        for key, facts in (("before", target.before), ("after", target.after)):
            lines.append(
                say(
                    f"report.target.{key}",
                    cases=words.number(facts.cases, 0),
                    hours=words.number(facts.hours, 0),
                    months=facts.months,
                )
            )
    if target.ratio is not None:
        change = words.number(abs(1 - target.ratio) * 100, 0)
        key = "report.target.fewer" if target.ratio <= 1 else "report.target.more"
        interval = words.between(target.lower, target.upper)
        lines.append(say(key, change=change, ratio=words.number(target.ratio), interval=interval))
    if target.power is not None:
        lines.append(
            say(
                "report.target.power",
                power=words.share(target.power),
                chance=words.share(target.apparent_drop),
                needed=target.cases_needed or 0,
            )
        )
    if target.verdict not in _SHOWN:
        never = target.months_needed is None
        key = "report.target.never" if never else "report.target.months_needed"
        lines.append(say(key, months=target.months_needed or 0))
    if target.bad_year:
        lines.append(say("note.bad_year"))
    return lines


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


def _target_section(report: MonthlyReport, words: Wording) -> Section:
    target, say = report.target, words.say
    sentences = [say(f"kpi.verdict.{target.verdict}"), *_explained(report, words)]
    tables: list[Table] = []
    if target.baseline is not None:
        baseline = target.baseline
        sentences.append(
            say(
                "report.baseline",
                first=words.month(baseline.first_month),
                last=words.month(baseline.last_month),
                start=words.month(baseline.programme_start),
                at=words.moment(baseline.registered_at),
                groups=[f"report.groups.{baseline.groups}"],
            )
        )
        sentences += [
            say(
                "report.baseline_was",
                first=words.month(old.first_month),
                last=words.month(old.last_month),
                at=words.moment(old.changed_at),
                reason=old.reason,
            )
            for old in baseline.changes
        ]
    if target.before is not None and target.after is not None:
        tables.append(
            table(
                "target",
                say("report.table.target"),
                (
                    ("period", say("report.col.period"), False),
                    ("cases", say("report.col.accidents"), True),
                    ("hours", say("report.col.hours"), True),
                    ("rate", say("report.col.frequency"), True),
                ),
                [
                    (
                        text(say(f"report.period.{name}")),
                        words.cell(facts.cases, 0),
                        words.cell(facts.hours, 0),
                        words.cell(
                            facts.cases / facts.hours * 1e6 if facts.hours else None,
                            formula='IF({hours}>0,{cases}/{hours}*1000000,"")',
                        ),
                    )
                    for name, facts in (("before", target.before), ("after", target.after))
                ],
            )
        )
    return Section(
        key="target",
        title=say("report.section.target"),
        sentences=tuple(sentences),
        tables=tuple(tables),
    )


def _accident_section(report: MonthlyReport, words: Wording) -> Section:
    say, facts = words.say, report.accidents
    rates = (
        ("injury_rate", facts.injury_rate),
        ("fatality_rate", facts.fatality_rate),
        ("frequency_rate", facts.frequency_rate),
        ("lost_time_frequency_rate", facts.lost_time_frequency_rate),
        ("total_recordable_rate", facts.total_recordable_rate),
    )
    return Section(
        key="accidents",
        title=say("report.section.accidents"),
        sentences=(say("report.accidents.note", year=report.month[:4]),),
        tables=(
            table(
                "rates",
                say("report.table.rates"),
                (
                    ("name", say("report.col.rate"), False),
                    ("cases", say("report.col.cases"), True),
                    ("exposure", say("report.col.exposure"), True),
                    ("per", say("report.col.per"), True),
                    ("value", say("report.col.value"), True),
                    ("interval", say("report.col.interval"), True),
                ),
                [_rate_row(name, figure, words) for name, figure in rates],
                note=_severity(report, words),
            ),
            _months(report, words),
        ),
        plots=_plots(report, words, {"accidents", "gaps", "cusum"}),
    )


def _plots(report: MonthlyReport, words: Wording, keys: set[str]) -> tuple[Plot, ...]:
    return tuple(
        Plot(
            key=chart.key,
            title=words.say(f"chart.{chart.key}"),
            sentence=words.say(chart.sentence, **chart.params),
        )
        for chart in report.charts
        if chart.key in keys
    )


def _rate_row(name: str, figure: Figure, words: Wording) -> tuple[Cell, ...]:
    return (
        text(words.say(f"report.rate.{name}")),
        words.cell(figure.cases, 0),
        words.cell(figure.exposure or None, 0),
        words.cell(figure.per, 0),
        words.cell(figure.value, 3, formula='IF({exposure}>0,{cases}/{exposure}*{per},"")'),
        text(words.interval(figure, 3)),
    )


def _severity(report: MonthlyReport, words: Wording) -> str:
    lines = []
    for name, figure in (
        ("severity_rate", report.accidents.severity_rate),
        ("mean_severity", report.accidents.mean_severity),
    ):
        label = words.say(f"report.rate.{name}")
        value = words.number(figure.value, 4) if figure.why is None else words.say(figure.why)
        lines.append(f"{label}: {value}")
    return " · ".join(lines)


def _months(report: MonthlyReport, words: Wording) -> Table:
    say = words.say
    return table(
        "months",
        say("report.table.months"),
        (
            ("month", say("report.col.month"), False),
            ("hours", say("report.col.hours"), True),
            ("headcount", say("report.col.headcount"), True),
            ("accidents", say("report.col.accidents"), True),
            ("injured", say("report.col.injured"), True),
            ("lost_time", say("report.col.lost_time"), True),
            ("deaths", say("report.col.deaths"), True),
            ("lost_days", say("report.col.lost_days"), True),
            ("rate", say("report.col.frequency"), True),
        ),
        [
            (
                text(row.month),
                words.cell(row.hours, 0),
                words.cell(row.headcount, 0),
                words.cell(row.accidents, 0),
                words.cell(row.injured, 0),
                words.cell(row.lost_time, 0),
                words.cell(row.deaths, 0),
                words.cell(row.lost_days, 1),
                words.cell(
                    row.accidents / row.hours * 1e6 if row.hours else None,
                    formula='IF({hours}>0,{accidents}/{hours}*1000000,"")',
                ),
            )
            for row in report.months
        ],
    )


def _violation_section(report: MonthlyReport, words: Wording) -> Section:
    say, facts = words.say, report.violations
    kinds = [
        tally.model_copy(update={"name": say(f"rules.kind.{tally.key}")}) for tally in facts.by_kind
    ]
    shifts = [
        tally.model_copy(update={"name": say("report.outside_shifts")})
        if tally.key == "outside_shifts"
        else tally
        for tally in facts.by_shift
    ]
    sentences = [say("report.violations.note", total=words.number(facts.total, 0))]
    if facts.shadow:
        sentences.append(say("report.violations.shadow", count=words.number(facts.shadow, 0)))
    return Section(
        key="violations",
        title=say("report.section.violations"),
        sentences=tuple(sentences),
        tables=(
            _tallies("by_zone", facts.by_zone, words, rated=True),
            _tallies("by_rule", facts.by_rule, words, rated=True),
            _tallies("by_kind", kinds, words, rated=True),
            _tallies("by_shift", shifts, words, rated=False),
            _by_hour(report, words),
        ),
        plots=_plots(report, words, {"violations"}),
    )


def _tallies(
    key: str, tallies: tuple[Tally, ...] | list[Tally], words: Wording, *, rated: bool
) -> Table:
    say = words.say
    columns = [
        ("name", say(f"report.col.{key}"), False),
        ("count", say("report.col.count"), True),
    ]
    if rated:
        columns += [
            ("hours", say("report.col.monitored"), True),
            ("rate", say("report.col.violation_rate"), True),
        ]
    rows = [
        (
            text(tally.name or say("report.no_zone")),
            words.cell(tally.count, 0),
            *(
                (
                    words.cell(tally.monitored_hours, 1),
                    words.cell(tally.rate, formula='IF({hours}>0,{count}/{hours}*1000,"")'),
                )
                if rated
                else ()
            ),
        )
        for tally in tallies
    ]
    return table(key, say(f"report.table.{key}"), columns, rows)


def _by_hour(report: MonthlyReport, words: Wording) -> Table:
    say = words.say
    columns = [("day", say("report.col.weekday"), False)]
    columns += [(f"h{hour:02d}", f"{hour:02d}", True) for hour in range(24)]
    return table(
        "by_hour",
        say("report.table.by_hour"),
        columns,
        [
            (text(say(f"report.weekday.{day}")), *(words.cell(count, 0) for count in counts))
            for day, counts in enumerate(report.violations.by_hour)
        ],
    )
