"""What the page of figures shows: a month's report in words, or one zone of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, func, select

from dashboard.report_desk import Shown, picture_version
from dashboard.visit import Visit
from safety.months import MonthFault, checked_month, month_of, months_from, shifted, span
from safety.reports.coverage import monitored_hours
from safety.reports.monthly import Maker
from safety.reports.presented import Presented, Section, Table
from safety.reports.schema import Chart, MonthlyReport
from safety.reports.violations import violation_facts
from safety.reports.words import presented
from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from safety.store.kpi_tables import Baseline, WorkMonth
from safety.store.refusals import NotFound
from safety.store.report_counts import violation_counts
from safety.store.tables import Coverage

MOST_MONTHS = 48
"""Months that the page offers."""

HEAT_LEVELS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiView:
    """The page of one month.

    Attributes:
        paper: All words and numbers, the same as in the PDF and the spreadsheet.
        picture: Version of the pictures, for their addresses.
        charts: By key, for the tables beside the pictures.
        months: That can be chosen, the newest first.
        zones: (id, name) that can be chosen.
        zone: The chosen one's section, counted from the record as it is now; None: all.
    """

    shown: Shown
    paper: Presented
    picture: str
    charts: Mapping[str, Chart]
    months: Sequence[str]
    zones: Sequence[tuple[str, str]]
    zone: Section | None
    zone_id: str

    @property
    def report(self) -> MonthlyReport:
        """What the words are made of."""
        return self.shown.report

    @property
    def without_hours(self) -> Sequence[str]:
        """Months of the report's year whose hours nobody has entered: they have no rates."""
        year = self.report.month[:4]
        return [
            row.month for row in self.report.months if row.hours is None and row.month[:4] == year
        ]


def maker_of(visit: Visit) -> Maker:
    """Whoever asks, as a maker of reports."""
    with visit.database.reading() as session:
        site = load_site(session).spec
    return Maker(site=site, now=visit.now, by=visit.actor)


def wanted_month(visit: Visit, text: str, months: Sequence[str]) -> str:
    """The month that was asked for, else the running one.

    Raises:
        NotFound: There is no such month to show.
    """
    if not text:
        return months[0]
    try:
        month = checked_month(text)
    except MonthFault:
        raise NotFound("month", text[:40]) from None
    if month not in months:
        raise NotFound("month", month)
    return month


def known_months(session: Session, today: date) -> Sequence[str]:
    """Months that have anything to show, the newest first."""
    present = month_of(today)
    oldest = shifted(present, 1 - MOST_MONTHS)
    watched = session.exec(select(func.min(Coverage.started_at))).first()
    worked = session.exec(select(func.min(WorkMonth.month))).first()
    compared = session.exec(select(func.min(Baseline.first_month))).first()
    starts = (worked, compared, month_of(watched.date()) if watched is not None else None)
    first = max(min((each for each in starts if each), default=present), oldest)
    return months_from(min(first, present), present)[::-1]


def read_kpi(visit: Visit, month: str, zone_id: str) -> KpiView:
    """The page of a month.

    Raises:
        NotFound: There is no such month or zone.
    """
    maker = maker_of(visit)
    with visit.database.reading() as session:
        months = known_months(session, maker.today)
    shown = visit.services.reports.shown(visit.database, maker, wanted_month(visit, month, months))
    zones = [(zone.id, zone.name) for zone in maker.site.zones]
    if zone_id and zone_id not in dict(zones):
        raise NotFound("zone", zone_id[:63])
    zone = _zone_section(visit, maker, shown.report, zone_id) if zone_id else None
    return KpiView(
        shown=shown,
        paper=presented(shown.report, visit.language),
        picture=picture_version(shown.report),
        charts={chart.key: chart for chart in shown.report.charts},
        months=months,
        zones=zones,
        zone=zone,
        zone_id=zone_id,
    )


def heat(table: Table) -> Sequence[Sequence[int]]:
    """How dark each number of a table is, 0 (nothing) to ``HEAT_LEVELS`` (the most)."""
    rows = [[cell.value for cell in row[1:]] for row in table.rows]
    numbers = [value for row in rows for value in row if isinstance(value, int | float)]
    most = max(numbers, default=0)
    return [[_level(value, most) for value in row] for row in rows]


def _level(value: str | float | int | None, most: float) -> int:
    if not isinstance(value, int | float) or most <= 0 or value <= 0:
        return 0
    return max(1, -int(-value * HEAT_LEVELS // most))


def _zone_section(visit: Visit, maker: Maker, report: MonthlyReport, zone_id: str) -> Section:
    """The section of violations, of one zone only."""
    since, until = span(report.month, maker.zone)
    with visit.database.reading() as session:
        counts = violation_counts(session, since=since, until=until)
    watching = _cameras_of(maker.site, zone_id)
    monitored = {
        camera: hours
        for camera, hours in monitored_hours(report.coverage).items()
        if camera in watching
    }
    facts = violation_facts(
        [one for one in counts if one.zone_id == zone_id], maker.site, monitored
    )
    of_zone = report.model_copy(update={"violations": facts})
    paper = presented(of_zone, visit.language)
    return next(section for section in paper.sections if section.key == "violations")


def _cameras_of(site: SiteSpec, zone_id: str) -> set[str]:
    zone = next(zone for zone in site.zones if zone.id == zone_id)
    if zone.camera_id is not None:
        return {zone.camera_id}
    return {camera.id for camera in site.cameras if camera.calibration is not None}
