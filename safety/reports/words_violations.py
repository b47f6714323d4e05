"""The report's section on violations."""

from safety.reports.presented import Section, Table, table
from safety.reports.schema import MonthlyReport, Tally
from safety.reports.wording import Wording, text
from safety.reports.words_plots import plots


def violation_section(report: MonthlyReport, words: Wording) -> Section:
    """Violations by zone, rule, kind, shift and hour."""
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
            tallies("by_zone", facts.by_zone, words, rated=True),
            tallies("by_rule", facts.by_rule, words, rated=True),
            tallies("by_kind", kinds, words, rated=True),
            tallies("by_shift", shifts, words, rated=False),
            _by_hour(report, words),
        ),
        plots=plots(report, words, {"violations"}),
    )


def tallies(
    key: str, counted: tuple[Tally, ...] | list[Tally], words: Wording, *, rated: bool
) -> Table:
    """A table of counts; ``rated``: with monitored hours and rates."""
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
        for tally in counted
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
