"""The monthly report's parts on what cameras saw and what became of it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from safety.reports.schema_base import Count, Figure, Hours, Month, Number, Part


class Tally(Part):
    """Something counted against monitored time; ``rate`` per 1,000 monitored camera-hours."""

    key: str
    name: str
    count: Count
    monitored_hours: Hours
    rate: Number | None


class Violations(Part):
    """Violations of the month. ``by_hour`` has 7 rows (Monday first) of 24 counts."""

    total: Count
    shadow: Count
    by_kind: tuple[Tally, ...]
    by_zone: tuple[Tally, ...]
    by_rule: tuple[Tally, ...]
    by_shift: tuple[Tally, ...]
    by_hour: Annotated[tuple[tuple[Count, ...], ...], Field(min_length=7, max_length=7)]


class Indicator(Part):
    """A leading indicator of the month beside those of the months before it."""

    key: str
    month: Month
    numerator: Number
    denominator: Hours
    unit: str
    value: Number | None
    lower: Number | None
    upper: Number | None


class PpeShare(Part):
    """For how long an item was worn where it had to be, in person-hours that cameras saw.

    ``share`` is worn / (worn + missing); time in which nobody could tell is in neither. The
    interval takes days as the unit, and is None where too few days tell anything.
    """

    key: str
    name: str
    item: str
    worn_hours: Hours
    missing_hours: Hours
    unknown_hours: Hours
    days: Count
    stays: Count
    share: Number | None
    lower: Number | None
    upper: Number | None


class PpeFacts(Part):
    """Protective equipment by item, and by item within zones, rules, shifts and hours (00-23)."""

    overall: tuple[PpeShare, ...] = ()
    by_zone: tuple[PpeShare, ...] = ()
    by_rule: tuple[PpeShare, ...] = ()
    by_shift: tuple[PpeShare, ...] = ()
    by_hour: tuple[PpeShare, ...] = ()


class CameraCoverage(Part):
    """How long a camera really watched. The hours add up to ``installed_hours``."""

    camera_id: str
    name: str
    installed_hours: Hours
    monitored_hours: Hours
    degraded_hours: Hours
    blind_hours: Hours
    unknown_hours: Hours
    reasons: tuple["ReasonHours", ...]


class ReasonHours(Part):
    """Hours that a camera did not fully watch, for one reason."""

    state: str
    reason: str
    hours: Hours


class AlertFacts(Part):
    """What became of the month's alerts; medians are None without any."""

    raised: Count
    acknowledged: Count
    median_acknowledge_s: Number | None
    confirmed: Count
    false_alarms: Count
    precision: Figure
    deliveries: Count
    delivered: Count
    late: Count
    given_up: Count


class Change(Part):
    """A change of cameras, rules, networks or settings that breaks the series of figures."""

    at: datetime
    kind: Literal["camera", "zone", "rule", "model", "channel", "baseline", "plant", "software"]
    subject: str
    what: str


class ChartPoint(Part):
    """One point of a control chart; None: nothing was monitored."""

    label: str
    value: Number | None
    lower: Number | None
    upper: Number | None
    signal: bool


class Chart(Part):
    """A control chart and the sentence that explains it (a key with its values)."""

    key: str
    centre: Number | None
    points: tuple[ChartPoint, ...]
    breaks: tuple[str, ...]
    sentence: str
    params: dict[str, str | int | float] = Field(default_factory=dict)
