"""Papers as spreadsheets: the same tables, with formulas where people check.

A formula carries the value that it computes, so that viewers which calculate nothing (previews
on phones, programs that read tables) show the same number. The same paper gives the same bytes.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_rowcol_to_cell

from safety.reports.presented import Cell, Presented, Table
from safety.reports.schema import MonthlyReport
from safety.reports.words import presented

_BAD_IN_TITLES = re.compile(r"[\[\]:*?/\\]")
_LONGEST_TITLE = 31
_NARROWEST, _WIDEST = 10, 60
_PER_SIGN = 1.2
_AS_FORMULA = tuple("=+-@\t")
"""Words that begin so are marked as words, for programs that would calculate them."""


def report_xlsx(report: MonthlyReport, language: str) -> bytes:
    """A monthly report as XLSX."""
    return xlsx(presented(report, language))


def xlsx(content: Presented) -> bytes:
    """A paper as XLSX."""
    stream = io.BytesIO()
    with Workbook(stream, {"in_memory": True}) as book:
        # A paper made again must not look newer than it is.
        book.set_properties(
            {
                "title": f"{content.title} {content.site} {content.month}",
                "created": content.made_at.astimezone(UTC).replace(tzinfo=None),
            }
        )
        formats = _Formats(book)
        _summary(_Sheet(book.add_worksheet(_sheet_title(content.month)), formats), content)
        for section in content.sections:
            if not section.tables and not section.sentences:
                continue
            sheet = _Sheet(book.add_worksheet(_sheet_title(section.title)), formats)
            sheet.lines((section.title, *section.sentences))
            for one in section.tables:
                sheet.row += 1
                sheet.table(one)
            sheet.set_widths()
    return stream.getvalue()


def _summary(sheet: "_Sheet", content: Presented) -> None:
    title = f"{content.title} · {content.month}"
    lines = (title, content.site, content.warning, content.verdict, *content.explained)
    sheet.lines(tuple(line for line in lines if line))
    sheet.row += 1
    for one in content.headlines:
        for column, value in enumerate((one.label, one.text, one.note)):
            sheet.put(column, Cell(value, value))
        sheet.row += 1
    sheet.row += 1
    sheet.table(content.main)
    sheet.row += 1
    for line in (content.position, content.made):
        sheet.line(line)
    sheet.set_widths()


class _Formats:
    """The formats of a book; each is made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, object], ...], Any] = {}
        self.title = self.of(bold=True, font_size=13)
        self.caption = self.of(bold=True)
        head = {"bold": True, "bg_color": "#E9EDF0", "text_wrap": True, "valign": "top"}
        self.head = self.of(**head)

    def of(self, **properties: object) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(dict(properties))
        return self._made[key]

    def cell(self, content: Cell) -> Any:
        """Of a value; None: the plain one."""
        properties: dict[str, object] = {}
        if content.text.endswith(" %"):
            properties["num_format"] = "0.0%"
        if isinstance(content.value, str) and content.value.startswith(_AS_FORMULA):
            properties["quote_prefix"] = True
        return self.of(**properties) if properties else None


@dataclass(slots=True)
class _Sheet:
    """A sheet that is filled from top to bottom; ``row`` is the next free one, from 0."""

    sheet: Any
    formats: _Formats
    row: int = 0
    longest: dict[int, int] = field(default_factory=dict)

    def lines(self, lines: tuple[str, ...]) -> None:
        """Sentences, one below the other, the first as a heading."""
        for number, line in enumerate(lines):
            self.line(line, None if number else self.formats.title)

    def line(self, line: str, form: Any = None) -> None:
        self.put(0, Cell(line, line), form=form)
        self.row += 1

    def table(self, one: Table) -> None:
        """A table with its caption and note."""
        self.line(one.title, self.formats.caption)
        for column, head in enumerate(one.heads):
            self.put(column, Cell(head, head), form=self.formats.head)
        self.row += 1
        for cells in one.rows:
            places = {
                name: xl_rowcol_to_cell(self.row, column) for column, name in enumerate(one.names)
            }
            for column, content in enumerate(cells):
                self.put(column, content, places=places)
            self.row += 1
        if one.note:
            self.line(one.note)

    def put(
        self,
        column: int,
        content: Cell,
        *,
        places: Mapping[str, str] | None = None,
        form: Any = None,
    ) -> None:
        """A value, or the formula that computes it; words never become a formula."""
        form = form or self.formats.cell(content)
        if content.formula and places is not None:
            formula = f"={content.formula.format_map(places)}"
            known = "" if content.value is None else content.value
            self.sheet.write_formula(self.row, column, formula, form, known)
        elif isinstance(content.value, str):
            self.sheet.write_string(self.row, column, _plain(content.value), form)
        elif content.value is not None:
            self.sheet.write_number(self.row, column, content.value, form)
        if self.row:
            shown = content.text if content.formula else str(content.value or "")
            self.longest[column] = max(self.longest.get(column, 0), len(shown))

    def set_widths(self) -> None:
        for column, longest in self.longest.items():
            width = min(max(_NARROWEST, longest * _PER_SIGN), _WIDEST)
            self.sheet.set_column(column, column, width)


def _plain(value: str) -> str:
    """Without characters that XML cannot hold."""
    return "".join(sign for sign in value if sign >= " " or sign in "\t\n")


def _sheet_title(title: str) -> str:
    return _BAD_IN_TITLES.sub(" ", title)[:_LONGEST_TITLE]
