"""Where the charts of a report stand, and what each of them shows."""

from safety.reports.presented import Plot
from safety.reports.schema import MonthlyReport
from safety.reports.wording import Wording


def plots(report: MonthlyReport, words: Wording, keys: set[str]) -> tuple[Plot, ...]:
    """Where the charts with these keys stand."""
    return tuple(
        Plot(
            key=chart.key,
            title=words.say(f"chart.{chart.key}"),
            sentence=words.say(chart.sentence, **chart.params),
        )
        for chart in report.charts
        if chart.key in keys
    )
