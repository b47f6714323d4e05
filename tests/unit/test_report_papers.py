"""Page, PDF, spreadsheet and JSON of one report carry the same numbers."""

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from openpyxl.worksheet.worksheet import Worksheet
from pypdf import PdfReader

from safety.errors import AnjeonError
from safety.i18n import catalogue
from safety.programme.assess import assess
from safety.programme.collect import collect
from safety.programme.sources import on_disk
from safety.programme.words import presented_programme, programme_plots
from safety.reports.files import write_all
from safety.reports.pdf import pdf, report_pdf
from safety.reports.presented import Cell, Presented, Table
from safety.reports.schema import (
    CameraCoverage,
    Chart,
    ChartPoint,
    IncidentRow,
    Indicator,
    MonthlyReport,
    PeriodFacts,
    ReasonHours,
    Tally,
    Target,
)
from safety.reports.signing import opened, signed
from safety.reports.words import presented
from safety.reports.xlsx import report_xlsx, xlsx
from tests.support.reports import hand_in, ppe_facts_of, report_of

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="module")
def report() -> MonthlyReport:
    """A report with something in every part."""
    tally = Tally(key="cell", name="=Cell <b>1</b>", count=37, monitored_hours=713.5, rate=51.8570)
    points = tuple(
        ChartPoint(label=f"2026-{n:02d}", value=float(n), lower=2.0, upper=9.5, signal=n == 10)
        for n in range(1, 12)
    )
    plain = report_of(1)
    return plain.model_copy(
        update={
            "target": Target(
                baseline=None,
                before=PeriodFacts(months=12, months_without_hours=(), cases=9, hours=190_000),
                after=PeriodFacts(months=11, months_without_hours=(), cases=5, hours=182_000),
                verdict="not_enough_data",
                ratio=0.579976,
                lower=0.152708,
                upper=1.927096,
                p_changed=0.4255,
                p_target=0.38,
                power=0.04,
                apparent_drop=0.33,
                cases_needed=363,
            ),
            "violations": plain.violations.model_copy(
                update={"total": 37, "by_zone": (tally,), "by_rule": (tally,)}
            ),
            "coverage": (
                CameraCoverage(
                    camera_id="press",
                    name="Press",
                    installed_hours=720,
                    monitored_hours=713.5,
                    degraded_hours=2.5,
                    blind_hours=3.25,
                    unknown_hours=0.75,
                    reasons=(ReasonHours(state="blind", reason="no_frames", hours=3.25),),
                ),
            ),
            "incidents": (
                IncidentRow(
                    number=7,
                    kind="near_miss",
                    state="closed",
                    occurred_on=datetime(2026, 11, 3, tzinfo=UTC).date(),
                    place="Press",
                    summary="\u0007Hand near the die 😀",
                    causes=("guard open",),
                    actions=(),
                ),
            ),
            "indicators": (
                Indicator(
                    key="violations",
                    month="2026-11",
                    numerator=37,
                    denominator=713.5,
                    unit="per_1000_h",
                    value=51.857,
                    lower=36.5,
                    upper=71.5,
                ),
            ),
            "ppe": ppe_facts_of("hardhat", "vest"),
            "charts": (
                Chart(
                    key="violations",
                    centre=6.0,
                    points=points,
                    breaks=("2026-05",),
                    sentence="chart.violations.signal",
                    params={"months": "2026-10"},
                ),
            ),
        }
    )


def tables(paper: Presented) -> Iterator[Table]:
    yield paper.main
    for section in paper.sections:
        yield from section.tables


def squeezed(text: str) -> str:
    """Without what setting type changes: spaces, line ends, hyphens, what fonts do not have."""
    return re.sub(r"[\s\u00ad\u200b-]|[^\u0000-\uffff]|[\u0000-\u001f]", "", text)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_pdf_shows_every_number_of_the_report(report: MonthlyReport, language: str) -> None:
    paper = presented(report, language)
    pages = [
        page.extract_text() for page in PdfReader(io.BytesIO(report_pdf(report, language))).pages
    ]
    text = squeezed("".join(pages))
    assert squeezed(paper.verdict) in squeezed(pages[0])
    for one in tables(paper):
        for row in one.rows:
            for cell, numeric in zip(row, one.numeric, strict=True):
                if numeric:
                    assert squeezed(cell.text) in text
    for headline in paper.headlines:
        assert squeezed(headline.text) in squeezed(pages[0])
    assert all(squeezed(who) in squeezed(pages[0]) for who in paper.signatures)


