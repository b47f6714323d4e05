"""API: what a rule would have done."""

from typing import Any, Literal, Self

from fastapi import APIRouter
from pydantic import AwareDatetime, Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.concurrency import run_in_threadpool

from dashboard import trying
from dashboard.access import ManagerVisit
from dashboard.routes.rules import find_rule
from dashboard.rule_forms import AnyRule
from dashboard.schemas import Answer
from dashboard.visit import Visit
from zones.specs import RuleSpec

router = APIRouter(prefix="/api/v1", tags=["replay"])


class Wanted(Answer):
    """A rule to be tried: one of the site by its id, or a whole specification."""

    rule_id: str | None = Field(default=None, max_length=200)
    rule: RuleSpec | None = None
    since: str = Field(default="24h", max_length=40)
    """``30m``, ``2h``, ``7d``, or an ISO time in the site's zone."""
    camera: str = Field(default="", max_length=200)
    """Only this camera; empty: every one that the rule concerns."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.rule is None) == (self.rule_id is None):
            raise PydanticCustomError("replay.which", "give rule_id or rule, one of the two")
        return self


class TriedClip(Answer):
    """A clip that shows an event, whatever it was made for."""

    evidence: str
    """Its file is ``/api/v1/evidence/<evidence>``."""
    violation: str
    """The violation that it was made for."""
    path: str
    """Relative to the evidence directory."""
    at_s: float
    """Seconds from the clip's beginning to the event's."""


class TriedEvent(Answer):
    """What would have been one violation."""

    change: Literal["same", "new", "gone"]
    rule: str
    kind: str
    camera: str
    zone: str | None
    subject: str
    opened_at: AwareDatetime
    seconds: float | None
    """How long it lasted; null: it was open at the end."""
    details: dict[str, Any]
    clip: TriedClip | None
    """Null: no recording shows it."""


class TriedViolation(Answer):
    """What the rule really raised."""

    violation: str
    rule: str
    camera: str
    subject: str
    opened_at: AwareDatetime
    evidence: list[str]
    """Its files, relative to the evidence directory."""
    evidence_ids: list[str]


class Tried(Answer):
    """What was found; the fields are those of ``anjeon replay --json``."""

    since: AwareDatetime
    until: AwareDatetime
    frames: int
    """Observations that there were."""
    fired: list[TriedViolation]
    """What the rule really raised."""
    events: list[TriedEvent]
    """Every event; ``change`` is ``same``, ``new`` or ``gone``."""


@router.post("/replay")
async def replay(visit: ManagerVisit, wanted: Wanted) -> Tried:
    """Try a rule on what the cameras observed; one at a time, two minutes at most."""
    rule = wanted.rule
    if rule is None:
        rule = await run_in_threadpool(_present, visit, wanted.rule_id or "")
    result = await trying.try_rule(
        visit.services.settings, visit.request, rule, since=wanted.since, camera=wanted.camera
    )
    return Tried.model_validate(result)


def _present(visit: Visit, rule_id: str) -> AnyRule:
    with visit.database.reading() as session:
        return find_rule(session, rule_id)
