"""Monthly reports of made-up sites, complete and valid."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safety.reports.schema import (
    Accidents,
    AlertFacts,
    CameraCoverage,
    Figure,
    MonthlyReport,
    MonthRow,
    PeriodFacts,
    PlainFigure,
    PpeFacts,
    PpeShare,
    SiteFacts,
    Target,
    Violations,
)
from safety.reports.signing import signed

_AT = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)
_FIGURE = Figure(cases=1, exposure=16_000, per=1e6, value=62.5, lower=1.6, upper=348.2)


def report_of(
    number: int,
    *,
    before: tuple[int, float] | None = (5, 200_000.0),
    after: tuple[int, float] | None = (4, 200_000.0),
    month: str = "2026-11",
    revision: int = 1,
    monitored: float = 600.0,
    installed: float = 720.0,
    fictional: bool = False,
    software: str = "1.0",
    ppe: PpeFacts | None = None,
) -> MonthlyReport:
    """The report of made-up site ``number``; periods as (accidents, hours)."""
    row = MonthRow(
        month=month,
        hours=16_000,
        headcount=100,
        accidents=1,
        injured=1,
        lost_time=1,
        deaths=0,
        lost_days=3,
    )
    return MonthlyReport(
        schema_name="anjeon-monthly-report",
        schema_version="1.1",
        software=software,
        site=SiteFacts(id=f"{number:032x}", name=f"Site {number}", timezone="Asia/Seoul"),
        month=month,
        revision=revision,
        revision_reason=None if revision == 1 else "An accident was reported late.",
        revised_at=_AT,
        closed=True,
        fictional=fictional,
        months=(row,),
        target=Target(
            baseline=None, before=_period(before), after=_period(after), verdict="not_enough_data"
        ),
        accidents=Accidents(
            month=row,
            year_to_date=row,
            injury_rate=_FIGURE,
            fatality_rate=_FIGURE,
            frequency_rate=_FIGURE,
            lost_time_frequency_rate=_FIGURE,
            total_recordable_rate=_FIGURE,
            severity_rate=PlainFigure(value=0.2),
            mean_severity=PlainFigure(value=3.0),
        ),
        incidents=(),
        violations=Violations(
            total=0,
            shadow=0,
            by_kind=(),
            by_zone=(),
            by_rule=(),
            by_shift=(),
            by_hour=((0,) * 24,) * 7,
        ),
        indicators=(),
        coverage=(
            CameraCoverage(
                camera_id="press",
                name="Press",
                installed_hours=installed,
                monitored_hours=monitored,
                degraded_hours=0,
                blind_hours=max(installed - monitored, 0),
                unknown_hours=0,
                reasons=(),
            ),
        ),
        alerts=AlertFacts(
            raised=0,
            acknowledged=0,
            median_acknowledge_s=None,
            confirmed=0,
            false_alarms=0,
            precision=_FIGURE,
            deliveries=0,
            delivered=0,
            late=0,
            given_up=0,
        ),
        changes=(),
        charts=(),
        notes=(),
        ppe=ppe,
    )


def ppe_facts_of(*items: str, worn: float = 71.25, missing: float = 3.75) -> PpeFacts:
    """Protective equipment of a month, the same in every respect."""

    def shares(key: str) -> tuple[PpeShare, ...]:
        return tuple(
            PpeShare(
                key=key,
                name=key,
                item=item,
                worn_hours=worn,
                missing_hours=missing,
                unknown_hours=12.5,
                days=21,
                stays=640,
                share=round(worn / (worn + missing), 6),
                lower=0.913,
                upper=0.972,
            )
            for item in items
        )

    return PpeFacts(
        overall=shares(""),
        by_zone=shares("cell"),
        by_rule=shares("hats"),
        by_shift=shares("outside_shifts"),
        by_hour=shares("08"),
    )


def hand_in(folder: Path, report: MonthlyReport, key: Ed25519PrivateKey, name: str = "") -> Path:
    """The signed file of a report in a folder."""
    stem = name or f"{report.site.id}-{report.month}-r{report.revision}"
    path = folder / f"{stem}.json"
    path.write_bytes(signed(report, key))
    return path


def _period(cases_and_hours: tuple[int, float] | None) -> PeriodFacts | None:
    if cases_and_hours is None:
        return None
    cases, hours = cases_and_hours
    return PeriodFacts(months=12, months_without_hours=(), cases=cases, hours=hours)
