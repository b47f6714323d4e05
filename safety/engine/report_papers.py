"""Monthly reports as files that go along with notices."""

import asyncio
from collections.abc import Callable

from alerts.channels.base import Paper
from safety.reports.monthly import report_of
from safety.reports.pdf import report_pdf
from safety.store import report_revisions
from safety.store.database import Database

LARGEST_BYTES = 8_000_000
"""What mail servers take; a larger report goes as a link."""


class ReportPapers:
    """Gives the report of a month as PDF, as it was kept; drawn once for all channels.

    Args:
        language: Of the site; asked anew every time.
    """

    def __init__(self, database: Database, *, language: Callable[[], str]) -> None:
        self._database = database
        self._language = language
        self._turn = asyncio.Lock()
        self._last: tuple[tuple[str, str], Paper] | None = None

    async def pdf(self, month: str) -> Paper | None:
        """The report of a month; None: none was kept, or it is too large to send.

        Raises:
            StoreUnavailable: The record cannot be read.
        """
        async with self._turn:
            return await asyncio.to_thread(self._made, month, self._language())

    def _made(self, month: str, language: str) -> Paper | None:
        with self._database.reading() as session:
            kept = report_revisions.newest(session, month)
            if kept is None:
                return None
            key, content = (kept.sha256, language), kept.content
        if self._last is None or self._last[0] != key:
            report = report_of(content)
            name = f"anjeon-{report.month}-r{report.revision}-{language}.pdf"
            drawn = report_pdf(report, language)
            self._last = key, Paper(name=name, media_type="application/pdf", content=drawn)
        paper = self._last[1]
        return paper if len(paper.content) <= LARGEST_BYTES else None
