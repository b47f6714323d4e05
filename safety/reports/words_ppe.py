"""The report's section on protective equipment: how much of the time it was seen worn."""

from collections.abc import Sequence

from safety.reports.presented import Cell, Section, Table, table
from safety.reports.schema import MonthlyReport, PpeShare
from safety.reports.violations import OUTSIDE_SHIFTS
from safety.reports.wording import Wording, text


def ppe_section(report: MonthlyReport, words: Wording) -> Section:
    """Shares by item, zone, rule, shift and hour; "cannot tell" beside each."""
    say, facts = words.say, report.ppe
    key, title = "ppe", say("report.section.ppe")
    if facts is None or not facts.overall:
        why = "report.ppe.before" if facts is None else "report.ppe.none"
        return Section(key=key, title=title, sentences=(say(why),))
    return Section(
        key=key,
        title=title,
        sentences=(say("report.ppe.note"), say("report.ppe.interval")),
        tables=(
            _shares("ppe", facts.overall, words),
            _shares("ppe_zone", facts.by_zone, words),
            _shares("ppe_rule", facts.by_rule, words),
            _shares("ppe_shift", facts.by_shift, words),
            _by_hour(facts.by_hour, words),
        ),
    )


def _shares(key: str, shares: Sequence[PpeShare], words: Wording) -> Table:
    say = words.say
    columns = [
        ("item", say("report.col.ppe_item"), False),
        ("worn", say("report.col.ppe_worn"), True),
        ("missing", say("report.col.ppe_missing"), True),
        ("unknown", say("report.col.ppe_unknown"), True),
        ("share", say("report.col.ppe_share"), True),
        ("interval", say("report.col.interval"), True),
        ("doubt", say("report.col.ppe_doubt"), True),
        ("days", say("report.col.ppe_days"), True),
    ]
    if key != "ppe":
        head = key.replace("ppe_", "by_")
        columns.insert(0, ("name", say(f"report.col.{head}"), False))
    rows = [
        (*(() if key == "ppe" else (text(_name(one, words)),)), *_row(one, words)) for one in shares
    ]
    return table(key, say(f"report.table.{key}"), columns, rows)


def _row(one: PpeShare, words: Wording) -> tuple[Cell, ...]:
    told = one.worn_hours + one.missing_hours + one.unknown_hours
    return (
        text(words.say(f"ppe.{one.item}")),
        words.cell(one.worn_hours),
        words.cell(one.missing_hours),
        words.cell(one.unknown_hours),
        words.percent(one.share, formula='IF({worn}+{missing}>0,{worn}/({worn}+{missing}),"")'),
        text(words.share_interval(one.lower, one.upper)),
        words.percent(
            one.unknown_hours / told if told else None,
            formula='IF({worn}+{missing}+{unknown}>0,{unknown}/({worn}+{missing}+{unknown}),"")',
        ),
        words.cell(one.days, 0),
    )


def _name(one: PpeShare, words: Wording) -> str:
    return words.say("report.outside_shifts") if one.key == OUTSIDE_SHIFTS else one.name


def _by_hour(shares: Sequence[PpeShare], words: Wording) -> Table:
    """Percent worn in every hour of the day."""
    say = words.say
    known = {(one.item, one.key): one.share for one in shares}
    items = list(dict.fromkeys(one.item for one in shares))
    columns = [("item", say("report.col.ppe_item"), False)]
    columns += [(f"h{hour:02d}", f"{hour:02d}", True) for hour in range(24)]
    rows = [
        (
            text(say(f"ppe.{item}")),
            *(_whole_percent(known.get((item, f"{hour:02d}")), words) for hour in range(24)),
        )
        for item in items
    ]
    return table("ppe_hour", say("report.table.ppe_hour"), columns, rows)


def _whole_percent(share: float | None, words: Wording) -> Cell:
    return words.cell(None if share is None else round(share * 100), 0)
