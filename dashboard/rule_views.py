"""Rules with their sentence and their state of this moment, as the pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.rule_forms import AnyRule
from dashboard.rule_words import names_of, rule_sentence
from dashboard.visit import Visit
from safety.site.spec import SiteSpec
from zones.arming import Armament


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAtCamera:
    """How a rule stands at one camera now.

    Attributes:
        camera: The camera's name.
        doubts: What the rule cannot tell there; ``doubt.*`` are the sentences.
    """

    camera: str
    armament: Armament
    doubts: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """One rule.

    Attributes:
        zone: Its zone's name; empty if it has none.
        places: How it stands at every camera that has said so; empty: unknown.
    """

    rule: AnyRule
    sentence: str
    zone: str
    places: Sequence[RuleAtCamera]


def read_rules(visit: Visit, site: SiteSpec, zone_id: str | None = None) -> list[RuleView]:
    """The site's rules, or those of one zone."""
    names = names_of(site)
    return [
        RuleView(
            rule=rule,
            sentence=rule_sentence(rule, names, visit.translate),
            zone=names["zones"].get(rule.zone_id or "", ""),
            places=read_places(visit, site, rule.id),
        )
        for rule in site.rules
        if zone_id in {None, rule.zone_id}
    ]


def read_places(visit: Visit, site: SiteSpec, rule_id: str) -> list[RuleAtCamera]:
    """How a rule stands now at every camera that is watched by it."""
    statuses = visit.hub.camera_status()
    return [
        RuleAtCamera(
            camera=camera.name,
            armament=status.rules[rule_id],
            doubts=status.doubts.get(rule_id, ()),
        )
        for camera in site.cameras
        if (status := statuses.get(camera.id)) is not None and rule_id in status.rules
    ]
