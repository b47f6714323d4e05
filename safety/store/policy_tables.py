"""Tables of who is told: contacts, changes of duty, and conversations about alerts."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, Index
from sqlmodel import Column, Field, SQLModel

from safety.store.tables import UtcDateTime


def _time(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime(), nullable=nullable, index=index))


def _list() -> Any:
    return Field(default_factory=list, sa_column=Column(JSON, nullable=False))


def _day(*, index: bool = False) -> Any:
    return Field(sa_column=Column(Date(), nullable=False, index=index))


class Contact(SQLModel, table=True):
    """A person who can be told."""

    id: str = Field(primary_key=True)
    name: str
    role: str
    """One of ``safety.store.contacts.ROLES``."""
    phone: str | None = None
    """E.164, ``+8210…``."""
    email: str | None = None
    language: str | None = None
    """``ko`` or ``en``; None: the site's."""
    channels: list[str] = _list()
    """Channels by which this person is told; empty: any."""
    shifts: list[str] = _list()
    """Shifts during which this person is on duty; empty: at all times."""
    version: int = 1


class DutyChange(SQLModel, table=True):
    """Days on which somebody is away, or on duty although the shifts do not say so."""

    __tablename__ = "duty_change"

    id: str = Field(primary_key=True)
    contact_id: str = Field(foreign_key="contact.id", index=True)
    first_day: date = _day()
    last_day: date = _day(index=True)
    """Inclusive; days of the site's calendar."""
    on_duty: bool
    """On duty all day; False: away."""
    reason: str = ""
    created_at: datetime = _time()
    created_by: str


class Conversation(SQLModel, table=True):
    """What people are told of one situation; led by the first of its alerts.

    The policy's worker looks at it when ``next_at`` has come; a time of long ago means at once.
    """

    __table_args__ = (Index("ix_conversation_key_started_at", "key", "started_at"),)

    alert_id: str = Field(primary_key=True, foreign_key="alert.id")
    """The alert that leads; the others name it as ``lead_id``."""
    key: str
    """Place and kind: what makes the same situation the same conversation."""
    severity: str
    started_at: datetime = _time()
    """When the first notice was put into the outbox; the ladder counts from here."""
    last_at: datetime = _time()
    """When an alert last joined or was cleared."""
    over_at: datetime | None = _time(nullable=True)
    """When the last of its alerts was cleared; None: one lasts."""
    over_told: bool = True
    """Whether people know of ``over_at``."""
    members: int = 1
    untold: list[str] = _list()
    """Alerts that joined since the last notice."""
    told_at: datetime | None = _time(nullable=True)
    """When the newest notice about what happens was put into the outbox."""
    updates: int = 0
    clears: int = 0
    steps: int = 0
    """Steps of the ladder that were taken, the first notice and repetitions included."""
    next_at: datetime | None = _time(nullable=True, index=True)
    snoozed_until: datetime | None = _time(nullable=True)
    snoozed_by: str | None = None
    ended_at: datetime | None = _time(nullable=True)
    """When the ladder ended."""
    end_reason: str | None = Field(default=None, index=True)
    """``acknowledged``, ``over``, ``repeats``: nobody was to be told, or ``exhausted``: everybody
    was told and nobody has answered."""
