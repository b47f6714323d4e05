"""The report's pictures as SVG: the target's interval, control charts, a programme's funnel.

The same data give the same bytes. Every plot has the same numbers in a table beside it.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure as Canvas

from safety.i18n import translator
from safety.reports.schema import Chart, Target

FONTS = Path(__file__).with_name("fonts")

_INK, _SOFT, _LINE = "#1c2733", "#5b6773", "#c9d0d6"
_ACCENT, _SIGNAL = "#0b6bcb", "#b3261e"
_MOST_LABELS = 12


def interval_plot(target: Target, language: str) -> bytes:
    """The rate ratio with its interval beside "no change" and the target; empty without one."""
    if target.ratio is None or target.lower is None:
        return b""
    say = translator(language)
    upper = target.upper if target.upper is not None else 4.0
    right = min(max(2.0, upper * 1.05), 4.0)
    with _canvas(6.4, 1.5) as (canvas, axes):
        axes.axvline(1.0, color=_SOFT, linewidth=1)
        axes.axvline(0.8, color=_ACCENT, linewidth=1, linestyle=(0, (4, 3)))
        axes.plot([target.lower, min(upper, right)], [0, 0], color=_INK, linewidth=2)
        axes.plot([target.ratio], [0], "D", color=_INK, markersize=7)
        if upper > right or target.upper is None:
            axes.plot([right * 0.995], [0], ">", color=_INK, markersize=6)
        axes.text(1.01, 0.6, say("chart.plot.no_change"), ha="left", color=_SOFT, fontsize=8)
        axes.text(0.79, 0.6, say("chart.plot.target"), ha="right", color=_ACCENT, fontsize=8)
        axes.set(xlim=(0, right), ylim=(-0.6, 1.0), yticks=[])
        axes.set_xlabel(say("chart.plot.ratio"))
        axes.spines["left"].set_visible(False)
        return _svg(canvas)


def control_chart(chart: Chart, language: str) -> bytes:
    """A control chart; points outside their limits have another shape and colour.

    A month in which something was changed has a vertical line. Empty without points.
    """
    known = [n for n, point in enumerate(chart.points) if point.value is not None]
    if not known:
        return b""
    say = translator(language)
    labels = [point.label for point in chart.points]
    with _canvas(6.4, 2.2) as (canvas, axes):
        for label in set(chart.breaks) & set(labels):
            axes.axvline(labels.index(label) - 0.5, color=_SOFT, linewidth=0.8, linestyle=":")
        _limits(axes, chart, say("chart.plot.limit"), say("chart.plot.mean"))
        axes.plot(
            range(len(labels)),
            [point.value for point in chart.points],
            color=_INK,
            linewidth=1.2,
            marker="o",
            markersize=3.5,
        )
        out = [n for n in known if chart.points[n].signal]
        values = [chart.points[n].value for n in out]
        axes.plot(out, values, "s", color=_SIGNAL, markersize=7, fillstyle="none")
        every = max(1, -(-len(labels) // _MOST_LABELS))
        axes.set_xticks(range(0, len(labels), every), labels[::every], rotation=30, ha="right")
        axes.set_ylim(bottom=0)
        return _svg(canvas)


def funnel_plot(
    points: Sequence[tuple[float, float, bool]],
    curves: tuple[Sequence[float], Sequence[float], Sequence[float]],
    rate: float,
    labels: tuple[str, str],
) -> bytes:
    """Sites' rates by size with the limits of chance.

    Args:
        points: (hours, rate, whether it is outside) for each site.
        curves: Hours, lower and upper limits.
        rate: Of the programme.
        labels: Of the axes.
    """
    with _canvas(6.4, 3.6) as (canvas, axes):
        hours, lower, upper = curves
        axes.fill_between(hours, lower, upper, color=_LINE, alpha=0.45, linewidth=0)
        axes.axhline(rate, color=_SOFT, linewidth=1)
        inside = [(x, y) for x, y, out in points if not out]
        outside = [(x, y) for x, y, out in points if out]
        axes.plot(*zip(*inside, strict=True), "o", color=_INK, markersize=2.5, alpha=0.5) if (
            inside
        ) else None
        if outside:
            axes.plot(
                *zip(*outside, strict=True), "s", color=_SIGNAL, markersize=6, fillstyle="none"
            )
        axes.set_xscale("log")
        axes.set(xlabel=labels[0], ylabel=labels[1])
        axes.set_ylim(bottom=0)
        return _svg(canvas)


def _limits(axes: Any, chart: Chart, limit: str, mean: str) -> None:
    places = range(len(chart.points))
    upper = [point.upper for point in chart.points]
    lower = [point.lower for point in chart.points]
    style = {"color": _ACCENT, "linewidth": 0.9, "linestyle": (0, (4, 3)), "drawstyle": "steps-mid"}
    if any(value is not None for value in upper):
        axes.plot(places, upper, label=limit, **style)
    if any(value for value in lower):
        axes.plot(places, lower, **style)
    if chart.centre is not None:
        axes.axhline(chart.centre, color=_SOFT, linewidth=0.9, label=mean)
    axes.legend(
        loc="lower right", bbox_to_anchor=(1, 1), frameon=False, fontsize=7, ncols=2, borderpad=0
    )


@contextmanager
def _canvas(width: float, height: float) -> Iterator[tuple[Canvas, Any]]:
    with mpl.rc_context(rc=_style()):
        canvas = Canvas(figsize=(width, height), layout="constrained")
        axes = canvas.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        yield canvas, axes


@cache
def _style() -> Any:
    for path in sorted(FONTS.glob("*.otf")):
        font_manager.fontManager.addfont(path)
    return {
        "font.family": ["Pretendard", "DejaVu Sans"],
        "font.size": 8,
        "svg.fonttype": "path",
        "svg.hashsalt": "anjeon",
        "axes.edgecolor": _LINE,
        "axes.labelcolor": _SOFT,
        "xtick.color": _SOFT,
        "ytick.color": _SOFT,
        "axes.unicode_minus": False,
    }


def _svg(canvas: Canvas) -> bytes:
    stream = io.BytesIO()
    # Without a date the same plot has the same bytes.
    canvas.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()
