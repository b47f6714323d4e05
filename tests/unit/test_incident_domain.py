"""Incidents without a database: deadlines, risk, what may be written, and files of accidents."""

import contextlib
import io
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from safety.incidents.accident_entry import COLUMNS, as_texts, read_entry
from safety.incidents.accident_files import Accidents, read_accidents, template
from safety.incidents.deadlines import (
    Urgency,
    countdown,
    form_due,
    is_serious,
    is_serious_industrial,
    month_after,
)
from safety.incidents.errors import IncidentError
from safety.incidents.risk import Level, level
from safety.incidents.tables import MOST_BYTES, MOST_ROWS
from safety.incidents.texts import checked, cleaned
from safety.incidents.types import AccidentKind, Outcome, WorkerGroup

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("event", "last"),
    [
        ("2026-01-15", "2026-02-15"),
        ("2026-01-30", "2026-02-28"),  # the 31st begins, February has none
        ("2026-01-31", "2026-02-28"),  # from 1 February to its end
        ("2026-02-28", "2026-03-31"),  # from 1 March to its end
        ("2026-12-31", "2027-01-31"),
        ("2024-01-29", "2024-02-29"),
        ("2026-11-30", "2026-12-31"),
    ],
)
def test_a_month_after_an_event(event: str, last: str) -> None:
    assert month_after(date.fromisoformat(event)) == date.fromisoformat(last)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_a_month_is_never_shorter_than_february_and_follows_the_calendar(day: date) -> None:
    assert 28 <= (month_after(day) - day).days <= 31
    assert month_after(day + timedelta(days=1)) >= month_after(day)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What duties depend on."""

    occurred_on: date = date(2026, 3, 5)
    injured: int = 1
    deaths: int = 0
    lost_days: float = 0.0
    long_treatment: int = 0
    longer_treatment: int = 0
    occupational_disease: bool = False


@pytest.mark.parametrize(
    ("facts", "form", "serious", "industrial"),
    [
        (Facts(), False, False, False),
        (Facts(lost_days=2), False, False, False),
        (Facts(lost_days=3), True, False, False),
        (Facts(deaths=1), True, True, True),
        (Facts(injured=2, long_treatment=2, lost_days=200), True, True, False),
        (Facts(injured=2, long_treatment=2, longer_treatment=2, lost_days=400), True, True, True),
        (Facts(injured=9), False, False, False),
        (Facts(injured=10), False, True, False),
        (Facts(injured=3, occupational_disease=True), False, False, True),
    ],
)
def test_what_the_law_wants(facts: Facts, form: bool, serious: bool, industrial: bool) -> None:
    assert form_due(facts) == (date(2026, 4, 5) if form else None)
    assert is_serious(facts) is serious
    assert is_serious_industrial(facts) is industrial


@pytest.mark.parametrize(
    ("days", "done", "urgency"),
    [
        (8, False, Urgency.AHEAD),
        (7, False, Urgency.SOON),
        (0, False, Urgency.TODAY),
        (-1, False, Urgency.OVERDUE),
        (-1, True, Urgency.DONE),
    ],
)
def test_a_deadline_counts_down(days: int, done: bool, urgency: Urgency) -> None:
    left = countdown(TODAY + timedelta(days=days), TODAY, done=done)
    assert (left.days, left.urgency) == (days, urgency)


def test_the_risk_matrix() -> None:
    rows = [[level(f, s) for s in (1, 2, 3)] for f in (1, 2, 3)]
    low, medium, high = Level.LOW, Level.MEDIUM, Level.HIGH
    assert rows == [[low, low, medium], [low, medium, high], [medium, high, high]]
    assert level(None, None) is None
    for wrong in ((0, 1), (1, 4), (2, None), (None, 2)):
        with pytest.raises(IncidentError):
            level(*wrong)


class TestResidentNumbers:
    """They are never kept."""

    @pytest.mark.parametrize(
        "text",
        [
            "900101-1234567",
            "김민수(900101-1234567)",
            "9001011234568",
            "2502283123456",
            "9103155123456",
            "900101 - 1234567",
            "900101–1234567",
            "９００１０１－１２３４５６７",
            "9\u200b00101-12345\u200b67",
            "90\x070101-1234567",
            "900101-1******",
            "250228-3123456",
            "910315-5123456",
        ],
    )
    def test_what_looks_like_one_is_refused(self, text: str) -> None:
        with pytest.raises(IncidentError, match="resident"):
            checked(text, "accident.field.place", most=100)

    @pytest.mark.parametrize(
        "text",
        [
            "123-45-67890",
            "010-1234-5678",
            "2026-03-05 12:00:00",
            "901301-1234567",
            "8801234567894",
            "12345678901234567890",
            "A-2026-0012",
        ],
    )
    def test_what_does_not_is_kept(self, text: str) -> None:
        assert checked(text, "accident.field.place") == text

    @given(st.text())
    def test_cleaning_again_changes_nothing(self, text: str) -> None:
        once = cleaned(text)
        assert cleaned(once) == once
        assert "\x00" not in once


VALUES = {
    "occurred_on": "2026. 3. 5.",
    "occurred_time": "9시 5분",
    "kind": "끼임",
    "worker_group": "Contractor's workers",
    "lost_days": "14일",
}


def test_an_accident_as_people_write_it() -> None:
    entry = read_entry(VALUES, today=TODAY).entry
    assert entry is not None
    assert (entry.occurred_on, entry.occurred_time) == (date(2026, 3, 5), "09:05")
    assert (entry.kind, entry.outcome) == (AccidentKind.CAUGHT, Outcome.LOST_TIME)
    assert (entry.worker_group, entry.lost_days) == (WorkerGroup.CONTRACTOR, 14.0)
    assert read_entry(as_texts(entry), today=TODAY).entry == entry


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"occurred_on": ""}, "occurred_on"),
        ({"occurred_on": "2026-11-21"}, "occurred_on"),
        ({"occurred_on": "1989-12-31"}, "occurred_on"),
        ({"occurred_on": "2026-02-30"}, "occurred_on"),
        ({"occurred_on": "5.3.2026"}, "occurred_on"),
        ({"occurred_time": "25:00"}, "occurred_time"),
        ({"kind": "끼임사고"}, "kind"),
        ({"kind": ""}, "kind"),
        ({"worker_group": "우리"}, "worker_group"),
        ({"lost_days": "-3"}, "lost_days"),
        ({"lost_days": "1e9"}, "lost_days"),
        ({"lost_days": "nan"}, "lost_days"),
        ({"lost_days": "", "outcome": ""}, "outcome"),
        ({"outcome": "사망"}, "outcome"),
        ({"outcome": "first_aid"}, "outcome"),
        ({"deaths": "1", "outcome": "휴업"}, "outcome"),
        ({"deaths": "2"}, "deaths"),
        ({"injured": "0"}, "injured"),
        ({"injured": "1.5"}, "injured"),
        ({"longer_treatment": "1"}, "longer_treatment"),
        ({"occupational_disease": "maybe"}, "occupational_disease"),
        ({"place": "x" * 201}, "place"),
        ({"description": "김민수 900101-1234567"}, "description"),
    ],
)
def test_what_is_refused_and_where(changes: dict[str, str], where: str) -> None:
    reading = read_entry(VALUES | changes, today=TODAY)
    assert reading.entry is None
    assert set(reading.problems) == {where}


def table(*rows: str) -> str:
    return "\r\n".join(("발생일,발생 형태,근로자 구분,휴업 일수,발생 장소", *rows)) + "\r\n"


LINE = "2026-03-05,끼임,소속 근로자,14,2동 프레스 🔥"


def sheet(*rows: tuple[object, ...]) -> bytes:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


class TestFiles:
    """CSV and XLSX."""

    def read(self, data: bytes) -> Accidents:
        return read_accidents(data, today=TODAY)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
    def test_every_encoding_that_excel_writes(self, encoding: str) -> None:
        text = table(LINE if encoding != "cp949" else LINE.replace("🔥", ""))
        found = self.read(text.encode(encoding))
        assert [line.number for line in found.lines] == [2]
        assert found.lines[0].entry.place.startswith("2동 프레스")

    @pytest.mark.parametrize("delimiter", [";", "\t"])
    def test_other_delimiters(self, delimiter: str) -> None:
        assert len(self.read(table(LINE).replace(",", delimiter).encode()).lines) == 1

    @pytest.mark.parametrize("language", ["ko", "en"])
    def test_the_template_can_be_filled_in_and_its_example_does_not_count(
        self, language: str
    ) -> None:
        made = template(language)
        assert made.startswith(b"\xef\xbb\xbf")
        assert self.read(made).lines == []
        text = made.decode("utf-8-sig").replace("예시", "A-1").replace("Example", "A-1")
        assert self.read(text.encode()).lines[0].entry.reference == "A-1"
        assert len(text.splitlines()[0].split(",")) == len(COLUMNS)

    def test_faults_are_named_by_line_and_column_and_the_rest_is_kept(self) -> None:
        found = self.read(
            table(LINE, "2027-01-01,끼임,소속 근로자,1,", "", ",,,,", "x,y,z,-1,").encode(
                "cp949", "ignore"
            )
        )
        assert len(found.lines) == 1
        assert [(each.line, each.column) for each in found.problems] == [
            (3, "occurred_on"),
            (6, "occurred_on"),
            (6, "kind"),
            (6, "worker_group"),
            (6, "lost_days"),
        ]

    def test_a_sheet_with_real_dates_and_numbers(self) -> None:
        found = self.read(
            sheet(
                ("Date", "Time", "How it happened", "Worker group", "Days off", "Notes"),
                (datetime(2026, 3, 5), time(9, 30), "Slip or trip", "own", 14, None),  # noqa: DTZ001
                (None, None, None, None, None, None),
                ("2026-03-06", "10:00", "fall", "contractor", 2.5, "x"),
            )
        )
        assert found.problems == []
        entries = [line.entry for line in found.lines]
        assert [e.occurred_time for e in entries] == ["09:30", "10:00"]
        assert [e.lost_days for e in entries] == [14.0, 2.5]

    @pytest.mark.parametrize(
        ("data", "key"),
        [
            (b"", "accident.no_columns"),
            (b"\x00\x01\x02\xff", "accident.not_a_table"),
            (b"\x89PNG\r\n\x1a\n" + bytes(100), "accident.not_a_table"),
            (b"\xd0\xcf\x11\xe0" + bytes(100), "accident.old_excel"),
            (b"PK\x03\x04" + bytes(100), "accident.not_a_table"),
            (b"a,b,c\n1,2,3\n", "accident.no_columns"),
            ("발생일,발생일,발생 형태,근로자 구분\n".encode(), "accident.twice"),
            (table('"' + "x" * 200_000 + '"').encode(), "accident.bad_csv"),
            (bytes(MOST_BYTES + 1), "accident.file_too_large"),
            (table(*[LINE] * (MOST_ROWS + 1)).encode(), "accident.too_many_rows"),
        ],
        ids=lambda value: value if isinstance(value, str) else f"{len(value)}",
    )
    def test_files_that_cannot_be_used(self, data: bytes, key: str) -> None:
        with pytest.raises(IncidentError) as refused:
            self.read(data)
        assert refused.value.key == key

    def test_a_sheet_that_unpacks_to_too_much_is_not_unpacked(self) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("xl/worksheets/sheet1.xml", bytes(70 * 1024 * 1024))
        assert len(file.getvalue()) < 200_000
        with pytest.raises(IncidentError, match="no table"):
            self.read(file.getvalue())

    @settings(max_examples=50)
    @given(st.binary(max_size=300))
    def test_whatever_is_sent_is_read_or_refused(self, data: bytes) -> None:
        with contextlib.suppress(IncidentError):
            self.read(data)
