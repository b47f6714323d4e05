"""Files of hours worked, as spreadsheets write them."""

import io
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from safety.errors import AnjeonError
from safety.incidents.errors import IncidentError
from safety.incidents.hours_files import (
    HoursFile,
    HoursLine,
    hours_template,
    read_hours_file,
    read_month,
    read_worked,
)
from safety.store import work_imports, work_months
from safety.store.database import Database
from safety.store.refusals import Conflict

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def lines(found: HoursFile) -> list[tuple[str, str, float, int]]:
    return [(one.month, one.group, one.hours, one.headcount) for one in found.lines]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949", "utf-16"])
def test_a_korean_table_in_any_encoding(encoding: str) -> None:
    text = (
        "월,근로자 구분,근로시간,근로자 수\r\n"
        '2026년 9월,소속 근로자,"10,464.5시간",60명\r\n'
        "2026. 10.,협력업체 근로자,640,4\r\n"
    )
    assert lines(read_hours_file(text.encode(encoding))) == [
        ("2026-09", "own", 10_464.5, 60),
        ("2026-10", "contractor", 640, 4),
    ]


def test_a_spreadsheet_with_dates_and_numbers() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Month", "Hours worked", "Headcount"])
    sheet.append([date(2026, 10, 1), 8320, 52])
    stream = io.BytesIO()
    book.save(stream)
    assert lines(read_hours_file(stream.getvalue())) == [("2026-10", "own", 8320, 52)]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_template_is_read_back_and_its_empty_lines_mean_nothing(language: str) -> None:
    template = hours_template(language, ["2026-09", "2026-10"])
    assert read_hours_file(template) == HoursFile(lines=[], problems=[])
    filled = template.decode("utf-8-sig").splitlines()
    filled[1] = filled[1].removesuffix(",,") + ",8320,52"
    assert lines(read_hours_file("\n".join(filled).encode())) == [("2026-09", "own", 8320, 52)]


@pytest.mark.parametrize(
    ("line", "column", "key"),
    [
        ("2026-13,own,8320,52", "month", "month.form"),
        (",own,8320,52", "month", "month.form"),
        ("2026-10,guests,8320,52", "group", "accident.bad_choice"),
        ("2026-10,own,-8320,52", "hours", "hours.bad_hours"),
        ("2026-10,own,nan,52", "hours", "hours.bad_hours"),
        ("2026-10,own,1e999,52", "hours", "hours.bad_hours"),
        ("2026-10,own,,52", "hours", "hours.bad_hours"),
        ("2026-10,own,8320,", "headcount", "accident.bad_number"),
        ("2026-10,own,8320,52.5", "headcount", "accident.bad_number"),
        ("2026-10,own,8320,-1", "headcount", "accident.bad_number"),
    ],
)
def test_a_bad_line_is_told_with_its_place_and_the_others_are_read(
    line: str, column: str, key: str
) -> None:
    found = read_hours_file(f"month,group,hours,headcount\n{line}\n2026-09,own,1,1\n".encode())
    assert [(one.line, one.column, one.error.key) for one in found.problems] == [(2, column, key)]
    assert lines(found) == [("2026-09", "own", 1, 1)]


def test_a_month_that_is_there_twice_counts_once() -> None:
    found = read_hours_file(b"month,hours,headcount\n2026-09,1,1\n2026.9,2,2\n")
    assert lines(found) == [("2026-09", "own", 1, 1)]
    assert [(one.line, one.error.key) for one in found.problems] == [(3, "hours.twice")]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"", "accident.no_columns"),
        (b"month,hours\n2026-09,1\n", "accident.no_columns"),
        (b"month,hours,hours,headcount\n", "accident.twice"),
        (b"\xd0\xcf\x11\xe0", "accident.old_excel"),
        (b"PK\x03\x04 no archive", "accident.not_a_table"),
        (b"\x00\xff\x00\x81", "accident.not_a_table"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(data: bytes, key: str) -> None:
    with pytest.raises(IncidentError) as refused:
        read_hours_file(data)
    assert refused.value.key == key


@given(st.text(max_size=30))
def test_no_text_breaks_the_readers(text: str) -> None:
    for read in (read_month, read_worked):
        try:
            read(text)
        except AnjeonError as error:
            assert error.key in {"month.form", "hours.bad_hours"}  # noqa: PT017


def worked(month: str, hours: float, headcount: int = 60, number: int = 2) -> HoursLine:
    return HoursLine(number=number, month=month, group="own", hours=hours, headcount=headcount)


def test_a_file_is_compared_first_and_replaces_nothing_unasked(database: Database) -> None:
    def enter(month: str, hours: float) -> None:
        with database.transaction() as session:
            work_months.put(
                session,
                month=month,
                group="own",
                hours=hours,
                headcount=60,
                source="entered",
                by="kim",
                at=NOW,
            )

    enter("2026-08", 9_000)
    enter("2026-09", 9_000)
    found = HoursFile(
        lines=[
            worked("2026-08", 9_000),
            worked("2026-09", 8_000),
            worked("2026-10", 8_500),
            worked("2027-01", 8_500, number=5),
            worked("2026-07", 90_000, number=6),
            worked("2026-99", 1, number=7),
        ],
        problems=[],
    )
    with database.transaction() as session:
        compared = work_imports.compare(session, found, at=NOW)
        assert [one.fate for one in compared.lines] == ["same", "differs", "new"]
        assert [(one.line, one.error.key) for one in compared.problems] == [
            (5, "work_month.future"),
            (6, "work_month.too_many"),
            (7, "month.form"),
        ]
        assert work_imports.apply(session, compared, replace=False, by="kim", at=NOW) == 1
    with database.transaction() as session:
        again = work_imports.compare(session, found, at=NOW)
        assert work_imports.apply(session, again, replace=True, by="kim", at=NOW) == 1
    with pytest.raises(Conflict), database.transaction() as session:
        work_imports.apply(session, compared, replace=True, by="kim", at=NOW)
    with database.reading() as session:
        rows = work_months.list_months(session)
    assert [(row.month, row.hours, row.source) for row in rows] == [
        ("2026-08", 9_000, "entered"),
        ("2026-09", 8_000, "import"),
        ("2026-10", 8_500, "import"),
    ]
