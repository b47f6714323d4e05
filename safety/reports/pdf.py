"""Papers as PDF, set by typst in fonts that come with Anjeon.

The same paper gives the same bytes on every machine.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import typst

from safety.reports.plots import FONTS, control_chart, interval_plot
from safety.reports.presented import Presented, Table
from safety.reports.schema import MonthlyReport
from safety.reports.words import presented

_TEMPLATE = Path(__file__).with_name("paper.typ")

Plots = Mapping[str, bytes]
"""Pictures as SVG by their key; ``target`` stands on the first page."""


def report_pdf(report: MonthlyReport, language: str) -> bytes:
    """A monthly report as PDF."""
    return pdf(presented(report, language), report_plots(report, language))


def report_plots(report: MonthlyReport, language: str) -> Plots:
    """A report's pictures; those without data are left out."""
    drawn = {"target": interval_plot(report.target, language)}
    drawn |= {chart.key: control_chart(chart, language) for chart in report.charts}
    return {key: svg for key, svg in drawn.items() if svg}


def pdf(paper: Presented, plots: Plots) -> bytes:
    """A paper as PDF."""
    return _compiled(paper, plots, "pdf")[0]


def pages(paper: Presented, plots: Plots, *, ppi: float = 80.0) -> list[bytes]:
    """A paper's pages as PNG, to be looked at."""
    return _compiled(paper, plots, "png", ppi)


def _compiled(
    paper: Presented, plots: Plots, form: Literal["pdf", "png"], ppi: float | None = None
) -> list[bytes]:
    document = json.dumps(_document(paper, plots), ensure_ascii=False)
    result: Any = typst.compile(
        str(_TEMPLATE),
        root=str(_TEMPLATE.parent),
        format=form,
        ppi=ppi,
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"report": document},
        timestamp=int(paper.made_at.timestamp()),
    )
    return result if isinstance(result, list) else [result]


def _document(paper: Presented, plots: Plots) -> dict[str, Any]:
    """What the template shows, JSON types only."""
    parts = asdict(paper)
    return parts | {
        "made_at": paper.made_at.isoformat(),
        "main": _table(paper.main),
        "plots": {key: svg.decode() for key, svg in plots.items()},
        "sections": [
            part | {"tables": [_table(one) for one in section.tables]}
            for part, section in zip(parts["sections"], paper.sections, strict=True)
        ],
    }


def _table(one: Table) -> dict[str, Any]:
    return {
        "title": one.title,
        "heads": one.heads,
        "numeric": one.numeric,
        # A column of words gets what room the numbers leave.
        "widths": ["auto" if numeric else "rest" for numeric in one.numeric],
        "rows": [[cell.text for cell in row] for row in one.rows],
        "note": one.note,
    }
