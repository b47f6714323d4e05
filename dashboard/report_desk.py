"""Reports and their pictures for the pages: composed once, shown to everybody who asks.

Composing a month takes up to seconds of a core, a picture half a one. What nobody changed is
shown again; the month that is not over is looked at anew every minute, and at once when
somebody has changed something.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from sqlmodel import Session, func, select

from safety.reports.monthly import Maker, current_report, report_of
from safety.reports.pdf import report_pdf, report_plots
from safety.reports.schema import MonthlyReport
from safety.reports.signing import canonical
from safety.reports.xlsx import report_xlsx
from safety.store import report_revisions
from safety.store.database import Database
from safety.store.kpi_tables import ReportRevision
from safety.store.tables import Audit

FRESH_S: Final = 60
"""How long a report that is not final is shown without looking again."""

_REPORTS, _PICTURES, _FILES = 24, 24, 8

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """Who made a report that is kept, and when."""

    revision: int
    by: str
    at: datetime
    reason: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A report as it is shown.

    Attributes:
        making: None: it is not kept; it shows the record as it is now.
    """

    report: MonthlyReport
    making: Making | None


class ReportDesk:
    """Composes reports and draws them, one at a time.

    Attributes:
        drawing: Held by whoever draws: the drawing library keeps its settings for the whole
            process.
    """

    def __init__(self) -> None:
        self.drawing = threading.RLock()
        self._reports: OrderedDict[Hashable, Shown] = OrderedDict()
        self._pictures: OrderedDict[Hashable, Mapping[str, bytes]] = OrderedDict()
        self._files: OrderedDict[Hashable, bytes] = OrderedDict()

    def shown(self, database: Database, maker: Maker, month: str) -> Shown:
        """A month as it was handed in, else as it stands now.

        Raises:
            MonthFault, ReportError, StoreUnavailable: There is no report of it.
        """
        with database.reading() as session:
            making = _making(session, month)
            stamp = _newest_change(session) if making is None else making.sha256
        moment = int(maker.now.timestamp() // FRESH_S) if making is None else 0
        key = month, stamp, moment

        def compose() -> Shown:
            return Shown(report=current_report(database, maker, month), making=making)

        return self._once(self._reports, key, compose, most=_REPORTS)

    def revision(self, database: Database, month: str, revision: int) -> Shown | None:
        """An earlier revision; None: there is none."""
        with database.reading() as session:
            row = report_revisions.get(session, month, revision)
            if row is None:
                return None
            return Shown(report=report_of(row.content), making=making_of(row))

    def pictures(self, report: MonthlyReport, language: str) -> Mapping[str, bytes]:
        """A report's pictures as SVG, by key."""
        key = picture_version(report), language
        return self._once(
            self._pictures, key, lambda: report_plots(report, language), most=_PICTURES
        )

    def pdf(self, report: MonthlyReport, language: str) -> bytes:
        """A report as PDF."""
        key = "pdf", _digest(report), language
        return self._once(self._files, key, lambda: report_pdf(report, language), most=_FILES)

    def xlsx(self, report: MonthlyReport, language: str) -> bytes:
        """A report as spreadsheet."""
        key = "xlsx", _digest(report), language
        return self._once(self._files, key, lambda: report_xlsx(report, language), most=_FILES)

    def _once(
        self, kept: OrderedDict[Hashable, T], key: Hashable, make: Callable[[], T], *, most: int
    ) -> T:
        with self.drawing:
            if key not in kept:
                kept[key] = make()
                while len(kept) > most:
                    kept.popitem(last=False)
            kept.move_to_end(key)
            return kept[key]


def picture_version(report: MonthlyReport) -> str:
    """The same as long as the pictures are."""
    parts = report.model_dump(mode="json", include={"target", "charts"})
    return hashlib.sha256(canonical(parts)).hexdigest()[:16]


def _digest(report: MonthlyReport) -> str:
    return hashlib.sha256(canonical(report.model_dump(mode="json"))).hexdigest()


def _making(session: Session, month: str) -> Making | None:
    row = report_revisions.newest(session, month)
    return None if row is None else making_of(row)


def making_of(row: ReportRevision) -> Making:
    """Who made a kept report."""
    return Making(
        revision=row.revision, by=row.made_by, at=row.made_at, reason=row.reason, sha256=row.sha256
    )


def _newest_change(session: Session) -> str:
    """Changes with everything that people do."""
    return str(session.exec(select(func.max(Audit.id))).one())
