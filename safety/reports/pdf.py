"""The monthly report as PDF, set by typst in fonts that come with Anjeon.

The same report in the same language gives the same bytes on every machine.
"""

import json
from datetime import UTC
from pathlib import Path
from typing import Any, Literal

import typst

from safety.i18n import translator
from safety.reports.plots import FONTS, control_chart, interval_plot
from safety.reports.presented import Table
from safety.reports.schema import MonthlyReport
from safety.reports.words import presented

_TEMPLATE = Path(__file__).with_name("monthly.typ")


def pdf(report: MonthlyReport, language: str) -> bytes:
    """The report as PDF."""
    return _compiled(report, language, "pdf")[0]


def pages(report: MonthlyReport, language: str, *, ppi: float = 80.0) -> list[bytes]:
    """The report's pages as PNG, to be looked at."""
    return _compiled(report, language, "png", ppi)


def plots(report: MonthlyReport, language: str) -> dict[str, bytes]:
    """Its pictures as SVG, by chart key; ``target`` is the interval. Empty ones are left out."""
    drawn = {"target": interval_plot(report.target, language)}
    drawn |= {chart.key: control_chart(chart, language) for chart in report.charts}
    return {key: svg for key, svg in drawn.items() if svg}


def _compiled(
    report: MonthlyReport, language: str, form: Literal["pdf", "png"], ppi: float | None = None
) -> list[bytes]:
    result: Any = typst.compile(
        str(_TEMPLATE),
        root=str(_TEMPLATE.parent),
        format=form,
        ppi=ppi,
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"report": json.dumps(_document(report, language), ensure_ascii=False)},
        timestamp=int(report.revised_at.astimezone(UTC).timestamp()),
    )
    return result if isinstance(result, list) else [result]


def _document(report: MonthlyReport, language: str) -> dict[str, Any]:
    """What the template shows, JSON types only."""
    content, say = presented(report, language), translator(language)
    drawn = plots(report, language)
    return {
        "language": content.language,
        "title": content.title,
        "site": content.site,
        "month": content.month,
        "made": content.made,
        "warning": content.warning,
        "watermark": content.watermark,
        "position": content.position,
        "verdict": content.verdict,
        "explained": content.explained,
        "headlines": [
            {"label": one.label, "text": one.text, "note": one.note} for one in content.headlines
        ],
        "dangers": _table(content.dangers),
        "signatures": content.signatures,
        "plots": {key: svg.decode() for key, svg in drawn.items()},
        "sections": [
            {
                "title": section.title,
                "sentences": section.sentences,
                "tables": [_table(one) for one in section.tables],
                "charts": [
                    {"key": key, "title": say(f"chart.{key}"), "sentence": sentence}
                    for key, sentence in section.charts
                ],
            }
            for section in content.sections
        ],
    }


def _table(one: Table) -> dict[str, Any]:
    # A column of words gets what room the numbers leave.
    return {
        "title": one.title,
        "heads": one.heads,
        "numeric": one.numeric,
        "widths": ["auto" if numeric else "rest" for numeric in one.numeric],
        "rows": [[cell.text for cell in row] for row in one.rows],
        "note": one.note,
    }
