"""Table of sirens' self-tests."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Column, Field, SQLModel

from safety.store.tables import UtcDateTime


class SirenTest(SQLModel, table=True):
    """One self-test of one siren."""

    __tablename__ = "siren_test"
    __table_args__ = (Index("ix_siren_test_channel_id_at", "channel_id", "at"),)

    id: str = Field(primary_key=True)
    channel_id: str
    """No foreign key: the record outlives the channel."""
    at: datetime = Field(sa_column=Column(UtcDateTime(), nullable=False, index=True))
    passed: bool
    latency_s: float | None = None
    """Command → confirmation; None: it did not confirm."""
    problem: str = Field(default="", sa_column=Column(Text, nullable=False))
    """Why it failed, in English; empty: it passed."""
    problem_key: str = ""
    problem_params: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSON, nullable=False)
    )
    """The same for translation."""
