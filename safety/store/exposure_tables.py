"""Table of where people were on the floor: sums by cell and day, nobody's way."""

from sqlmodel import Field, SQLModel


class ExposureCell(SQLModel, table=True):
    """One square metre of the floor on one day of the site's calendar.

    Only sums: who was there is not kept, and no order in which anybody came.
    """

    __tablename__ = "exposure_cell"

    day: str = Field(primary_key=True)
    """``2026-11-20``."""
    x: int = Field(primary_key=True)
    y: int = Field(primary_key=True)
    """The cell from ``x`` to ``x + 1`` and ``y`` to ``y + 1`` metres of the plan."""
    person_seconds: float
    people: int
    """At least so many different people were there, 0-3; more are not counted."""
    violations: int
