"""Tables as people send them: CSV in UTF-8, UTF-16 or CP949, and XLSX; never trusted."""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Final
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook

from safety.i18n import LANGUAGES, catalogue, translator
from safety.incidents.errors import IncidentError
from safety.incidents.reading import plain

MOST_BYTES: Final = 8 * 1024 * 1024
MOST_ROWS: Final = 5_000
MOST_COLUMNS: Final = 60
MOST_UNPACKED: Final = 64 * 1024 * 1024
"""Of an XLSX file, which is packed."""


def lines_of(
    data: bytes, names: Sequence[str], *, prefix: str, needed: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Every line below the headings that is not empty: its number, and its texts by column.

    Args:
        data: CSV or XLSX, with the headings of a template in either language.
        names: Of the columns that are read; others are passed over.
        prefix: Of the headings' translation keys, without the last dot.
        needed: Columns that must be there.

    Raises:
        IncidentError: The file as a whole cannot be used.
    """
    rows = rows_of(data)
    headings = next((row for _, row in rows if any(row)), [])
    columns = _columns(headings, names, prefix, needed)
    for number, row in rows:
        values = {columns[at]: text for at, text in enumerate(row) if at in columns}
        if any(values.values()):
            yield number, values


def template_of(
    names: Sequence[str], examples: Sequence[Mapping[str, str]], *, prefix: str, language: str
) -> bytes:
    """A CSV template with example lines; Excel opens it as it is (UTF-8 with mark)."""
    translate = translator(language)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([translate(f"{prefix}.{name}") for name in names])
    writer.writerows([example.get(name, "") for name in names] for example in examples)
    return text.getvalue().encode("utf-8-sig")


def rows_of(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The lines with their numbers, each a list of texts.

    Raises:
        IncidentError: It is neither CSV nor XLSX, or too large.
    """
    if len(data) > MOST_BYTES:
        raise IncidentError(
            "accident.file_too_large",
            "the file is larger than {megabytes} MB; split it into several",
            megabytes=MOST_BYTES // (1024 * 1024),
        )
    if data.startswith(b"PK\x03\x04"):
        return _sheet_rows(data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise IncidentError(
            "accident.old_excel",
            "this is an old Excel file (.xls); save it as .xlsx or CSV and send that",
        )
    return _csv_rows(_decoded(data))


def _decoded(data: bytes) -> str:
    """Excel in Korean writes CP949 unless told otherwise."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp949")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise IncidentError(
        "accident.not_a_table",
        "this file is no table that can be read; save it as CSV (UTF-8 or CP949) or .xlsx",
    )


def _csv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    last = 0
    try:
        for row in reader:
            number, last = last + 1, reader.line_num
            yield number, [cell.strip() for cell in row[:MOST_COLUMNS]]
    except csv.Error as error:
        raise IncidentError(
            "accident.bad_csv",
            "line {line} cannot be read as CSV ({why}); save the table anew",
            line=reader.line_num,
            why=str(error),
        ) from None


def _sheet_rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The first sheet's lines."""
    refused = IncidentError(
        "accident.not_a_table",
        "this file is no table that can be read; save it as CSV (UTF-8 or CP949) or .xlsx",
    )
    try:
        with ZipFile(io.BytesIO(data)) as packed:
            if sum(each.file_size for each in packed.infolist()) > MOST_UNPACKED:
                raise refused
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        cells = sheet.iter_rows(max_col=MOST_COLUMNS, max_row=MOST_ROWS * 4, values_only=True)
        for number, row in enumerate(cells, start=1):
            yield number, [_cell(value) for value in row]
    except IncidentError:
        raise
    except (BadZipFile, zipfile.LargeZipFile, KeyError, ValueError, IndexError, OSError) as error:
        raise refused from error


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case time():
            return f"{value:%H:%M}"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}" if value != int(value) else str(int(value))
    return str(value).strip()


def _columns(
    headings: Sequence[str], names: Sequence[str], prefix: str, needed: Sequence[str]
) -> dict[int, str]:
    """Which column of the file is which of ours.

    Raises:
        IncidentError: One is there twice, or one that is needed is not there.
    """
    known = _headings(names, prefix)
    found: dict[int, str] = {}
    for at, heading in enumerate(headings):
        name = known.get(plain(heading))
        if name is None:
            continue
        if name in found.values():
            raise IncidentError(
                "accident.twice",
                "the column {column} is there twice; remove one",
                column=[f"{prefix}.{name}"],
            )
        found[at] = name
    missing = [name for name in needed if name not in found.values()]
    if missing:
        raise IncidentError(
            "accident.no_columns",
            "the first line lacks these headings: {columns}; start from the template",
            columns=[f"{prefix}.{name}" for name in missing],
        )
    return found


def _headings(names: Sequence[str], prefix: str) -> dict[str, str]:
    known = {name: name for name in names}
    for language in LANGUAGES:
        texts = catalogue(language)
        known |= {plain(texts.get(f"{prefix}.{name}", name)): name for name in names}
    return known
