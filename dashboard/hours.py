"""Hours worked and headcount of a year, as the page shows and sends them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session
from starlette.datastructures import FormData

from dashboard import forms
from dashboard.visit import Visit
from safety.errors import AnjeonError
from safety.i18n import explain
from safety.incidents.errors import IncidentError
from safety.incidents.hours_files import MOST_PEOPLE, read_worked
from safety.incidents.reading import read_count
from safety.months import month_of, months_from
from safety.store import work_months
from safety.store.kpi_tables import WorkMonth

YEARS = 8
"""Years that the page offers: a baseline may be five years long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursCell:
    """One month of one group: what the fields show, and what is on record.

    Attributes:
        hours, headcount: As typed or on record; empty: not entered.
        version: Of the entry that the fields were made from; 0: there was none.
    """

    group: str
    hours: str = ""
    headcount: str = ""
    version: int = 0
    changed_by: str = ""
    changed_at: datetime | None = None
    source: str = ""

    @property
    def is_entered(self) -> bool:
        """Whether the record has it."""
        return self.changed_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursRow:
    """One month of all groups."""

    month: str
    cells: Sequence[HoursCell]
    problem: str = ""


def year_of(visit: Visit, text: str) -> int:
    """The year to show: the one that was asked for, else the present one."""
    this = visit.now.astimezone(visit.zone).year
    return int(text) if text.isdecimal() and this - YEARS < int(text) <= this else this


def months_of(visit: Visit, year: int) -> tuple[str, ...]:
    """The year's months that have begun, the newest first."""
    present = month_of(visit.now.astimezone(visit.zone).date())
    return months_from(f"{year}-01", min(present, f"{year}-12"))[::-1]


def rows_on_record(session: Session, months: Sequence[str]) -> list[HoursRow]:
    """What was entered for these months, the newest first."""
    found = work_months.list_months(session, first=months[-1], last=months[0])
    known = {(row.month, row.worker_group): row for row in found}
    return [
        HoursRow(
            month=month,
            cells=[_cell(group, known.get((month, group))) for group in work_months.GROUPS],
        )
        for month in months
    ]


def save_year(visit: Visit, session: Session, months: Sequence[str], form: FormData) -> int:
    """Enter and correct what the form says, all of it or nothing.

    Returns:
        How many months of a group changed.

    Raises:
        HoursRefused: A month cannot be kept as it was typed.
    """
    before = {row.month: row for row in rows_on_record(session, months)}
    problems: dict[str, str] = {}
    changed = 0
    for month in months:
        for cell in before[month].cells:
            try:
                changed += _save_cell(visit, session, month, cell, form)
            except AnjeonError as error:
                problems.setdefault(month, explain(error, visit.language))
    if problems:
        raise HoursRefused(problems)
    return changed


class HoursRefused(AnjeonError):
    """Some months cannot be kept; ``problems`` says why, by month."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("hours.refused", "some months cannot be kept as they were typed")
        self.problems = problems


def typed_rows(
    rows: Sequence[HoursRow], form: FormData, problems: Mapping[str, str]
) -> list[HoursRow]:
    """The rows as somebody filled them in, with what is wrong."""
    return [
        HoursRow(
            month=row.month,
            cells=[
                HoursCell(
                    group=cell.group,
                    hours=_typed(form, "hours", row.month, cell.group),
                    headcount=_typed(form, "heads", row.month, cell.group),
                    version=_version(form, row.month, cell.group),
                    changed_by=cell.changed_by,
                    changed_at=cell.changed_at,
                    source=cell.source,
                )
                for cell in row.cells
            ],
            problem=problems.get(row.month, ""),
        )
        for row in rows
    ]


def _save_cell(visit: Visit, session: Session, month: str, cell: HoursCell, form: FormData) -> bool:
    hours, heads = (_typed(form, name, month, cell.group) for name in ("hours", "heads"))
    if not (hours or heads):
        # A browser sends every field; a program that sends only one month means only that.
        if cell.is_entered and _name("hours", month, cell.group) in form:
            raise IncidentError(
                "hours.emptied",
                "{month} was entered before and cannot be emptied; write 0 if nobody worked",
                month=month,
            )
        return False
    row = work_months.put(
        session,
        month=month,
        group=cell.group,
        hours=read_worked(hours),
        headcount=read_count(heads, most=MOST_PEOPLE),
        source="entered",
        by=visit.actor,
        at=visit.now,
        expected_version=_version(form, month, cell.group),
    )
    return row.version != cell.version


def _cell(group: str, row: WorkMonth | None) -> HoursCell:
    if row is None:
        return HoursCell(group=group)
    return HoursCell(
        group=group,
        hours=f"{row.hours:.10g}",
        headcount=str(row.headcount),
        version=row.version,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
        source=row.source,
    )


def _name(field: str, month: str, group: str) -> str:
    return f"{field}-{month}-{group}"


def _typed(form: FormData, field: str, month: str, group: str) -> str:
    return forms.text(form, _name(field, month, group), limit=40)


def _version(form: FormData, month: str, group: str) -> int:
    version = _typed(form, "version", month, group)
    return int(version) if version.isdecimal() else 0
