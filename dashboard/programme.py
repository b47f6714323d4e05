"""The programme office's page: reports that were sent in, or a folder of them, pooled."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from dashboard.report_desk import ReportDesk
from safety.programme.assess import Programme, assess
from safety.programme.collect import Collected, Problem, collect
from safety.programme.papers import Form, programme_file, require_statsmodels
from safety.programme.sources import ReportFile
from safety.programme.words import presented_programme, programme_plots
from safety.reports.presented import Presented
from safety.store.refusals import Conflict

KEPT: Final = 6
"""Results that can be looked at and fetched; the oldest goes first, and all when we restart."""

MOST_ROWS: Final = 300
"""Sites that a table of the page lists; the spreadsheet lists all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooling:
    """A programme as it was pooled once.

    Attributes:
        source: Where its reports came from.
        month: Reports of later months were left out; empty: each site's newest counts.
    """

    programme: Programme
    collected: Collected
    source: Literal["upload", "folder"]
    month: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolingView:
    """A result in words, the same as in its files."""

    id: str
    pooling: Pooling
    paper: Presented


class ProgrammeDesk:
    """Pools reports, one programme at a time, and keeps the last results in memory."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._results: OrderedDict[str, Pooling] = OrderedDict()

    def pool(
        self,
        files: Sequence[ReportFile],
        problems: Sequence[Problem],
        *,
        registry: Mapping[str, str] | None,
        month: str,
        source: Literal["upload", "folder"],
        by: str,
        at: datetime,
    ) -> str:
        """Pool; takes up to a minute for thousands of sites.

        Args:
            files: What may be reports.
            problems: Of what could not even be opened.
            registry: Key by site; None: a site's first key holds.
            month: Leave out later months; empty: none.

        Returns:
            The result's id.

        Raises:
            Conflict: Another programme is being pooled.
            ConfigError: The package that pools is not installed.
        """
        require_statsmodels()
        if not self._busy.acquire(blocking=False):
            raise Conflict(
                "programme.busy", "another programme is being pooled; try again in a minute"
            )
        try:
            found = collect(files, registry=registry, month=month or None)
            collected = Collected(
                standings=found.standings,
                problems=(*problems, *found.problems),
                duplicates=found.duplicates,
                superseded=found.superseded,
            )
            pooling = Pooling(
                programme=assess(collected),
                collected=collected,
                source=source,
                month=month,
                by=by,
                at=at,
            )
        finally:
            self._busy.release()
        name = secrets.token_hex(16)
        self._results[name] = pooling
        while len(self._results) > KEPT:
            self._results.popitem(last=False)
        return name

    def result(self, name: str) -> Pooling | None:
        """A result; None: it is not kept any more."""
        return self._results.get(name)


def read_pooling(name: str, pooling: Pooling, language: str) -> PoolingView:
    """A result in words."""
    paper = presented_programme(
        pooling.programme, pooling.collected.problems, language=language, made_at=pooling.at
    )
    return PoolingView(id=name, pooling=pooling, paper=paper)


def funnel_picture(pooling: Pooling, language: str, reports: ReportDesk) -> bytes | None:
    """The funnel plot as SVG; None: there is nothing to plot."""
    with reports.drawing:
        return programme_plots(pooling.programme, language).get("funnel")


def pooling_file(
    pooling: Pooling, form: Form, language: str, reports: ReportDesk
) -> tuple[str, bytes]:
    """A file of the result: its name and its content."""
    with reports.drawing:
        return programme_file(
            pooling.programme, pooling.collected, form, language=language, made_at=pooling.at
        )
