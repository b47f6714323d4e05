"""What does not fit together in a site: repeated ids, and names of things that are not there."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Location = tuple[str | int, ...]
"""Where in a document: keys and list positions from the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenReference:
    """Two parts of a site that do not fit together.

    Attributes:
        where: The value at fault.
        key: Translation key; ``params`` are its parameters.
        message: English text.
    """

    where: Location
    key: str
    message: str
    params: Mapping[str, str] = field(default_factory=dict)


def broken_references(document: Mapping[str, Any]) -> Iterator[BrokenReference]:
    """What does not fit together in a site; parts that are no mappings are passed over.

    Args:
        document: As in YAML; need not be valid otherwise, so that one look finds everything.
    """
    plant = document.get("plant")
    parts = {**(plant if isinstance(plant, Mapping) else {}), **document}
    for place in (("cameras",), ("zones",), ("rules",), ("channels",)):
        yield from _repeated_ids(document, place)
    if isinstance(plant, Mapping):
        for name in ("shifts", "machines", "vehicles", "feeds"):
            yield from _repeated_ids(document, ("plant", name))
    for where, target, name in _references(document):
        known = _ids(parts, target)
        if name not in known:
            yield _missing(where, target.removesuffix("s"), name, known)
    yield from _arming_circles(document)


def nearest(word: object, known: Collection[str]) -> str:
    """``"; did you mean '…'?"`` with the known word that looks most like this one, or ``""``."""
    close = difflib.get_close_matches(str(word)[:100], sorted(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def _references(document: Mapping[str, Any]) -> Iterator[tuple[Location, str, str]]:
    """Every name of another part: where it is, which part it should be in, and the name."""
    for number, zone in _items(document, ("zones",)):
        yield from _names(("zones", number), zone, "camera_id", "cameras")
    for number, rule in _items(document, ("rules",)):
        where = ("rules", number)
        for field_name, target in _RULE_FIELDS:
            yield from _names(where, rule, field_name, target)
        arming = rule.get("arming")
        if isinstance(arming, Mapping):
            for field_name, target in _ARMING_FIELDS:
                yield from _names((*where, "arming"), arming, field_name, target)
    policy = document.get("policy")
    if isinstance(policy, Mapping):
        yield from _names(("policy",), policy, "unlimited", "channels")
        yield from _policy_references(document)


def _policy_references(document: Mapping[str, Any]) -> Iterator[tuple[Location, str, str]]:
    for number, route in _items(document, ("policy", "routes")):
        where = ("policy", "routes", number)
        for field_name in ("zones", "shifts"):
            yield from _names(where, route, field_name, field_name)
        for place, step in _items({"steps": route.get("steps")}, ("steps",)):
            yield from _names((*where, "steps", place), step, "channels", "channels")


_RULE_FIELDS = (("zone_id", "zones"), ("channels", "channels"), ("camera_ids", "cameras"))
_ARMING_FIELDS = (("machine_id", "machines"), ("rule_id", "rules"), ("shifts", "shifts"))


def _names(
    where: Location, item: Mapping[str, Any], field_name: str, target: str
) -> Iterator[tuple[Location, str, str]]:
    """The name, or the names, in one field."""
    value = item.get(field_name)
    if isinstance(value, str):
        yield (*where, field_name), target, value
    elif isinstance(value, list | tuple):
        for position, name in enumerate(value):
            if isinstance(name, str):
                yield (*where, field_name, position), target, name


def _repeated_ids(document: Mapping[str, Any], place: Location) -> Iterator[BrokenReference]:
    first: dict[str, int] = {}
    part = ".".join(str(each) for each in place)
    for number, item in _items(document, place):
        name = item.get("id")
        if not isinstance(name, str):
            continue
        if name in first:
            params = {"id": name, "part": part, "first": str(first[name])}
            yield BrokenReference(
                where=(*place, number, "id"),
                key="site.repeated_id",
                message=f"the id '{name}' is that of {part}[{first[name]}] already; use another",
                params=params,
            )
        first.setdefault(name, number)


def _arming_circles(document: Mapping[str, Any]) -> Iterator[BrokenReference]:
    """Rules that are armed, by way of others, only while they are broken: never."""
    armed_by: dict[str, str] = {}
    for _, rule in _items(document, ("rules",)):
        arming, name = rule.get("arming"), rule.get("id")
        if isinstance(arming, Mapping) and isinstance(arming.get("rule_id"), str):
            armed_by[str(name)] = arming["rule_id"]
    for number, rule in _items(document, ("rules",)):
        circle = _circle(str(rule.get("id")), armed_by)
        if circle:
            path = " → ".join(circle)
            yield BrokenReference(
                where=("rules", number, "arming", "rule_id"),
                key="site.arming_circle",
                message=f"the rule would be armed by its own violation ({path}), which can never"
                " happen; let one of them be armed by something else",
                params={"path": path},
            )


def _circle(start: str, armed_by: Mapping[str, str]) -> list[str]:
    """The rules from ``start`` back to it, or nothing."""
    path = [start]
    while (following := armed_by.get(path[-1])) is not None and len(path) <= len(armed_by):
        path.append(following)
        if following == start:
            return path
    return []


def _missing(where: Location, what: str, name: object, known: Collection[str]) -> BrokenReference:
    hint = nearest(name, known) or (
        f"; known are {', '.join(sorted(known)[:10])}" if known else f"; this site has no {what}"
    )
    return BrokenReference(
        where=where,
        key="site.unknown_reference",
        message=f"there is no {what} '{str(name)[:80]}'{hint}",
        params={"what": what, "id": str(name)[:80]},
    )


def _items(document: Mapping[str, Any], place: Location) -> Iterator[tuple[int, Mapping[str, Any]]]:
    items: Any = document
    for name in place:
        items = items.get(name) if isinstance(items, Mapping) else None
    for number, item in enumerate(items if isinstance(items, list | tuple) else ()):
        if isinstance(item, Mapping):
            yield number, item


def _ids(parts: Mapping[str, Any], name: str) -> set[str]:
    return {item["id"] for _, item in _items(parts, (name,)) if isinstance(item.get("id"), str)}
