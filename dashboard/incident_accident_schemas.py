"""What the API takes and answers about accidents, files of them and the workplace."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from dashboard.incident_accidents import AccidentView
from dashboard.incident_schemas import Long, Short
from dashboard.schemas import NO_EXAMPLE, Answer, example
from safety.incidents.deadlines import Urgency
from safety.incidents.types import AccidentKind, Outcome, Representative, WorkerGroup


class AccidentBody(Answer):
    """What is entered of an accident."""

    model_config = example(
        occurred_on="2026-01-05", kind="caught", worker_group="own", lost_days=14, place="Hall 2"
    )

    occurred_on: date
    occurred_time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = None
    kind: AccidentKind
    outcome: Outcome | None = None
    """Follows from deaths and days off where it is not said."""
    worker_group: WorkerGroup
    injured: int = Field(default=1, ge=1, le=1000)
    deaths: int = Field(default=0, ge=0, le=1000)
    lost_days: float = Field(default=0.0, ge=0, le=36_500, allow_inf_nan=False)
    long_treatment: int = Field(default=0, ge=0, le=1000)
    longer_treatment: int = Field(default=0, ge=0, le=1000)
    occupational_disease: bool = False
    reference: Short = ""
    place: Short = ""
    process: Short = ""
    work: Short = ""
    description: Long = ""
    unsafe_state: Long = ""
    unsafe_act: Long = ""
    cause: Long = ""
    prevention: Long = ""
    incident_id: str | None = None


class AccidentInfo(AccidentBody):
    """An accident on record; its version is the ETag."""

    model_config = NO_EXAMPLE

    id: str
    form_due_on: date | None
    """Until when Form 30 is to be handed in; null: not at all."""
    form_state: Urgency | None
    report_now: bool
    """A serious accident, of which nobody has noted that it was reported."""
    import_id: str | None
    reported_at: datetime | None
    reported_by: str | None
    submitted_at: datetime | None
    submitted_by: str | None
    representative: Representative | None
    voided_at: datetime | None
    voided_by: str | None
    void_reason: str
    created_at: datetime
    created_by: str
    version: int


class Void(Answer):
    """Why an accident does not count."""

    reason: Short


class Submission(Answer):
    """Form 30 was handed in."""

    representative: Representative


class ImportProblem(Answer):
    """What is wrong in one place of a file."""

    line: int
    column: str
    code: str
    text: str


class ImportInfo(Answer):
    """A file of accidents that was looked at, or taken over."""

    id: str
    filename: str
    sha256: str
    state: str
    ready: int
    """Lines that can be taken over."""
    doubles: int
    """Lines that are on record already or twice in the file."""
    problems: Sequence[ImportProblem]
    imported: int


class WorkplaceBody(Answer):
    """Section I of Form 30."""

    insurance_number: Short = ""
    business_number: Short = ""
    name: Short = ""
    workers: int | None = Field(default=None, ge=0, le=1_000_000)
    industry: Short = ""
    address: Short = ""
    relation: WorkerGroup = WorkerGroup.OWN
    client_name: Short = ""
    client_number: Short = ""


def accident_info(view: AccidentView) -> AccidentInfo:
    """An accident as the API shows it."""
    row, form = view.accident, view.duties.form
    own = row.model_dump(include=AccidentInfo.model_fields.keys() & type(row).model_fields.keys())
    return AccidentInfo.model_validate(
        own
        | {
            "form_due_on": form.due_on if form else None,
            "form_state": form.urgency if form else None,
            "report_now": view.duties.report,
        }
    )
