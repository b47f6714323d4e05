"""What of a site refers to one of its parts: as long as something does, the part has to stay."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from safety.site.spec import SiteSpec
from zones.arming import OnMachine, OnRule, OnShift


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One part that refers to another.

    Attributes:
        kind: What it is.
        id: Empty for the policy's list of unlimited channels.
        name: What people call it.
    """

    kind: Literal["zone", "rule", "route", "feed", "policy"]
    id: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} '{self.id}'" if self.id else "the policy's 'unlimited'"


def uses_of(spec: SiteSpec, kind: str, part_id: str) -> list[Use]:
    """Everything that refers to a part.

    Args:
        kind: The list of the site that the part is in, such as ``cameras``.
    """
    return list(_uses(spec, kind, part_id))


def _uses(spec: SiteSpec, kind: str, part_id: str) -> Iterator[Use]:
    match kind:
        case "cameras":
            for zone in spec.zones:
                if zone.camera_id == part_id:
                    yield Use(kind="zone", id=zone.id, name=zone.name)
        case "machines" | "vehicles":
            for feed in spec.plant.feeds:
                if part_id in (feed.machine_ids if kind == "machines" else feed.vehicle_ids):
                    yield Use(kind="feed", id=feed.id, name=feed.name)
    yield from _rules(spec, kind, part_id)
    yield from _routes(spec, kind, part_id)


def _rules(spec: SiteSpec, kind: str, part_id: str) -> Iterator[Use]:
    for rule in spec.rules:
        arming = rule.arming
        named: Iterable[str] = ()
        match kind:
            case "cameras":
                named = getattr(rule, "camera_ids", None) or ()  # not every kind has it
            case "zones":
                named = (rule.zone_id,) if rule.zone_id else ()
            case "channels":
                named = rule.channels or ()
            case "machines" if isinstance(arming, OnMachine):
                named = (arming.machine_id,)
            case "rules" if isinstance(arming, OnRule):
                named = (arming.rule_id,)
            case "shifts" if isinstance(arming, OnShift):
                named = arming.shifts
        if part_id in named:
            yield Use(kind="rule", id=rule.id, name=rule.name)


def _routes(spec: SiteSpec, kind: str, part_id: str) -> Iterator[Use]:
    policy = spec.policy
    for route in policy.routes:
        named: set[str] = set()
        match kind:
            case "zones":
                named = set(route.zones)
            case "shifts":
                named = set(route.shifts)
            case "channels":
                named = {name for step in route.steps for name in step.channels or ()}
        if part_id in named:
            yield Use(kind="route", id=route.id, name=route.name)
    if kind == "channels" and part_id in policy.unlimited:
        yield Use(kind="policy", id="", name="")
