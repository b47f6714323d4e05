"""The monthly report as a machine reads it: a closed, versioned schema.

Every number is what was counted, never what a layout needs; rates carry their numerator and
denominator. ``None`` says "not known" and is never written as zero. Hours are decimal hours,
times are UTC, days and months are of the site's time zone.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from safety.reports.schema_base import Count, Figure, Hours, Month, Number, Part
from safety.reports.schema_watching import (
    AlertFacts,
    CameraCoverage,
    Change,
    Chart,
    ChartPoint,
    Indicator,
    PpeFacts,
    PpeShare,
    ReasonHours,
    Tally,
    Violations,
)

SCHEMA = "anjeon-monthly-report"
SCHEMA_VERSION = "1.1"
"""1.1 added ``ppe``. A minor version adds parts and changes none."""

__all__ = [
    "SCHEMA",
    "SCHEMA_VERSION",
    "Accidents",
    "ActionRow",
    "AlertFacts",
    "BaselineChange",
    "BaselineFacts",
    "CameraCoverage",
    "Change",
    "Chart",
    "ChartPoint",
    "Figure",
    "IncidentRow",
    "Indicator",
    "MonthRow",
    "MonthlyReport",
    "Part",
    "PeriodFacts",
    "PlainFigure",
    "PpeFacts",
    "PpeShare",
    "ReasonHours",
    "SiteFacts",
    "Tally",
    "Target",
    "Violations",
]


class SiteFacts(Part):
    """Whose report it is. ``id`` is drawn once and never changes."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    timezone: str


class PlainFigure(Part):
    """A figure without an interval; ``why`` is a key that says why there is none."""

    value: Number | None
    why: str | None = None


class MonthRow(Part):
    """One month of the site as its people entered it; None: not entered."""

    month: Month
    hours: Hours | None
    headcount: Count | None
    accidents: Count
    injured: Count
    lost_time: Count
    deaths: Count
    lost_days: Hours


class Accidents(Part):
    """Injuries of the reported month, and the rates of the year up to it."""

    month: MonthRow
    year_to_date: MonthRow
    injury_rate: Figure
    fatality_rate: Figure
    frequency_rate: Figure
    lost_time_frequency_rate: Figure
    total_recordable_rate: Figure
    severity_rate: PlainFigure
    mean_severity: PlainFigure


class BaselineFacts(Part):
    """What the programme compares with, and every change of it."""

    first_month: Month
    last_month: Month
    programme_start: Month
    groups: Literal["own", "all"]
    """Whose workers count."""
    registered_at: datetime
    changes: tuple["BaselineChange", ...] = ()


class BaselineChange(Part):
    """An earlier window, and why it was given up."""

    first_month: Month
    last_month: Month
    programme_start: Month
    changed_at: datetime
    reason: str


class PeriodFacts(Part):
    """Accidents and hours worked of all complete months of one side of the comparison."""

    months: Count
    months_without_hours: tuple[Month, ...]
    cases: Count
    hours: Hours


class Target(Part):
    """The 20 % target, as far as this site can say anything about it.

    Attributes:
        verdict: One of ``safety.kpi.verdict.Verdict``.
        ratio, lower, upper: Rate ratio now / baseline; ``upper`` None: no limit.
        power: Chance that this site could show a 20 % drop with the baseline it has.
        apparent_drop: Chance of a "20 % drop" at this count although nothing changed.
        months_needed: Further months at the present rate; None: not within ten years.
        bad_year: The baseline was worse than the years round it; a fall back is to be expected.
    """

    baseline: BaselineFacts | None
    before: PeriodFacts | None
    after: PeriodFacts | None
    verdict: str
    why: str | None = None
    ratio: Number | None = None
    lower: Number | None = None
    upper: Number | None = None
    p_changed: Number | None = None
    p_target: Number | None = None
    power: Number | None = None
    apparent_drop: Number | None = None
    cases_needed: Count | None = None
    months_needed: Count | None = None
    bad_year: bool | None = None


class IncidentRow(Part):
    """An incident without names; ``number`` is what people on the site call it."""

    number: int
    kind: str
    state: str
    occurred_on: date
    place: str
    summary: str
    causes: tuple[str, ...]
    actions: tuple["ActionRow", ...]


class ActionRow(Part):
    """A corrective action without names."""

    text: str
    control: str
    state: str
    due_on: date | None
    done_on: date | None
    overdue: bool


class MonthlyReport(Part):
    """One month of one site."""

    schema_name: Annotated[Literal["anjeon-monthly-report"], Field(alias="schema")]
    schema_version: Annotated[str, Field(pattern=r"^1\.\d+$")]
    software: str
    site: SiteFacts
    month: Month
    revision: Annotated[int, Field(ge=1)]
    revision_reason: str | None
    revised_at: datetime
    closed: bool
    fictional: bool
    """Made from demonstration data."""
    months: tuple[MonthRow, ...]
    """From the first month of the baseline to the reported one."""
    target: Target
    accidents: Accidents
    incidents: tuple[IncidentRow, ...]
    violations: Violations
    indicators: tuple[Indicator, ...]
    coverage: tuple[CameraCoverage, ...]
    alerts: AlertFacts
    changes: tuple[Change, ...]
    charts: tuple[Chart, ...]
    notes: tuple[str, ...]
    """Keys of method notes that apply."""
    ppe: PpeFacts | None = None
    """None: the report is older than this part."""

    @model_serializer(mode="wrap")
    def _as_made(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A report that was kept before a part existed is written without it, byte by byte."""
        document: dict[str, Any] = write(self)
        if self.schema_version == "1.0":
            document.pop("ppe", None)
        return document
