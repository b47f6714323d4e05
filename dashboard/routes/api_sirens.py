"""API: self-tests of sirens."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from dashboard.access import ViewerVisit
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
    visit: ViewerVisit,
    channel: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[SirenTestInfo]:
    """Self-tests, newest first; of one siren or of all."""
    with visit.database.reading() as session:
        rows = siren_tests.list_tests(session, channel_id=channel, limit=limit)
        return [_info(test) for test in rows]


def _info(test: SirenTest) -> SirenTestInfo:
    return SirenTestInfo(
        id=test.id,
        channel_id=test.channel_id,
        at=test.at,
        passed=test.passed,
        latency_s=test.latency_s,
        problem=test.problem,
    )
