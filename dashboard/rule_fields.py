"""The fields of a rule's form, read from the JSON schema of its specification.

A field has a name such as ``hold_to_open_s`` or, within a choice between kinds,
``warning.fixed.distance_m``; the form's values are a flat mapping by these names.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from dashboard.zone_forms import corners_text, parse_corners
from zones.specs import RuleSpec

Widget = Literal["text", "number", "flag", "choice", "choices", "points", "kinds"]

_SPECS = {spec.model_fields["kind"].default: spec for spec in get_args(get_args(RuleSpec)[0])}

RULE_KINDS: tuple[str, ...] = tuple(_SPECS)
"""Every kind of rule, in the order in which they are offered."""

_NOT_ASKED = {"id", "kind"}

_REFERENCES = {
    "zone_id": "zones",
    "camera_ids": "cameras",
    "channels": "channels",
    "shifts": "shifts",
    "machine_id": "machines",
    "rule_id": "rules",
}
"""Fields that name parts of the site, and which parts."""

_OPTION_TEXTS = {
    "severity": "severity",
    "items": "ppe",
    "states": "machine.state",
    "stop": "rules.warning",
}
"""Where the texts of a field's options are, if not under the field's own name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleField:
    """One field of a form.

    Attributes:
        leaf: The last part of the name, which its texts go by.
        options: What can be chosen; of ``kinds`` the kinds.
        refers_to: The parts of the site that can be chosen instead.
        optional: It may be left out.
        branches: Of ``kinds``: the fields of every kind.
        default: What the form shows at first, as in JSON.
    """

    name: str
    widget: Widget
    options: tuple[str, ...] = ()
    refers_to: str = ""
    optional: bool = False
    whole: bool = False
    branches: Mapping[str, tuple["RuleField", ...]]
    default: Any = None

    @property
    def leaf(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def unit(self) -> float:
        """What points are written in: metres, or hundredths of the picture."""
        return 1.0 if self.leaf.endswith("_m") else 0.01

    def text_key(self, option: str = "") -> str:
        """Key of the field's label, or of an option's."""
        if not option:
            return f"rules.{self.leaf}"
        return f"{_OPTION_TEXTS.get(self.leaf, f'rules.{self.leaf}')}.{option}"


@cache
def fields_of(kind: str) -> tuple[RuleField, ...]:
    """The fields that a rule of this kind has in its form.

    Raises:
        KeyError: There is no such kind.
    """
    schema = _SPECS[kind].model_json_schema()
    return _fields(schema, schema.get("$defs", {}), "")


def every_field(fields: Iterable[RuleField]) -> Iterator[RuleField]:
    """These fields and those of all their branches."""
    for field in fields:
        yield field
        for branch in field.branches.values():
            yield from every_field(branch)


def values_of(fields: Iterable[RuleField], data: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values for a specification as JSON data; what it lacks is at its default."""
    values: dict[str, Any] = {}
    for field in fields:
        value = data.get(field.leaf, field.default)
        if field.widget == "points":
            value = corners_text(value, field.unit) if value else ""
        if field.widget != "kinds":
            values[field.name] = value
            continue
        chosen = value["kind"] if value else ""
        values[field.name] = chosen
        for kind, branch in field.branches.items():
            values |= values_of(branch, value if kind == chosen else {})
    return values


def data_of(fields: Iterable[RuleField], values: Mapping[str, Any]) -> dict[str, Any]:
    """The specification as plain data; the reverse of ``values_of``.

    Raises:
        ValueError: Points are not pairs of numbers.
    """
    data: dict[str, Any] = {}
    for field in fields:
        value = values.get(field.name)
        if value is None and not field.optional:
            continue  # it was not asked: its default
        if field.widget == "kinds":
            branch = field.branches.get(str(value), ())
            data[field.leaf] = {"kind": value, **data_of(branch, values)} if value else None
        elif field.widget == "points" and value:
            data[field.leaf] = parse_corners(str(value), field.unit)
        else:
            data[field.leaf] = None if field.optional and value == "" else value
    return data


def _fields(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str
) -> tuple[RuleField, ...]:
    return tuple(
        _field(prefix + name, each, definitions)
        for name, each in schema["properties"].items()
        if name not in _NOT_ASKED
    )


def _field(name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> RuleField:
    present, optional = _without_null(schema)
    node = _resolved(present, definitions)
    widget, options = _widget(node, definitions)
    branches = {}
    if widget == "kinds":
        for kind, reference in node["discriminator"]["mapping"].items():
            branch = _resolved({"$ref": reference}, definitions)
            branches[kind] = _fields(branch, definitions, f"{name}.{kind}.")
    leaf = name.rpartition(".")[2]
    default = schema.get("default")
    if widget == "kinds" and default is not None:
        default = {"kind": next(iter(branches)), **default}
    return RuleField(
        name=name,
        widget="choice" if widget == "text" and leaf in _REFERENCES else widget,
        options=tuple(branches) if branches else options,
        refers_to=_REFERENCES.get(leaf, ""),
        optional=optional,
        whole=node.get("type") == "integer",
        branches=branches,
        default=default,
    )


def _without_null(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    choices = schema.get("anyOf", ())
    present = [each for each in choices if each.get("type") != "null"]
    return (present[0], True) if len(present) == 1 != len(choices) else (schema, False)


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref", "").rpartition("/")[2]
    return definitions[reference] if reference else schema


def _widget(
    node: Mapping[str, Any], definitions: Mapping[str, Any]
) -> tuple[Widget, tuple[str, ...]]:
    if "discriminator" in node:
        return "kinds", ()
    if "enum" in node:
        return "choice", tuple(node["enum"])
    match node.get("type"):
        case "boolean":
            return "flag", ()
        case "number" | "integer":
            return "number", ()
        case "array":
            item = _resolved(node["items"], definitions)
            if item.get("type") == "array":
                return "points", ()
            return "choices", tuple(item.get("enum", ()))
        case _:
            return "text", ()
