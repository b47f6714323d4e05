"""What the API takes and answers about incidents and accidents."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field

from dashboard.incident_linking import Precision
from dashboard.incident_views import IncidentView
from dashboard.schemas import Answer, example
from safety.incidents.incident_entry import IncidentEntry, Person
from safety.incidents.risk import Level
from safety.incidents.types import (
    ActionState,
    Control,
    Kind,
    Role,
    State,
)
from safety.store.incident_actions import ActionEntry
from safety.store.incident_tables import CorrectiveAction, Incident


def _sane(at: datetime) -> datetime:
    if not 1970 <= at.year <= 2999:
        raise ValueError("the year must lie between 1970 and 2999")
    return at


Moment = Annotated[AwareDatetime, AfterValidator(_sane)]
"""A time that every database and time zone can hold."""
Step = Annotated[int, Field(ge=1, le=3)] | None
Short = Annotated[str, Field(max_length=1000)]
Long = Annotated[str, Field(max_length=8000)]


class PersonInfo(Answer):
    """Somebody who took part, by role."""

    role: Role
    count: int = Field(default=1, ge=1, le=999)
    note: Short = ""


class IncidentBody(Answer):
    """What people say of an incident."""

    kind: Kind
    title: Short
    occurred_at: Moment
    place: Short = ""
    description: Long = ""
    people: list[PersonInfo] = Field(default_factory=list, max_length=20)
    unsafe_state: Long = ""
    unsafe_act: Long = ""
    prevention: Long = ""
    frequency: Step = None
    severity: Step = None
    frequency_after: Step = None
    severity_after: Step = None

    def entry(self) -> IncidentEntry:
        """The same, as the record takes it."""
        people = tuple(Person(role=p.role, count=p.count, note=p.note) for p in self.people)
        names = type(self).model_fields.keys() & IncidentEntry.__dataclass_fields__.keys()
        values = {name: getattr(self, name) for name in names - {"people"}}
        return IncidentEntry(people=people, **values)


class NewIncident(IncidentBody):
    """An incident to be put on record."""

    model_config = example(
        kind="near_miss",
        title="Pallet fell beside the press",
        occurred_at="2026-01-05T09:30:00+09:00",
        place="Hall 2",
        people=[{"role": "worker", "count": 1}],
    )

    alerts: list[str] = Field(default_factory=list, max_length=100)
    """Alerts that it comes from; those that nobody judged are confirmed by it."""


class CauseInfo(Answer):
    """One answer to "why?"."""

    id: str
    parent_id: str | None
    """What it explains; null: the incident itself."""
    text: str


class NewCause(Answer):
    """One more answer to "why?"."""

    model_config = example(text="The pallet was not wrapped")

    text: Short
    parent_id: str | None = None


class ActionBody(Answer):
    """What is to be done."""

    model_config = example(
        text="A guard at the loading place",
        control="engineering",
        owner="Maintenance",
        due_on="2026-02-01",
    )

    text: Short
    control: Control
    owner: Short
    due_on: date

    def entry(self) -> ActionEntry:
        """The same, as the record takes it."""
        return ActionEntry(
            text=self.text, control=self.control, owner=self.owner, due_on=self.due_on
        )


class ActionInfo(Answer):
    """A corrective action; its version is the ETag."""

    id: str
    incident_id: str
    text: str
    control: Control
    owner: str
    due_on: date
    state: ActionState
    done_at: datetime | None
    done_by: str | None
    verified_at: datetime | None
    verified_by: str | None
    note: str
    photo: str | None
    """Address of the picture of the finished work."""
    photo_sha256: str | None
    version: int


class CalmInfo(Answer):
    """Violations of the incident's rule per monitored hour, before and after the actions."""

    verdict: str
    since: datetime
    violations_before: int
    hours_before: float
    violations_after: int
    hours_after: float
    ratio: float | None
    """After divided by before; null where nothing can be said, or there was none before."""


class IncidentInfo(IncidentBody):
    """An incident with all that belongs to it; its version is the ETag."""

    id: str
    number: int
    state: State
    zone_id: str | None
    camera_id: str | None
    rule_id: str | None
    risk: Level | None
    risk_after: Level | None
    alerts: Sequence[str]
    accidents: Sequence[str]
    causes: Sequence[CauseInfo]
    actions: Sequence[ActionInfo]
    calm: CalmInfo | None
    next_states: Sequence[State]
    created_at: datetime
    created_by: str
    closed_at: datetime | None
    closed_by: str | None
    closing_note: str
    reopened: int
    version: int


class IncidentSummary(Answer):
    """An incident in a list."""

    id: str
    number: int
    kind: Kind
    state: State
    title: str
    occurred_at: datetime
    place: str
    version: int


class Move(Answer):
    """The next state of an incident."""

    state: State
    note: Short = ""


class ActionMove(Answer):
    """The next state of a corrective action."""

    state: ActionState
    note: Short = ""


class AlertIds(Answer):
    """Alerts by id."""

    alerts: list[str] = Field(min_length=1, max_length=100)


class PrecisionInfo(Answer):
    """Of the alerts of a rule that people judged in the last year, how many were real."""

    confirmed: int
    false: int
    share: float | None
    lower: float
    upper: float
    """Exact 95 % interval of the share."""
    reasons: dict[str, int]


def action_info(row: CorrectiveAction) -> ActionInfo:
    """An action as the API shows it."""
    names = ActionInfo.model_fields.keys() - {"photo"}
    address = f"/api/v1/actions/{row.id}/photo" if row.photo else None
    return ActionInfo.model_validate(row.model_dump(include=set(names)) | {"photo": address})


def incident_info(view: IncidentView) -> IncidentInfo:
    """An incident as the API shows it."""
    row = view.incident
    own = row.model_dump(include=IncidentInfo.model_fields.keys() & type(row).model_fields.keys())
    calm = view.calm
    found: dict[str, Any] = {
        "risk": view.level,
        "risk_after": view.level_after,
        "alerts": [each.alert.id for each in view.alerts],
        "accidents": [each.id for each in view.accidents],
        "causes": [
            CauseInfo(id=w.cause.id, parent_id=w.cause.parent_id, text=w.cause.text)
            for w in view.whys
        ],
        "actions": [action_info(each) for each in view.actions],
        "next_states": list(view.next),
        "calm": calm
        and CalmInfo(
            verdict=calm.verdict,
            since=calm.since,
            violations_before=calm.before.cases,
            hours_before=round(calm.before.exposure, 3),
            violations_after=calm.after.cases,
            hours_after=round(calm.after.exposure, 3),
            ratio=calm.ratio.value if calm.ratio and calm.before.cases else None,
        ),
    }
    return IncidentInfo.model_validate(own | found)


def incident_summary(row: Incident) -> IncidentSummary:
    """An incident as a list shows it."""
    return IncidentSummary.model_validate(row.model_dump(include=set(IncidentSummary.model_fields)))


def precision_info(found: Precision) -> PrecisionInfo:
    """A rule's precision as the API shows it."""
    return PrecisionInfo(
        confirmed=found.judged.confirmed,
        false=found.judged.false,
        share=found.share,
        lower=found.interval.lower,
        upper=found.interval.upper,
        reasons=dict(found.judged.reasons),
    )
