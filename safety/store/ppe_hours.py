"""For how long protective equipment was worn, hour by hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete
from sqlmodel import Session, col, select

from safety.store.ppe_tables import PpeHour
from safety.store.upsert import insert_new


class PpeKey(NamedTuple):
    """What is added up; ``hour`` is UTC."""

    hour: datetime
    camera_id: str
    rule_id: str
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PpeAmount:
    """Person-seconds, and stays in which something was told."""

    zone_id: str
    worn_s: float = 0.0
    missing_s: float = 0.0
    unknown_s: float = 0.0
    stays: int = 0

    def plus(self, more: "PpeAmount") -> "PpeAmount":
        """Both together; the zone is the newer one's."""
        return PpeAmount(
            zone_id=more.zone_id,
            worn_s=self.worn_s + more.worn_s,
            missing_s=self.missing_s + more.missing_s,
            unknown_s=self.unknown_s + more.unknown_s,
            stays=self.stays + more.stays,
        )


def add(session: Session, amounts: Mapping[PpeKey, PpeAmount]) -> None:
    """Add to hours."""
    for key, amount in sorted(amounts.items(), key=lambda item: item[0]):
        insert_new(session, _nothing(key, amount.zone_id))
        row = session.get_one(PpeHour, tuple(key), with_for_update=True, populate_existing=True)
        row.zone_id = amount.zone_id
        row.worn_s = round(row.worn_s + amount.worn_s, 3)
        row.missing_s = round(row.missing_s + amount.missing_s, 3)
        row.unknown_s = round(row.unknown_s + amount.unknown_s, 3)
        row.stays += amount.stays
    session.flush()


def _nothing(key: PpeKey, zone_id: str) -> PpeHour:
    return PpeHour(
        hour=key.hour,
        camera_id=key.camera_id,
        rule_id=key.rule_id,
        item=key.item,
        zone_id=zone_id,
        worn_s=0.0,
        missing_s=0.0,
        unknown_s=0.0,
        stays=0,
    )


def between(session: Session, *, since: datetime, until: datetime) -> Sequence[PpeHour]:
    """Hours that began in a window, UTC, in order."""
    query = select(PpeHour).where(col(PpeHour.hour) >= since, col(PpeHour.hour) < until)
    order = (PpeHour.hour, PpeHour.camera_id, PpeHour.rule_id, PpeHour.item)
    return session.exec(query.order_by(*(col(part) for part in order))).all()


def prune(session: Session, *, before: datetime) -> None:
    """Forget hours that began before a time, UTC."""
    session.execute(delete(PpeHour).where(col(PpeHour.hour) < before))
