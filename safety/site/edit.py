"""Changing one part of the site, as the dashboard and the API do."""

from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlmodel import Session

from alerts.policy_spec import PolicySpec
from alerts.specs import ChannelSpec
from cameras.specs import CameraSpec
from safety.errors import ConfigError
from safety.site.apply import load_site, store_site
from safety.site.spec import SiteSpec
from safety.site.uses import uses_of
from safety.store import configuration
from safety.store.configuration import Changes
from safety.store.refusals import Conflict, NotFound
from zones.feeds.base import FeedBase
from zones.feeds.specs import FeedSpec
from zones.feeds.vehicles import MachineSpec, VehicleSpec
from zones.plant import PlantSpec, ShiftSpec
from zones.rules.base import RuleBase
from zones.specs import RuleSpec, ZoneSpec

PlantPart = MachineSpec | VehicleSpec | FeedSpec | ShiftSpec
PlantKind = Literal["machines", "vehicles", "feeds", "shifts"]
PLANT_KINDS: tuple[PlantKind, ...] = get_args(PlantKind)
"""Parts that stand under ``plant``."""

Part = CameraSpec | ZoneSpec | RuleSpec | ChannelSpec | PlantPart
PartKind = Literal["cameras", "zones", "rules", "channels"] | PlantKind


def put(
    session: Session,
    part: Part,
    *,
    by: str,
    at: datetime,
    expected_revision: int | None = None,
) -> Changes:
    """Add a part of the site, or replace the one of its kind with its id.

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
    present = parts_of(spec, kind)
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
    """Remove a part of the site that nothing else refers to.

    Raises:
        NotFound: There is none with this id.
        Conflict: Something refers to it, or the configuration is no longer at
            ``expected_revision``.
    """
    spec = _locked(session)
    present = parts_of(spec, kind)
    rest = tuple(each for each in present if each.id != part_id)
    if len(rest) == len(present):
        raise NotFound(kind.removesuffix("s"), part_id)
    if users := uses_of(spec, kind, part_id):
        raise Conflict(
            "site.in_use",
            "'{id}' is used by {users}; change or remove that first",
            id=part_id,
            users=", ".join(str(user) for user in users),
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


def parts_of(spec: SiteSpec, kind: PartKind) -> tuple[Part, ...]:
    """All parts of one kind, in the site's order."""
    found: tuple[Part, ...] = getattr(spec.plant if kind in PLANT_KINDS else spec, kind)
    return found


def kind_of(part: Part) -> PartKind:
    """Which list of the site it belongs into."""
    for specs, kind in _KINDS:
        if isinstance(part, specs):
            return kind
    return "channels"


_KINDS: tuple[tuple[type, PartKind], ...] = (
    (CameraSpec, "cameras"),
    (ZoneSpec, "zones"),
    (RuleBase, "rules"),
    (MachineSpec, "machines"),
    (VehicleSpec, "vehicles"),
    (ShiftSpec, "shifts"),
    (FeedBase, "feeds"),
)


def _locked(session: Session) -> SiteSpec:
    # Locked before it is read: of two changes at once the second builds on the first.
    configuration.lock(session)
    return load_site(session).spec


def _checked(spec: SiteSpec, kind: PartKind, parts: tuple[Part, ...]) -> SiteSpec:
    if kind in PLANT_KINDS:
        return _validated({**dict(spec), "plant": {**dict(spec.plant), kind: parts}})
    return _validated({**dict(spec), kind: parts})


def _validated(wanted: dict[str, Any]) -> SiteSpec:
    try:
        return SiteSpec.model_validate(wanted)
    except ValidationError as error:
        first: ErrorDetails = error.errors(include_url=False, include_input=False)[0]
        if "." in first["type"]:  # one of ours, with words in every language
            raise ConfigError(first["type"], first["msg"], **first.get("ctx", {})) from error
        raise ConfigError("site.refused", "{why}", why=first["msg"]) from error