def test_the_spreadsheet_has_the_same_values_and_its_formulas_compute_them(
    report: MonthlyReport,
) -> None:
    paper = presented(report, "en")
    content = report_xlsx(report, "en")
    book = openpyxl.load_workbook(io.BytesIO(content))
    shown = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    formulas = 0
    for section in paper.sections:
        for one in section.tables:
            sheet = book[section.title[:31]]
            first = next(
                cell.row for cell in sheet["A"] if cell.value == one.title and cell.row is not None
            )
            for number, row in enumerate(one.rows):
                for column, cell in enumerate(row, start=1):
                    place = first + 2 + number, column
                    formulas += _same(sheet, *place, cell)
                    if cell.formula:  # what a viewer shows that calculates nothing
                        assert shown[section.title[:31]].cell(*place).value == cell.value
    assert formulas > 5


def _same(sheet: Worksheet, row: int, column: int, wanted: Cell) -> bool:
    """Whether it is a formula; fails where the sheet says something else than the report."""
    found = sheet.cell(row, column)
    if not wanted.formula:
        expected = wanted.value
        if isinstance(expected, str):
            assert found.data_type == "s"
            expected = re.sub(r"[\u0000-\u0008]", "", expected)
        assert found.value == expected or (found.value is None and expected in {None, ""})
        return False
    inner = re.fullmatch(r'=IF\(([\w+]+)>0,(.+),""\)', str(found.value))
    assert inner is not None
    expression = re.sub(r"[A-Z]+\d+", lambda place: str(sheet[place[0]].value), inner[2])
    assert wanted.value == pytest.approx(eval(expression, {}), rel=1e-3)
    return True


def test_the_signed_file_has_the_same_numbers(report: MonthlyReport) -> None:
    document, _ = opened(signed(report, KEY), name="x")
    assert MonthlyReport.model_validate(document) == report
    paper = json.dumps(document)
    assert '"count": 37' in paper


def test_a_report_of_before_is_written_as_it_was(report: MonthlyReport) -> None:
    former = report.model_copy(update={"schema_version": "1.0", "ppe": None})
    document, _ = opened(signed(former, KEY), name="x")
    assert "ppe" not in document
    again = MonthlyReport.model_validate(document)
    assert signed(again, KEY) == signed(former, KEY)
    assert "ppe" in presented(again, "en").sections[5].key


def test_the_same_report_is_the_same_pdf_and_spreadsheet(report: MonthlyReport) -> None:
    assert report_pdf(report, "ko") == report_pdf(report, "ko")
    assert report_xlsx(report, "ko") == report_xlsx(report, "ko")


def test_every_word_of_a_report_is_translated(report: MonthlyReport) -> None:
    known = {key for language in ("ko", "en") for key in catalogue(language)}
    for language in ("ko", "en"):
        paper = presented(report, language)
        words = [paper.title, paper.verdict, *paper.explained, *paper.signatures]
        words += [sentence for section in paper.sections for sentence in section.sentences]
        words += [head for one in tables(paper) for head in one.heads]
        words += [cell.text for one in tables(paper) for row in one.rows for cell in row]
        assert not [word for word in words if word in known or word.startswith("report.")]


def test_a_site_without_any_data_gets_a_paper_without_nonsense() -> None:
    bare = report_of(1, before=None, after=None, installed=0.0, monitored=0.0)
    for language in ("ko", "en"):
        text = "".join(
            page.extract_text() for page in PdfReader(io.BytesIO(report_pdf(bare, language))).pages
        )
        assert "nan" not in text.lower()
        assert "None" not in text


def test_the_programmes_papers(tmp_path: Path) -> None:
    for number in range(1, 30):
        hand_in(tmp_path, report_of(number), KEY)
    (tmp_path / "bad.json").write_text("{}", "utf-8")
    collected = collect(on_disk(tmp_path.iterdir()))
    programme = assess(collected)
    made_at = datetime(2026, 12, 3, tzinfo=UTC)
    for language in ("ko", "en"):
        paper = presented_programme(
            programme, collected.problems, language=language, made_at=made_at
        )
        pages = PdfReader(io.BytesIO(pdf(paper, programme_plots(programme, language)))).pages
        text = squeezed("".join(page.extract_text() for page in pages))
        assert squeezed(paper.verdict) in text
        assert "bad.json" in text
        book = openpyxl.load_workbook(io.BytesIO(xlsx(paper)))
        assert len(book.sheetnames) == 7


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    (path,) = write_all(tmp_path / "new", {"a.pdf": b"1"})
    assert path.read_bytes() == b"1"
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(AnjeonError) as refused:
        write_all(blocked, {"a.pdf": b"1"})
    assert refused.value.key == "report.not_written"
