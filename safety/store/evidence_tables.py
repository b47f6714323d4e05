"""Tables of evidence that must be kept whatever its age."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlmodel import Column, Field, SQLModel

from safety.store.tables import UtcDateTime


def _time(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime(), nullable=nullable))


class LegalHold(SQLModel, table=True):
    """Evidence that nothing deletes until somebody releases it.

    Rows are never deleted: they are the record of what was held, and why.
    """

    __tablename__ = "legal_hold"

    id: str = Field(primary_key=True)
    alert_id: str | None = Field(default=None, foreign_key="alert.id", index=True)
    incident_id: str | None = Field(default=None, foreign_key="incident.id", index=True)
    """One of the two: what is held. Of an incident, the evidence of all its alerts."""
    reason: str = Field(sa_column=Column(Text, nullable=False))
    placed_at: datetime = _time()
    placed_by: str
    released_at: datetime | None = _time(nullable=True)
    released_by: str | None = None
