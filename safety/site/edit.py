"""Changing one part of the site, as the dashboard and the API do."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlmodel import Session

from alerts.policy_spec import PolicySpec
from alerts.specs import ChannelSpec
from cameras.specs import CameraSpec
from safety.errors import ConfigError
from safety.site.apply import load_site, store_site
from safety.site.spec import SiteSpec
from safety.store import configuration
from safety.store.configuration import Changes
from safety.store.refusals import Conflict, NotFound
from zones.plant import PlantSpec
from zones.rules.base import RuleBase
from zones.specs import RuleSpec, ZoneSpec

Part = CameraSpec | ZoneSpec | RuleSpec | ChannelSpec
PartKind = Literal["cameras", "zones", "rules", "channels"]


def put(
    session: Session,
    part: Part,
    *,
    by: str,
    at: datetime,
    expected_revision: int | None = None,
) -> Changes:
    """Add a camera, zone, rule or channel, or replace the one with its id.

    Args:
        session: The open transaction.
        part: The whole specification.
        by: Who, for the audit log.
        at: UTC.
        expected_revision: The configuration's revision that the change was made from.

    Raises:
        Conflict: The configuration is no longer at ``expected_revision``.
        ConfigError: It refers to something that the site does not have.
    """
    kind = kind_of(part)
    spec = _locked(session)
    present: tuple[Part, ...] = getattr(spec, kind)
    if any(each.id == part.id for each in present):
        parts = tuple(part if each.id == part.id else each for each in present)
    else:
        parts = (*present, part)
    changed = _checked(spec, kind, parts)
    return store_site(session, changed, by=by, at=at, expected_revision=expected_revision)


def remove(
    session: Session,
    kind: PartKind,
    part_id: str,
    *,
    by: str,
    at: datetime,
    expected_revision: int | None = None,
) -> Changes:
    """Remove a camera, zone, rule or channel that nothing else refers to.

    Raises:
        NotFound: There is none with this id.
        Conflict: Something refers to it, or the configuration is no longer at
            ``expected_revision``.
    """
    spec = _locked(session)
    present: tuple[Part, ...] = getattr(spec, kind)
    rest = tuple(each for each in present if each.id != part_id)
    if len(rest) == len(present):
        raise NotFound(kind.removesuffix("s"), part_id)
    if users := _users(spec, kind, part_id):
        raise Conflict(
            "site.in_use",
            "'{id}' is used by {users}; change or remove that first",
            id=part_id,
            users=", ".join(users),
        )
    changed = _checked(spec, kind, rest)
    return store_site(session, changed, by=by, at=at, expected_revision=expected_revision)


def put_plant(session: Session, plant: PlantSpec, *, by: str, at: datetime) -> Changes:
    """Replace floor plan, shifts, machines, vehicles and feeds.

    Raises:
        ConfigError: Rules refer to something that it no longer has.
    """
    spec = _locked(session)
    changed = _validated({**dict(spec), "plant": plant})
    return store_site(session, changed, by=by, at=at)


def put_policy(session: Session, policy: PolicySpec, *, by: str, at: datetime) -> Changes:
    """Replace who is told of which alert.

    Raises:
        ConfigError: It refers to something that the site does not have.
    """
    spec = _locked(session)
    changed = _validated({**dict(spec), "policy": policy})
    return store_site(session, changed, by=by, at=at)


def kind_of(part: Part) -> PartKind:
    """Which list of the site it belongs into."""
    if isinstance(part, CameraSpec):
        return "cameras"
    if isinstance(part, ZoneSpec):
        return "zones"
    return "rules" if isinstance(part, RuleBase) else "channels"


def _locked(session: Session) -> SiteSpec:
    # Locked before it is read: of two changes at once the second builds on the first.
    configuration.lock(session)
    return load_site(session).spec


def _users(spec: SiteSpec, kind: PartKind, part_id: str) -> list[str]:
    if kind == "cameras":
        return [f"zone '{zone.id}'" for zone in spec.zones if zone.camera_id == part_id]
    if kind == "zones":
        rules = [f"rule '{rule.id}'" for rule in spec.rules if rule.zone_id == part_id]
        return rules + [f"route '{r.id}'" for r in spec.policy.routes if part_id in r.zones]
    if kind == "channels":
        rules = [f"rule '{rule.id}'" for rule in spec.rules if part_id in (rule.channels or ())]
        return rules + _routes_over(spec.policy, part_id)
    return []


def _routes_over(policy: PolicySpec, channel_id: str) -> list[str]:
    """Where the policy speaks of a channel."""
    routes = [
        f"route '{route.id}'"
        for route in policy.routes
        if any(channel_id in (step.channels or ()) for step in route.steps)
    ]
    return routes + (["the policy's 'unlimited'"] if channel_id in policy.unlimited else [])


def _checked(spec: SiteSpec, kind: PartKind, parts: tuple[Part, ...]) -> SiteSpec:
    return _validated({**dict(spec), kind: parts})


def _validated(wanted: dict[str, Any]) -> SiteSpec:
    try:
        return SiteSpec.model_validate(wanted)
    except ValidationError as error:
        first: ErrorDetails = error.errors(include_url=False, include_input=False)[0]
        raise ConfigError("site.refused", "{why}", why=first["msg"]) from error
