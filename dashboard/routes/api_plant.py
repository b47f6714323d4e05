"""API: what the plant says, and muted zones."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from cameras.messages import FeedInfo, MachineInfo, ReportedVehicle
from dashboard.access import ManagerVisit, ViewerVisit
from dashboard.once import OnlyOnce
from dashboard.paging import Page, Paged
from dashboard.schemas import Answer
from safety.store import mutes
from safety.store.tables import Mute

router = APIRouter(prefix="/api/v1", tags=["plant"])


class PlantInfo(Answer):
    """Machines, vehicles and feeds as the engine knows them now."""

    known: bool
    """False: the engine is silent, and everything is armed."""
    machines: Sequence[MachineInfo] = ()
    vehicles: Sequence[ReportedVehicle] = ()
    lost_vehicles: dict[str, str] = {}
    feeds: Sequence[FeedInfo] = ()
    active_shifts: Sequence[str] = ()
    muted_zones: Sequence[str] = ()


class NewMute(Answer):
    """A zone to be muted."""

    zone_id: str
    kind: Literal["lockout", "maintenance"] = "lockout"
    person: str = Field(max_length=200)
    """Who works there."""
    reason: str = Field(max_length=1000)
    """What is done there."""
    ends_at: AwareDatetime
    """When it ends by itself; eight hours ahead at most."""


class MuteInfo(Answer):
    """A muted zone."""

    id: str
    zone_id: str
    kind: str
    person: str
    reason: str
    started_at: datetime
    started_by: str
    ends_at: datetime
    ended_at: datetime | None
    ended_by: str | None


@router.get("/plant")
def get_plant(visit: ViewerVisit) -> PlantInfo:
    """What the plant says now."""
    status = visit.hub.plant_status()
    if status is None:
        return PlantInfo(known=False)
    return PlantInfo(
        known=True,
        machines=status.machines,
        vehicles=status.vehicles,
        lost_vehicles=status.lost_vehicles,
        feeds=status.feeds,
        active_shifts=status.active_shifts,
        muted_zones=status.muted_zones,
    )


@router.get("/mutes")
def list_mutes(visit: ViewerVisit, paging: Paged, lasting: bool = False) -> Page[MuteInfo]:
    """Mutes, newest first; or those that last now."""
    with visit.database.reading() as session:
        if lasting:
            return paging.cut(mutes.active(session, visit.now), _info)
        rows = mutes.recent(session, before=paging.cursor, limit=paging.fetch)
    return paging.page(rows, _info)


@router.post("/mutes", status_code=201)
def begin_mute(visit: ManagerVisit, wanted: NewMute, once: OnlyOnce) -> MuteInfo:
    """Mute a zone for lock-out or maintenance."""
    made = once.make(
        visit, lambda session: mutes.begin(session, **wanted.model_dump(), **visit.signed).id
    )
    visit.hub.nudge("mutes")
    with visit.database.reading() as session:
        return _info(mutes.get(session, made))


@router.post("/mutes/{mute_id}/end")
def end_mute(visit: ManagerVisit, mute_id: str) -> MuteInfo:
    """End a mute before its time."""
    with visit.database.transaction() as session:
        info = _info(mutes.end(session, mute_id, **visit.signed))
    visit.hub.nudge("mutes")
    return info


def _info(mute: Mute) -> MuteInfo:
    return MuteInfo(
        id=mute.id,
        zone_id=mute.zone_id,
        kind=mute.kind,
        person=mute.person,
        reason=mute.reason,
        started_at=mute.started_at,
        started_by=mute.started_by,
        ends_at=mute.ends_at,
        ended_at=mute.ended_at,
        ended_by=mute.ended_by,
    )
