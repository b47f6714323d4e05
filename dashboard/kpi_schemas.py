"""What the API takes and answers about hours, the baseline and reports."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from dashboard.reports import MonthState
from dashboard.schemas import Answer
from safety.store.kpi_tables import Baseline, WorkMonth

MonthText = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


class Body(BaseModel):
    """Base of all requests: what is not known is refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class WorkMonthBody(Body):
    """Hours worked and people employed in one month."""

    hours: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    headcount: Annotated[int, Field(ge=0)]


class WorkMonthInfo(Answer):
    """One month of one group; its version is the ETag."""

    month: str
    group: Literal["own", "contractor"]
    hours: float
    headcount: int
    source: str
    """``entered``, ``import`` or ``fictional``."""
    changed_at: datetime
    changed_by: str
    version: int


class ComparedLine(Answer):
    """A usable line of a file beside the record."""

    line: int
    month: str
    group: str
    hours: float
    headcount: int
    fate: Literal["new", "same", "differs"]


class LineProblem(Answer):
    """What is wrong in a line; ``column`` is empty if the whole line is meant."""

    line: int
    column: str
    code: str
    text: str


class HoursImport(Answer):
    """What a file would do, or has done."""

    changed: int
    """Months of a group that were entered; 0 for a dry run."""
    lines: Sequence[ComparedLine]
    problems: Sequence[LineProblem]


class BaselineBody(Body):
    """The window that the programme compares with."""

    first_month: MonthText
    last_month: MonthText
    programme_start: MonthText
    groups: Literal["own", "all"] = "own"
    """Whose workers count."""
    reason: Annotated[str, Field(max_length=500)] = ""
    """Why a registered baseline is changed; every report prints it."""


class BaselineInfo(Answer):
    """A registered baseline, and all before it."""

    first_month: str
    last_month: str
    programme_start: str
    groups: str
    reason: str
    registered_at: datetime
    registered_by: str
    earlier: Sequence["BaselineInfo"] = ()


class ReportInfo(Answer):
    """Where one month's report stands; without a revision none was made."""

    month: str
    is_over: bool
    revision: int | None = None
    made_at: datetime | None = None
    made_by: str | None = None
    reason: str = ""
    sha256: str | None = None
    """Of the report as canonical JSON, without its signature."""


class RevisionBody(Body):
    """A new revision."""

    reason: Annotated[str, Field(max_length=500)]
    """Printed on the report."""


def work_month_info(row: WorkMonth) -> WorkMonthInfo:
    """A month as the API says it."""
    return WorkMonthInfo(
        month=row.month,
        group="own" if row.worker_group == "own" else "contractor",
        hours=row.hours,
        headcount=row.headcount,
        source=row.source,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        version=row.version,
    )


def baseline_info(rows: Sequence[Baseline]) -> BaselineInfo:
    """The newest of these baselines (oldest first), with the others as its history."""
    names = set(BaselineInfo.model_fields) - {"earlier"}
    infos = [BaselineInfo(**{name: getattr(row, name) for name in names}) for row in rows]
    return infos[-1].model_copy(update={"earlier": infos[:-1]})


def report_info(state: MonthState) -> ReportInfo:
    """A month's report as the API lists it."""
    making = state.making
    if making is None:
        return ReportInfo(month=state.month, is_over=state.is_over)
    return ReportInfo(
        month=state.month,
        is_over=state.is_over,
        revision=making.revision,
        made_at=making.at,
        made_by=making.by,
        reason=making.reason,
        sha256=making.sha256,
    )
