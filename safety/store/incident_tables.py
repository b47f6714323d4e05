"""Tables of incidents, what was done about them, and accidents.

Persons appear as roles. No column takes a name of an injured person or a resident number.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Text
from sqlmodel import Column, Field, SQLModel

from safety.store.tables import UtcDateTime


def _time(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime(), nullable=nullable, index=index))


def _text() -> Any:
    return Field(default="", sa_column=Column(Text, nullable=False))


def _list() -> Any:
    return Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class Incident(SQLModel, table=True):
    """Something that happened or could have, confirmed by a person."""

    id: str = Field(primary_key=True)
    number: int = Field(unique=True)
    """What people call it; counts up, never used twice."""
    kind: str = Field(index=True)
    """One of ``safety.incidents.types.Kind``."""
    state: str = Field(index=True)
    """One of ``safety.incidents.types.State``."""
    title: str
    occurred_at: datetime = _time(index=True)
    place: str = ""
    zone_id: str | None = None
    camera_id: str | None = None
    rule_id: str | None = Field(default=None, index=True)
    """Of the first alert. No foreign keys: the record outlives the configuration."""
    description: str = _text()
    people: list[dict[str, Any]] = _list()
    """Who took part: ``role`` (of ``safety.incidents.types.Role``), ``count`` and ``note``."""
    unsafe_state: str = _text()
    unsafe_act: str = _text()
    prevention: str = _text()
    frequency: int | None = None
    severity: int | None = None
    """Risk as found, 1-3 each; None: not assessed."""
    frequency_after: int | None = None
    severity_after: int | None = None
    """Risk that is left after the corrective actions."""
    created_at: datetime = _time()
    created_by: str
    closed_at: datetime | None = _time(nullable=True)
    closed_by: str | None = None
    closing_note: str = _text()
    reopened: int = 0
    """How many times."""
    version: int = 1
    """Goes up at every change of it, its causes, alerts and actions; the ETag."""


class IncidentAlert(SQLModel, table=True):
    """Which alerts an incident came from; an alert belongs to one incident at most."""

    __tablename__ = "incident_alert"

    alert_id: str = Field(primary_key=True, foreign_key="alert.id")
    incident_id: str = Field(foreign_key="incident.id", index=True)
    linked_at: datetime = _time()
    linked_by: str


class AlertMerge(SQLModel, table=True):
    """An alert that somebody called the same situation as another one."""

    __tablename__ = "alert_merge"

    alert_id: str = Field(primary_key=True, foreign_key="alert.id")
    into_id: str = Field(foreign_key="alert.id", index=True)
    merged_at: datetime = _time()
    merged_by: str


class AlertReason(SQLModel, table=True):
    """Why somebody called an alert false."""

    __tablename__ = "alert_reason"

    alert_id: str = Field(primary_key=True, foreign_key="alert.id")
    reason: str
    """One of ``safety.incidents.types.FalseAlarm``."""
    at: datetime = _time()
    by: str


class IncidentCause(SQLModel, table=True):
    """One answer to "why?"; its parent is what it explains."""

    __tablename__ = "incident_cause"

    id: str = Field(primary_key=True)
    incident_id: str = Field(foreign_key="incident.id", index=True)
    parent_id: str | None = Field(default=None, foreign_key="incident_cause.id")
    """None: why the incident itself happened."""
    position: int
    text: str = _text()


class CorrectiveAction(SQLModel, table=True):
    """What is to be done so that it does not happen again."""

    __tablename__ = "corrective_action"

    id: str = Field(primary_key=True)
    incident_id: str = Field(foreign_key="incident.id", index=True)
    position: int
    text: str = _text()
    control: str
    """One of ``safety.incidents.types.Control``, the hierarchy of control."""
    owner: str
    """Who sees to it: a function or a person of the staff."""
    due_on: date = Field(index=True)
    """The site's calendar."""
    state: str = Field(index=True)
    """``open``, ``done``, ``verified`` or ``dropped``."""
    done_at: datetime | None = _time(nullable=True)
    done_by: str | None = None
    verified_at: datetime | None = _time(nullable=True)
    verified_by: str | None = None
    note: str = _text()
    """What was seen when it was verified, or why it was dropped."""
    photo: str | None = None
    """File in the directory of photos; the name is ours."""
    photo_sha256: str | None = None
    photo_bytes: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime = _time()
    created_by: str
    version: int = 1


