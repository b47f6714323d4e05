"""Tables behind the figures: hours worked, the baseline, the site's identity, its reports."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlmodel import Column, Field, SQLModel

from safety.store.tables import UtcDateTime


def _time() -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime(), nullable=False))


def _text() -> Any:
    return Field(default="", sa_column=Column(Text, nullable=False))


class SiteIdentity(SQLModel, table=True):
    """Who this site is for a programme office; ``id`` is always 1."""

    __tablename__ = "site_identity"

    id: int = Field(default=1, primary_key=True)
    site_id: str
    """32 hexadecimal digits, drawn once."""
    fictional: bool = False
    """A made-up history was loaded: every report says so."""


class WorkMonth(SQLModel, table=True):
    """Hours worked and people employed in one month, as entered or imported."""

    __tablename__ = "work_month"

    month: str = Field(primary_key=True)
    """``2026-11``, the site's calendar."""
    worker_group: str = Field(primary_key=True)
    """``own`` or ``contractor``."""
    hours: float
    headcount: int
    source: str
    """``entered``, ``import`` or ``fictional``."""
    changed_at: datetime = _time()
    changed_by: str
    version: int = 1


class Baseline(SQLModel, table=True):
    """What the programme compares with. Rows are only added: the newest counts."""

    id: int | None = Field(default=None, primary_key=True)
    first_month: str
    last_month: str
    programme_start: str
    """Accidents and hours count as "now" from this month on."""
    groups: str
    """``own``, or ``all``: contractors' workers too."""
    reason: str = _text()
    """Why it was changed; empty for the first one."""
    registered_at: datetime = _time()
    registered_by: str


class ReportRevision(SQLModel, table=True):
    """A monthly report as it was made; never changed afterwards."""

    __tablename__ = "report_revision"

    month: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    content: str = _text()
    """The report as canonical JSON, without its signature."""
    sha256: str
    """Of ``content``."""
    reason: str = _text()
    """Why an earlier revision was replaced; empty for the first one."""
    made_at: datetime = _time()
    made_by: str
