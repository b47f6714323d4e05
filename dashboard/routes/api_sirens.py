"""API: self-tests of sirens."""

from datetime import datetime

from fastapi import APIRouter

from dashboard.access import ViewerVisit
from dashboard.paging import Page, Paged
from dashboard.schemas import Answer
from safety.store import siren_tests
from safety.store.siren_tables import SirenTest

router = APIRouter(prefix="/api/v1", tags=["channels"])


class SirenTestInfo(Answer):
    """One weekly self-test of one siren."""

    id: str
    channel_id: str
    at: datetime
    passed: bool
    latency_s: float | None
    """From the command to the device's confirmation; null: it did not confirm."""
    problem: str
    """Why it failed; empty: it passed."""


@router.get("/siren-tests")
def list_siren_tests(
    visit: ViewerVisit, paging: Paged, channel: str | None = None
) -> Page[SirenTestInfo]:
    """Self-tests, newest first; of one siren or of all."""
    with visit.database.reading() as session:
        rows = siren_tests.list_tests(
            session, channel_id=channel, before=paging.cursor, limit=paging.fetch
        )
    return paging.page(rows, _info)


def _info(test: SirenTest) -> SirenTestInfo:
    return SirenTestInfo(
        id=test.id,
        channel_id=test.channel_id,
        at=test.at,
        passed=test.passed,
        latency_s=test.latency_s,
        problem=test.problem,
    )