class Accident(SQLModel, table=True):
    """A real injury or disease, entered or imported by a person.

    One row is one event for one group of workers; where own and contractors' workers were
    hurt together there are two.
    """

    id: str = Field(primary_key=True)
    occurred_on: date = Field(index=True)
    """The site's calendar; of a disease, the day it was diagnosed."""
    occurred_time: str | None = None
    """``HH:MM``, the site's time; None: not known."""
    kind: str
    """One of ``safety.incidents.types.AccidentKind``."""
    outcome: str
    """The worst: one of ``safety.incidents.types.Outcome``."""
    worker_group: str
    """``own`` or ``contractor``."""
    injured: int = 1
    """How many were hurt or fell ill, the dead among them."""
    deaths: int = 0
    lost_days: float = 0.0
    """Days off of all together, as known by now; a death has none here."""
    long_treatment: int = 0
    """How many need treatment of three months or more."""
    longer_treatment: int = 0
    """How many of them six months or more."""
    occupational_disease: bool = False
    reference: str = ""
    """The number of another system, if it has one."""
    place: str = ""
    process: str = ""
    work: str = ""
    """What was done there: work and process for section III of the form."""
    description: str = _text()
    unsafe_state: str = _text()
    unsafe_act: str = _text()
    cause: str = _text()
    prevention: str = _text()
    incident_id: str | None = Field(default=None, foreign_key="incident.id", index=True)
    import_id: str | None = Field(default=None, index=True)
    """The import it came with; None: entered by hand."""
    reported_at: datetime | None = _time(nullable=True)
    reported_by: str | None = None
    """When a serious accident was reported at once, as the law asks."""
    submitted_at: datetime | None = _time(nullable=True)
    submitted_by: str | None = None
    """When Form 30 was handed in."""
    representative: str | None = None
    """``confirmed`` or ``dissent``: what the workers' representative said of the form."""
    voided_at: datetime | None = _time(nullable=True)
    voided_by: str | None = None
    void_reason: str = _text()
    """Nothing is deleted: a row entered by mistake is void and counts nowhere."""
    created_at: datetime = _time()
    created_by: str
    version: int = 1


class AccidentImport(SQLModel, table=True):
    """A file of accidents that was looked at; ``rows`` are kept until it is imported."""

    __tablename__ = "accident_import"

    id: str = Field(primary_key=True)
    filename: str
    sha256: str
    state: str
    """``checked`` or ``imported``."""
    rows: list[dict[str, Any]] = _list()
    problems: list[dict[str, Any]] = _list()
    imported: int = 0
    created_at: datetime = _time()
    created_by: str
    imported_at: datetime | None = _time(nullable=True)
    imported_by: str | None = None


class Workplace(SQLModel, table=True):
    """What section I of Form 30 says of the workplace; ``id`` is always 1."""

    id: int = Field(default=1, primary_key=True)
    insurance_number: str = ""
    """산재관리번호."""
    business_number: str = ""
    """사업자등록번호."""
    name: str = ""
    workers: int | None = None
    industry: str = ""
    address: str = ""
    relation: str = "own"
    """``own``, or ``contractor`` of somebody else."""
    client_name: str = ""
    client_number: str = ""
    """원도급인, and its 산재관리번호."""
    version: int = 1


class AnsweredRequest(SQLModel, table=True):
    """The answer to a request that named an idempotency key, to be given again."""

    __tablename__ = "answered_request"

    key: str = Field(primary_key=True)
    """Hash of who asked, where, and the key."""
    request_sha256: str
    answer: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    at: datetime = _time(index=True)
