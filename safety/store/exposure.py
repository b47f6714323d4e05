"""Where people were on the floor, added up by cell and day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from safety.store.exposure_tables import ExposureCell
from safety.store.upsert import insert_new

LEAST_PEOPLE: Final = 3
"""A cell in which not surely so many different people were, on one day of the period at least,
is shown to nobody: it could tell who somebody is."""

Cell = tuple[int, int]
"""Whole metres of the floor plan: the lower corner of a square metre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What is added to a cell, or its sum over a period.

    Attributes:
        people: At least so many different people were there on one day, ``LEAST_PEOPLE`` at the
            most. Days are not added up: those who come every day are the same people.
    """

    person_seconds: float
    people: int
    violations: int

    @property
    def per_person_hour(self) -> float | None:
        """Violations per hour that people spent there; None: nobody did."""
        hours = self.person_seconds / 3600
        return self.violations / hours if hours > 0 else None


def add(session: Session, day: str, amounts: Mapping[Cell, Amount]) -> None:
    """Add to the cells of a day."""
    for (x, y), amount in sorted(amounts.items()):
        fresh = ExposureCell(day=day, x=x, y=y, person_seconds=0, people=0, violations=0)
        insert_new(session, fresh)
        row = session.get_one(
            ExposureCell, (day, x, y), with_for_update=True, populate_existing=True
        )
        row.person_seconds = round(row.person_seconds + amount.person_seconds, 3)
        row.people = max(row.people, amount.people)
        row.violations += amount.violations
    session.flush()


def sums(session: Session, *, first: str, last: str) -> dict[Cell, Amount]:
    """The cells of a period (days, both included) where at least ``LEAST_PEOPLE`` were."""
    people = func.max(col(ExposureCell.people))
    query = (
        select(
            col(ExposureCell.x),
            col(ExposureCell.y),
            func.sum(col(ExposureCell.person_seconds)),
            people,
            func.sum(col(ExposureCell.violations)),
        )
        .where(col(ExposureCell.day) >= first, col(ExposureCell.day) <= last)
        .group_by(col(ExposureCell.x), col(ExposureCell.y))
        .having(people >= LEAST_PEOPLE)
        .order_by(col(ExposureCell.y), col(ExposureCell.x))
    )
    return {
        (x, y): Amount(person_seconds=float(seconds), people=int(seen), violations=int(broken))
        for x, y, seconds, seen, broken in session.execute(query)
    }


def hidden(session: Session, *, first: str, last: str) -> int:
    """How many cells of a period are not shown because too few people may have been there."""
    few = (
        select(col(ExposureCell.x))
        .where(col(ExposureCell.day) >= first, col(ExposureCell.day) <= last)
        .group_by(col(ExposureCell.x), col(ExposureCell.y))
        .having(func.max(col(ExposureCell.people)) < LEAST_PEOPLE)
        .subquery()
    )
    return session.scalars(select(func.count()).select_from(few)).one()


def prune(session: Session, *, before: str) -> None:
    """Forget the days before one."""
    session.execute(delete(ExposureCell).where(col(ExposureCell.day) < before))
