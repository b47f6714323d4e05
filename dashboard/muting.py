"""What is muted now, and was, with the names that people use."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, select

from dashboard.visit import Visit
from safety.store import mutes
from safety.store.tables import Mute, Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteView:
    """One mute.

    Attributes:
        zone: The zone's name, or its id if it is gone.
        lasts: Nothing in the zone raises an alert now.
    """

    mute: Mute
    zone: str
    lasts: bool


def read_muted(visit: Visit) -> Sequence[MuteView]:
    """What is muted now, the one that ends first in front."""
    with visit.database.reading() as session:
        return _views(session, visit, mutes.active(session, visit.now))


def read_history(visit: Visit) -> Sequence[MuteView]:
    """The newest mutes, those that are over."""
    with visit.database.reading() as session:
        views = _views(session, visit, mutes.recent(session))
    return [view for view in views if not view.lasts]


def zone_names(session: Session) -> Mapping[str, str]:
    """Every zone's name, by id."""
    zones = session.exec(select(Zone).order_by(Zone.position, Zone.id)).all()  # type: ignore[arg-type]
    return {zone.id: str(zone.spec.get("name", zone.id)) for zone in zones}


def _views(session: Session, visit: Visit, found: Iterable[Mute]) -> list[MuteView]:
    names, now = zone_names(session), visit.now
    return [
        MuteView(
            mute=mute,
            zone=names.get(mute.zone_id, mute.zone_id),
            lasts=mute.ended_at is None and mute.started_at <= now < mute.ends_at,
        )
        for mute in found
    ]
