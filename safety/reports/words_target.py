"""The report's sections on the target and on accidents."""

from safety.kpi.verdict import Verdict
from safety.reports.presented import Cell, Section, Table, table
from safety.reports.schema import Figure, MonthlyReport
from safety.reports.wording import Wording, text
from safety.reports.words_plots import plots

_SHOWN = {Verdict.SHOWN.value, Verdict.HIGHER.value}
"""With these verdicts nobody waits for more months."""


def explained(report: MonthlyReport, words: Wording) -> list[str]:
    """What the verdict rests on, one sentence each."""
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


def target_section(report: MonthlyReport, words: Wording) -> Section:
    """The target: the baseline, its changes, and both periods."""
    target, say = report.target, words.say
    sentences = [say(f"kpi.verdict.{target.verdict}"), *explained(report, words)]
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


def accident_section(report: MonthlyReport, words: Wording) -> Section:
    """Accidents, and the rates of the year."""
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
        plots=plots(report, words, {"accidents", "gaps", "cusum"}),
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
