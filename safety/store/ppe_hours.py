"""For how long protective equipment was worn, hour by hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

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


def prune(session: Session, *, before: datetime) -> None:
    """Forget hours that began before a time, UTC."""
    session.execute(delete(PpeHour).where(col(PpeHour.hour) < before))


class PpeCount(NamedTuple):
    """Person-seconds of one hour and item, over cameras; ids are empty where rules are added up."""

    hour: datetime
    item: str
    rule_id: str
    zone_id: str
    worn_s: float
    missing_s: float
    unknown_s: float
    stays: int


def counts(
    session: Session, *, since: datetime, until: datetime, by_rule: bool
) -> Sequence[PpeCount]:
    """Hours that began in a window, UTC, in order.

    Args:
        by_rule: Each rule and zone apart, or all of them added up.
    """
    parts = [col(PpeHour.hour), col(PpeHour.item)]
    parts += [col(PpeHour.rule_id), col(PpeHour.zone_id)] if by_rule else []
    sums = (PpeHour.worn_s, PpeHour.missing_s, PpeHour.unknown_s, PpeHour.stays)
    query = (
        sql_select(*parts, *(func.sum(col(each)) for each in sums))
        .where(col(PpeHour.hour) >= since, col(PpeHour.hour) < until)
        .group_by(*parts)
        .order_by(*parts)
    )
    return [
        PpeCount(
            hour=hour,
            item=item,
            rule_id=ids[0] if ids else "",
            zone_id=ids[1] if ids else "",
            worn_s=float(worn),
            missing_s=float(missing),
            unknown_s=float(unknown),
            stays=int(stays),
        )
        for hour, item, *ids, worn, missing, unknown, stays in session.execute(query)
    ]
