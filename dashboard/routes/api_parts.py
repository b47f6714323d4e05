"""API: cameras, zones, rules and channels.

Whole specifications are read and written; edits name the ETag they were made from in
``If-Match``. Addresses of cameras and channels are for managers only.
"""

from typing import Annotated, cast

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from alerts.open import AnyChannelSpec
from alerts.specs import ChannelSpec
from cameras.specs import CameraSpec
from dashboard.access import ManagerVisit, ViewerVisit
from dashboard.api_description import ADDED
from dashboard.etags import IfMatch
from dashboard.paging import Page, Paged
from dashboard.parts import delete_part, get_part, list_parts, put_part
from dashboard.rule_forms import AnyRule
from dashboard.schemas import CameraInfo
from dashboard.wall import Tile, read_wall
from zones.specs import RuleSpec, ZoneSpec

router = APIRouter(prefix="/api/v1")

AnyRuleSpec = Annotated[RuleSpec, Field(title="Rule")]
AnyChannel = Annotated[ChannelSpec, Field(title="Channel")]


@router.get("/cameras", tags=["cameras"])
def list_cameras(visit: ViewerVisit, paging: Paged) -> Page[CameraInfo]:
    """Every camera with its state of this moment."""
    statuses = visit.hub.camera_status()
    specs = cast(list[CameraSpec], list_parts(visit, "cameras"))
    enabled = {spec.id: spec.enabled for spec in specs}

    def info(tile: Tile) -> CameraInfo:
        return CameraInfo(
            id=tile.id,
            name=tile.name,
            enabled=enabled.get(tile.id, False),
            state=tile.state,
            reason=tile.reason,
            since=tile.since,
            status=statuses.get(tile.id),
        )

    return paging.cut(read_wall(visit).tiles, info)


@router.get("/cameras/{camera_id}", tags=["cameras"])
def get_camera(visit: ManagerVisit, camera_id: str, response: Response) -> CameraSpec:
    """A camera's specification."""
    return cast(CameraSpec, get_part(visit, "cameras", camera_id, response))


@router.put("/cameras/{camera_id}", responses=ADDED, tags=["cameras"])
def put_camera(
    visit: ManagerVisit,
    camera_id: str,
    spec: CameraSpec,
    response: Response,
    if_match: IfMatch = None,
) -> CameraSpec:
    """Add or replace a camera; it is read at once."""
    return put_part(visit, camera_id, spec, if_match, response)


@router.delete("/cameras/{camera_id}", status_code=204, tags=["cameras"])
def delete_camera(visit: ManagerVisit, camera_id: str, if_match: IfMatch = None) -> None:
    """Remove a camera that no zone refers to."""
    delete_part(visit, "cameras", camera_id, if_match)


@router.get("/zones", tags=["zones"])
def list_zones(visit: ViewerVisit, paging: Paged) -> Page[ZoneSpec]:
    """Every zone."""
    return paging.cut(list_parts(visit, "zones"), lambda part: cast(ZoneSpec, part))


@router.get("/zones/{zone_id}", tags=["zones"])
def get_zone(visit: ViewerVisit, zone_id: str, response: Response) -> ZoneSpec:
    """One zone."""
    return cast(ZoneSpec, get_part(visit, "zones", zone_id, response))


@router.put("/zones/{zone_id}", responses=ADDED, tags=["zones"])
def put_zone(
    visit: ManagerVisit,
    zone_id: str,
    spec: ZoneSpec,
    response: Response,
    if_match: IfMatch = None,
) -> ZoneSpec:
    """Add or replace a zone; running shards follow within a second."""
    return put_part(visit, zone_id, spec, if_match, response)


@router.delete("/zones/{zone_id}", status_code=204, tags=["zones"])
def delete_zone(visit: ManagerVisit, zone_id: str, if_match: IfMatch = None) -> None:
    """Remove a zone that no rule refers to."""
    delete_part(visit, "zones", zone_id, if_match)


@router.get("/rules", tags=["rules"])
def list_rules(visit: ViewerVisit, paging: Paged) -> Page[AnyRuleSpec]:
    """Every rule."""
    return paging.cut(list_parts(visit, "rules"), lambda part: cast(AnyRule, part))


@router.get("/rules/{rule_id}", tags=["rules"])
def get_rule(visit: ViewerVisit, rule_id: str, response: Response) -> RuleSpec:
    """One rule."""
    return cast(AnyRule, get_part(visit, "rules", rule_id, response))


@router.put("/rules/{rule_id}", responses=ADDED, tags=["rules"])
def put_rule(
    visit: ManagerVisit,
    rule_id: str,
    spec: RuleSpec,
    response: Response,
    if_match: IfMatch = None,
) -> RuleSpec:
    """Add or replace a rule; running shards follow within a second."""
    return put_part(visit, rule_id, spec, if_match, response)


@router.delete("/rules/{rule_id}", status_code=204, tags=["rules"])
def delete_rule(visit: ManagerVisit, rule_id: str, if_match: IfMatch = None) -> None:
    """Remove a rule."""
    delete_part(visit, "rules", rule_id, if_match)


@router.get("/channels", tags=["channels"])
def list_channels(visit: ManagerVisit, paging: Paged) -> Page[AnyChannel]:
    """Every channel; secrets are named, never shown."""
    return paging.cut(list_parts(visit, "channels"), lambda part: cast(AnyChannelSpec, part))


@router.get("/channels/{channel_id}", tags=["channels"])
def get_channel(visit: ManagerVisit, channel_id: str, response: Response) -> ChannelSpec:
    """One channel."""
    return cast(AnyChannelSpec, get_part(visit, "channels", channel_id, response))


@router.put("/channels/{channel_id}", responses=ADDED, tags=["channels"])
def put_channel(
    visit: ManagerVisit,
    channel_id: str,
    spec: ChannelSpec,
    response: Response,
    if_match: IfMatch = None,
) -> ChannelSpec:
    """Add or replace a channel."""
    return put_part(visit, channel_id, spec, if_match, response)


@router.delete("/channels/{channel_id}", status_code=204, tags=["channels"])
def delete_channel(visit: ManagerVisit, channel_id: str, if_match: IfMatch = None) -> None:
    """Remove a channel that no rule refers to."""
    delete_part(visit, "channels", channel_id, if_match)
