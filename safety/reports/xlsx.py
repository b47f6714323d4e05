"""Papers as spreadsheets: the same tables, with formulas where people check."""

import io
import re
from collections.abc import Mapping
from datetime import UTC

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from safety.reports.presented import Cell, Presented, Table
from safety.reports.schema import MonthlyReport
from safety.reports.words import presented

_HEAD = PatternFill("solid", start_color="FFE9EDF0")
_BAD_IN_TITLES = re.compile(r"[\[\]:*?/\\]")
_LONGEST_TITLE = 31
_WIDEST = 60


def report_xlsx(report: MonthlyReport, language: str) -> bytes:
    """A monthly report as XLSX."""
    return xlsx(presented(report, language))


def xlsx(content: Presented) -> bytes:
    """A paper as XLSX."""
    book = Workbook()
    # A paper made again must not look newer than it is.
    book.properties.created = content.made_at.astimezone(UTC).replace(tzinfo=None)
    book.properties.title = f"{content.title} {content.site} {content.month}"
    first = book.worksheets[0]
    first.title = _sheet_title(content.month)
    _summary(first, content)
    for section in content.sections:
        if not section.tables and not section.sentences:
            continue
        sheet = book.create_sheet(_sheet_title(section.title))
        row = _lines(sheet, 1, (section.title, *section.sentences))
        for one in section.tables:
            row = _table(sheet, row + 1, one)
        _widths(sheet)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _summary(sheet: Worksheet, content: Presented) -> None:
    title = f"{content.title} · {content.month}"
    lines = (title, content.site, content.warning, content.verdict, *content.explained)
    row = _lines(sheet, 1, tuple(line for line in lines if line))
    for one in content.headlines:
        row += 1
        for column, value in enumerate((one.label, one.text, one.note), start=1):
            _put(sheet, row, column, Cell(value, value))
    row = _table(sheet, row + 2, content.main)
    _lines(sheet, row + 1, (content.position, content.made))
    _widths(sheet)


def _lines(sheet: Worksheet, row: int, lines: tuple[str, ...]) -> int:
    """Sentences, one below the other, the first as a heading.

    Returns:
        The next free row.
    """
    for number, line in enumerate(lines):
        _put(sheet, row + number, 1, Cell(line, line))
    if lines:
        sheet.cell(row, 1).font = Font(bold=True, size=13)
    return row + len(lines)


def _table(sheet: Worksheet, row: int, one: Table) -> int:
    """A table with its caption and note.

    Returns:
        The next free row.
    """
    _put(sheet, row, 1, Cell(one.title, one.title))
    sheet.cell(row, 1).font = Font(bold=True)
    for column, head in enumerate(one.heads, start=1):
        cell = sheet.cell(row + 1, column)
        _put(sheet, row + 1, column, Cell(head, head))
        cell.fill, cell.font = _HEAD, Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    at = row + 2
    for cells in one.rows:
        places = {
            name: f"{get_column_letter(column)}{at}"
            for column, name in enumerate(one.names, start=1)
        }
        for column, content in enumerate(cells, start=1):
            _put(sheet, at, column, content, places)
        at += 1
    return _lines_plain(sheet, at, one.note)


def _lines_plain(sheet: Worksheet, row: int, note: str) -> int:
    if not note:
        return row
    _put(sheet, row, 1, Cell(note, note))
    return row + 1


def _put(
    sheet: Worksheet, row: int, column: int, content: Cell, places: Mapping[str, str] | None = None
) -> None:
    """A value, or the formula that computes it; words never become a formula."""
    cell = sheet.cell(row, column)
    if content.formula and places is not None:
        cell.value = f"={content.formula.format_map(places)}"
    elif isinstance(content.value, str):
        cell.value = _plain(content.value)
        cell.data_type = "s"
        cell.quotePrefix = content.value[:1] in "=+-@\t"
    else:
        cell.value = content.value
    if content.text.endswith(" %"):
        cell.number_format = "0.0%"


def _plain(value: str) -> str:
    """Without characters that XML cannot hold."""
    return "".join(sign for sign in value if sign >= " " or sign in "\t\n")


def _widths(sheet: Worksheet) -> None:
    for column in sheet.columns:
        longest = max((len(str(c.value)) for c in column if c.row > 1 and c.value), default=8)
        letter = get_column_letter(column[0].column)
        sheet.column_dimensions[letter].width = min(max(10, longest * 1.2), _WIDEST)


def _sheet_title(title: str) -> str:
    return _BAD_IN_TITLES.sub(" ", title)[:_LONGEST_TITLE]
