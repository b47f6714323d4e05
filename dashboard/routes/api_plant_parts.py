"""API: machines, vehicles, feeds and shifts, read and written as whole specifications.

Edits name the ETag they were made from in ``If-Match``. Addresses of feeds are for managers only;
secrets are named, never shown.
"""

from typing import Annotated, cast

from fastapi import APIRouter
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from dashboard.access import ManagerVisit, ViewerVisit
from dashboard.api_description import ADDED
from dashboard.etags import IfMatch
from dashboard.feed_trials import tried
from dashboard.paging import Page, Paged
from dashboard.parts import delete_part, get_part, list_parts, put_part
from dashboard.plant_view import Heard
from dashboard.schemas import Answer
from dashboard.visit import Visit
from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from zones.feeds.specs import AnyFeedSpec, FeedSpec
from zones.feeds.vehicles import MachineSpec, VehicleSpec
from zones.plant import ShiftSpec

router = APIRouter(prefix="/api/v1", tags=["plant"])

AnyFeed = Annotated[FeedSpec, Field(title="Feed")]


class TrialInfo(Answer):
    """What a feed said when it was tried."""

    well: bool
    """Everything was heard and understood."""
    sentence: str
    """What came of it, in the language of the token's owner."""
    remarks: list[str]
    heard: list[Heard]
    """Every machine and vehicle of the feed."""


@router.post("/feeds/try")
async def try_one_feed(visit: ManagerVisit, spec: FeedSpec) -> TrialInfo:
    """Connect a feed without saving it, and tell what it says; takes eight seconds at the most."""
    site = await run_in_threadpool(_site, visit)
    view = await tried(visit, spec, site)
    return TrialInfo(
        well=view.well, sentence=view.sentence, remarks=list(view.remarks), heard=list(view.heard)
    )


def _site(visit: Visit) -> SiteSpec:
    with visit.database.reading() as session:
        return load_site(session).spec


@router.get("/machines")
def list_machines(visit: ViewerVisit, paging: Paged) -> Page[MachineSpec]:
    """Every machine that says what it is doing."""
    return paging.cut(list_parts(visit, "machines"), lambda part: cast(MachineSpec, part))


@router.get("/machines/{machine_id}")
def get_machine(visit: ViewerVisit, machine_id: str, response: Response) -> MachineSpec:
    """One machine."""
    return cast(MachineSpec, get_part(visit, "machines", machine_id, response))


@router.put("/machines/{machine_id}", responses=ADDED)
def put_machine(
    visit: ManagerVisit,
    machine_id: str,
    spec: MachineSpec,
    response: Response,
    if_match: IfMatch = None,
) -> MachineSpec:
    """Add or replace a machine; the engine follows within a second."""
    return put_part(visit, machine_id, spec, if_match, response)


@router.delete("/machines/{machine_id}", status_code=204)
def delete_machine(visit: ManagerVisit, machine_id: str, if_match: IfMatch = None) -> None:
    """Remove a machine that neither feed nor rule refers to."""
    delete_part(visit, "machines", machine_id, if_match)


@router.get("/vehicles")
def list_vehicles(visit: ViewerVisit, paging: Paged) -> Page[VehicleSpec]:
    """Every vehicle that says where it is."""
    return paging.cut(list_parts(visit, "vehicles"), lambda part: cast(VehicleSpec, part))


@router.get("/vehicles/{vehicle_id}")
def get_vehicle(visit: ViewerVisit, vehicle_id: str, response: Response) -> VehicleSpec:
    """One vehicle."""
    return cast(VehicleSpec, get_part(visit, "vehicles", vehicle_id, response))


@router.put("/vehicles/{vehicle_id}", responses=ADDED)
def put_vehicle(
    visit: ManagerVisit,
    vehicle_id: str,
    spec: VehicleSpec,
    response: Response,
    if_match: IfMatch = None,
) -> VehicleSpec:
    """Add or replace a vehicle; the engine follows within a second."""
    return put_part(visit, vehicle_id, spec, if_match, response)


@router.delete("/vehicles/{vehicle_id}", status_code=204)
def delete_vehicle(visit: ManagerVisit, vehicle_id: str, if_match: IfMatch = None) -> None:
    """Remove a vehicle that no feed refers to."""
    delete_part(visit, "vehicles", vehicle_id, if_match)


@router.get("/feeds")
def list_feeds(visit: ManagerVisit, paging: Paged) -> Page[AnyFeed]:
    """Every feed."""
    return paging.cut(list_parts(visit, "feeds"), lambda part: cast(AnyFeedSpec, part))


@router.get("/feeds/{feed_id}")
def get_feed(visit: ManagerVisit, feed_id: str, response: Response) -> FeedSpec:
    """One feed."""
    return cast(AnyFeedSpec, get_part(visit, "feeds", feed_id, response))


@router.put("/feeds/{feed_id}", responses=ADDED)
def put_feed(
    visit: ManagerVisit,
    feed_id: str,
    spec: FeedSpec,
    response: Response,
    if_match: IfMatch = None,
) -> FeedSpec:
    """Add or replace a feed; the engine follows within a second."""
    return put_part(visit, feed_id, spec, if_match, response)


@router.delete("/feeds/{feed_id}", status_code=204)
def delete_feed(visit: ManagerVisit, feed_id: str, if_match: IfMatch = None) -> None:
    """Remove a feed."""
    delete_part(visit, "feeds", feed_id, if_match)


@router.get("/shifts")
def list_shifts(visit: ViewerVisit, paging: Paged) -> Page[ShiftSpec]:
    """Every shift of the site's calendar."""
    return paging.cut(list_parts(visit, "shifts"), lambda part: cast(ShiftSpec, part))


@router.get("/shifts/{shift_id}")
def get_shift(visit: ViewerVisit, shift_id: str, response: Response) -> ShiftSpec:
    """One shift."""
    return cast(ShiftSpec, get_part(visit, "shifts", shift_id, response))


@router.put("/shifts/{shift_id}", responses=ADDED)
def put_shift(
    visit: ManagerVisit,
    shift_id: str,
    spec: ShiftSpec,
    response: Response,
    if_match: IfMatch = None,
) -> ShiftSpec:
    """Add or replace a shift; the engine follows within a second."""
    return put_part(visit, shift_id, spec, if_match, response)


@router.delete("/shifts/{shift_id}", status_code=204)
def delete_shift(visit: ManagerVisit, shift_id: str, if_match: IfMatch = None) -> None:
    """Remove a shift that neither rule nor route refers to."""
    delete_part(visit, "shifts", shift_id, if_match)
