"""Table of for how long protective equipment was worn: sums by hour, nobody's own."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from safety.store.tables import UtcDateTime


class PpeHour(SQLModel, table=True):
    """One hour of one rule and item, in one camera's pictures.

    Only sums: no person and no track is kept.
    """

    __tablename__ = "ppe_hour"

    hour: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    """Its beginning, UTC."""
    camera_id: str = Field(primary_key=True)
    rule_id: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    zone_id: str
    """Where the rule applied then."""
    worn_s: float
    """Person-seconds."""
    missing_s: float
    unknown_s: float
    """Nobody could tell."""
    stays: int
    """In which worn or missing was told; one person may make several."""
