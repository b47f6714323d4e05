"""What a rule will do, in plain sentences."""

from collections.abc import Mapping
from typing import Any

from dashboard.rule_forms import AnyRule
from safety.i18n import Translate
from safety.site.spec import SiteSpec
from zones.arming import OnMachine, OnRule, OnShift
from zones.distances import FixedDistance, StopDistance
from zones.rules.base import RuleBase
from zones.rules.blind_spot import BlindSpotSpec
from zones.rules.intrusion import IntrusionSpec
from zones.rules.line_crossing import LineCrossingSpec
from zones.rules.missing_ppe import MissingPpeSpec
from zones.rules.occupancy import OccupancySpec
from zones.rules.posture import PostureSpec
from zones.rules.proximity import ProximitySpec

Names = Mapping[str, Mapping[str, str]]
"""What people call things: kind of part → id → name."""

KMH = 3.6
"""Kilometres per hour in a metre per second."""


def names_of(site: SiteSpec) -> Names:
    """The names of everything that rules refer to."""
    plant = site.plant
    parts: Mapping[str, tuple[Any, ...]] = {
        "cameras": site.cameras,
        "zones": site.zones,
        "rules": site.rules,
        "channels": site.channels,
        "shifts": plant.shifts,
        "machines": plant.machines,
    }
    return {kind: {each.id: each.name for each in those} for kind, those in parts.items()}


def rule_sentence(rule: AnyRule, names: Names, translate: Translate) -> str:
    """When the rule fires and what happens then: for example "While Press 2 is running or in
    set-up: as soon as ... ."."""
    parts = {
        "arming": _arming(rule, names, translate),
        "condition": condition(rule, names, translate),
        "consequence": _consequence(rule, names, translate),
    }
    if rule.hold_to_open_s > 0:
        said = [translate("rules.say.held", seconds=f"{rule.hold_to_open_s:g}", **parts)]
    else:
        said = [translate("rules.say.at_once", **parts)]
    said += _more(rule, translate)
    said.append(
        translate(
            "rules.say.end",
            close_s=f"{rule.hold_to_close_s:g}",
            cooldown_s=f"{rule.cooldown_s:g}",
        )
    )
    return " ".join(said)


def condition(rule: AnyRule, names: Names, translate: Translate) -> str:
    """What breaks the rule, as a clause."""
    numbers = {
        name: f"{value:g}"
        for name, value in rule
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    values: dict[str, object] = {**numbers, "where": _where(rule, names, translate)}
    if "limit_mps" in numbers:
        values["kmh"] = f"{float(numbers['limit_mps']) * KMH:.1f}"
    if vehicles := getattr(rule, "vehicles", None):
        values["vehicles"] = [f"rules.vehicles.{each}" for each in vehicles]
    match rule:
        case MissingPpeSpec():
            values["items"] = [f"ppe.{item}" for item in rule.items]
        case PostureSpec():
            values |= {"percent": f"{rule.share:.0%}", "minutes": f"{rule.window_s / 60:g}"}
        case ProximitySpec():
            values["distance"] = _distance(rule.warning, translate)
    return translate(f"rules.say.if.{rule.kind}{_variant(rule)}", **values)


def _variant(rule: AnyRule) -> str:
    match rule:
        case IntrusionSpec():
            return f".{rule.body}"
        case LineCrossingSpec():
            return f".{rule.direction}"
        case ProximitySpec():
            return f".{rule.to}"
        case OccupancySpec():
            which = {(False, True): "most", (True, False): "least", (True, True): "both"}
            empty = "_or_nobody" if rule.empty_is_fine and rule.at_least is not None else ""
            return f".{which[rule.at_least is not None, rule.at_most is not None]}{empty}"
        case _:
            return ""


def _where(rule: RuleBase, names: Names, translate: Translate) -> str:
    if rule.zone_id is not None:
        zone = names["zones"].get(rule.zone_id, rule.zone_id)
        return translate("rules.say.in_zone", zone=zone)
    cameras = getattr(rule, "camera_ids", None)
    if cameras is None:
        return translate("rules.say.in_any_view")
    return translate("rules.say.in_view", cameras=_named(names["cameras"], cameras))


def _arming(rule: RuleBase, names: Names, translate: Translate) -> str:
    match rule.arming:
        case OnShift(shifts=shifts, outside=outside):
            key = "rules.say.when.outside" if outside else "rules.say.when.shift"
            return translate(key, shifts=_named(names["shifts"], shifts))
        case OnMachine(machine_id=machine, states=states):
            return translate(
                "rules.say.when.machine",
                machine=names["machines"].get(machine, machine),
                states=[f"machine.state.{state}" for state in states if state != "unknown"],
            )
        case OnRule(rule_id=other):
            return translate("rules.say.when.rule", rule=names["rules"].get(other, other))
        case _:
            return translate("rules.say.when.always")


def _consequence(rule: RuleBase, names: Names, translate: Translate) -> str:
    if not rule.enabled:
        return translate("rules.say.then.off")
    if rule.mode == "shadow":
        return translate("rules.say.then.shadow")
    told = names["channels"] if rule.channels is None else rule.channels
    severity = [f"severity.{rule.severity}"]
    if not told:
        return translate("rules.say.then.pages", severity=severity)
    channels = _named(names["channels"], tuple(told))
    return translate("rules.say.then.alert", severity=severity, channels=channels)


def _more(rule: AnyRule, translate: Translate) -> list[str]:
    if isinstance(rule, BlindSpotSpec) and rule.when_degraded:
        return [translate("rules.say.degraded")]
    if not isinstance(rule, ProximitySpec):
        return []
    said = []
    if rule.stop is not None:
        said.append(translate("rules.say.stop", distance=_distance(rule.stop, translate)))
    if rule.time_to_contact_s is not None:
        said.append(translate("rules.say.contact", seconds=f"{rule.time_to_contact_s:g}"))
    return said


def _distance(distance: StopDistance, translate: Translate) -> str:
    if isinstance(distance, FixedDistance):
        return f"{distance.distance_m:g} m"
    return translate(f"rules.say.distance.{distance.kind}")


def _named(names: Mapping[str, str], ids: tuple[str, ...]) -> str:
    return ", ".join(names.get(each, each) for each in ids)
