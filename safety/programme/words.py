"""The programme's paper in Korean or English."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from safety.i18n import explain
from safety.programme.assess import Programme, funnel_limits
from safety.programme.collect import Problem
from safety.reports.pdf import Plots
from safety.reports.plots import funnel_plot
from safety.reports.presented import Headline, Plot, Presented, Section, Table, table
from safety.reports.wording import Wording, text

_FIRST_PAGE = 12
_CURVE = 120
_METHOD = ("model", "funnel", "selection", "signature")


def presented_programme(
    programme: Programme, problems: Sequence[Problem], *, language: str, made_at: datetime
) -> Presented:
    """All words and numbers of a programme."""
    words = Wording(language, "UTC")
    say = words.say
    return Presented(
        language=language,
        title=say("programme.title"),
        site=say("programme.of", sites=words.number(programme.sites, 0)),
        month=words.month(programme.month) if programme.month else say("programme.no_month"),
        made=say("programme.made", at=f"{words.moment(made_at)} UTC"),
        made_at=made_at,
        warning="",
        watermark="",
        position=say("footer.supplementary"),
        verdict=say(f"kpi.verdict.{programme.pooled.verdict}"),
        explained=tuple(_explained(programme, words)),
        headlines=_headlines(programme, problems, words),
        main=_calls("calls_first", programme, words, _FIRST_PAGE),
        sections=(
            _funnel(programme, words),
            Section(
                key="calls",
                title=say("programme.section.calls"),
                sentences=(say("programme.calls.note"),),
                tables=(_calls("calls", programme, words, None),),
            ),
            _league(programme, words),
            _worn(programme, words),
            _problems(problems, words),
            Section(
                key="method",
                title=say("report.section.method"),
                sentences=tuple(
                    say(key)
                    for key in (
                        *(f"programme.method.{part}" for part in _METHOD),
                        "note.no_forecast",
                    )
                ),
            ),
        ),
        signatures=(say("programme.sign"),),
    )


def programme_plots(programme: Programme, language: str) -> Plots:
    """Its funnel plot, if there is anything to plot."""
    if not programme.funnel or not programme.rate:
        return {}
    hours = np.array([point.hours for point in programme.funnel])
    curve = np.geomspace(hours.min() * 0.9, hours.max() * 1.1, _CURVE)
    lower, upper = funnel_limits(programme.rate, curve)
    say = Wording(language, "UTC").say
    return {
        "funnel": funnel_plot(
            [(point.hours, point.rate, point.outside) for point in programme.funnel],
            (curve.tolist(), lower.tolist(), upper.tolist()),
            programme.rate,
            (say("report.col.hours"), say("report.col.frequency")),
        )
    }


def _explained(programme: Programme, words: Wording) -> list[str]:
    pooled, say = programme.pooled, words.say
    lines = [
        say(
            "programme.counts",
            sites=words.number(pooled.sites, 0),
            before=words.number(pooled.cases_before, 0),
            after=words.number(pooled.cases_after, 0),
        )
    ]
    if pooled.ratio is None:
        lines.append(say("programme.too_few"))
        return lines
    fewer = pooled.ratio <= 1
    lines.append(
        say(
            "report.target.fewer" if fewer else "report.target.more",
            change=words.number(abs(1 - pooled.ratio) * 100, 1),
            ratio=words.number(pooled.ratio, 3),
            interval=words.between(pooled.lower, pooled.upper, 3),
        )
    )
    if pooled.widening > 1.05:
        lines.append(say("programme.widened", times=words.number(pooled.widening, 2)))
    if programme.fictional:
        lines.append(say("programme.fictional", sites=programme.fictional))
    return lines


def _headlines(
    programme: Programme, problems: Sequence[Problem], words: Wording
) -> tuple[Headline, ...]:
    say = words.say
    watched = [one.share for one in programme.league if one.share is not None]
    shown = (
        ("sites", words.number(programme.sites, 0)),
        ("compared", words.number(programme.compared, 0)),
        ("calls", words.number(len(programme.calls), 0)),
        ("coverage", words.share(sum(watched) / len(watched) if watched else None)),
        ("problems", words.number(len(problems), 0)),
    )
    return tuple(
        Headline(
            label=say(f"programme.head.{key}"), text=value, note=say(f"programme.head.{key}_note")
        )
        for key, value in shown
    )


def _funnel(programme: Programme, words: Wording) -> Section:
    say = words.say
    outside = [point for point in programme.funnel if point.outside]
    plot = Plot(
        key="funnel",
        title=say("programme.funnel"),
        sentence=say(
            "programme.funnel.sentence",
            outside=words.number(len(outside), 0),
            sites=words.number(len(programme.funnel), 0),
        ),
    )
    rows = [
        (
            text(point.name),
            words.cell(point.hours, 0),
            words.cell(point.rate, 2),
            text(words.between(point.lower, point.upper, 2)),
        )
        for point in sorted(outside, key=lambda point: point.name)
    ]
    columns = (
        ("site", say("programme.col.site"), False),
        ("hours", say("report.col.hours"), True),
        ("rate", say("report.col.frequency"), True),
        ("limits", say("programme.col.limits"), True),
    )
    return Section(
        key="funnel",
        title=say("programme.section.funnel"),
        sentences=(say("programme.funnel.note"),),
        tables=(table("outside", say("programme.table.outside"), columns, rows),) if rows else (),
        plots=(plot,) if programme.funnel else (),
    )


def _calls(key: str, programme: Programme, words: Wording, most: int | None) -> Table:
    say = words.say
    return table(
        key,
        say("programme.table.calls"),
        (
            ("site", say("programme.col.site"), False),
            ("needs", say("programme.col.needs"), False),
        ),
        [
            (text(call.name), text(" · ".join(say(f"programme.need.{n}") for n in call.needs)))
            for call in programme.calls[:most]
        ],
    )


def _league(programme: Programme, words: Wording) -> Section:
    say = words.say
    rows = [
        (
            text(one.name),
            words.cell(one.monitored_hours, 0),
            words.percent(one.share),
        )
        for one in programme.league
    ]
    columns = (
        ("site", say("programme.col.site"), False),
        ("monitored", say("report.col.monitored"), True),
        ("share", say("report.col.share"), True),
    )
    return Section(
        key="league",
        title=say("programme.section.league"),
        sentences=(say("programme.league.note"),),
        tables=(table("league", say("programme.table.league"), columns, rows),),
    )


def _worn(programme: Programme, words: Wording) -> Section:
    say = words.say
    rows = [
        (
            text(say(f"ppe.{one.item}")),
            words.cell(one.sites, 0),
            words.percent(one.share),
            text(words.share_interval(one.lower, one.upper)),
            words.percent(one.unknown_share),
        )
        for one in programme.worn
    ]
    columns = (
        ("item", say("report.col.ppe_item"), False),
        ("sites", say("programme.col.sites"), True),
        ("share", say("report.col.ppe_share"), True),
        ("interval", say("report.col.interval"), True),
        ("doubt", say("report.col.ppe_doubt"), True),
    )
    return Section(
        key="worn",
        title=say("report.section.ppe"),
        sentences=(say("programme.worn.note" if rows else "programme.worn.none"),),
        tables=(table("worn", say("report.table.ppe"), columns, rows),) if rows else (),
    )


def _problems(problems: Sequence[Problem], words: Wording) -> Section:
    say = words.say
    rows = [(text(one.file), text(explain(one.error, words.language))) for one in problems]
    columns = (
        ("file", say("programme.col.file"), False),
        ("why", say("report.col.reasons"), False),
    )
    return Section(
        key="problems",
        title=say("programme.section.problems"),
        sentences=() if rows else (say("programme.problems.none"),),
        tables=(table("problems", say("programme.table.problems"), columns, rows),) if rows else (),
    )
