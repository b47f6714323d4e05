"""The fields of a channel's form, read from the JSON schema of its specification."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from alerts.open import AnyChannelSpec

Widget = Literal["text", "long", "number", "flag", "choice", "choices", "lines"]

_SPECS = {spec.model_fields["kind"].default: spec for spec in get_args(AnyChannelSpec)}

CHANNEL_KINDS: tuple[str, ...] = tuple(_SPECS)
"""Every kind of channel."""

SIREN_KINDS = tuple(kind for kind, spec in _SPECS.items() if "quiet_when" in spec.model_fields)
"""Those that sound; every other one carries messages."""

_NOT_ASKED = {"id", "kind", "name", "enabled"}
_LONG = {"template"}
_SELDOM = {"api_url", "auth_url", "ca_file", "path", "check_url", "device_id"}
"""What nearly everybody leaves as it is; folded away unless the kind cannot do without it."""
_OPTION_TEXTS = {
    "self_test_day": "weekday",
    "danger_lamps": "colour",
    "warning_lamps": "colour",
    "danger_light": "light",
    "warning_light": "light",
    "danger_mode": "zigbee_mode",
    "warning_mode": "zigbee_mode",
    "danger_volume": "volume",
    "warning_volume": "volume",
}
"""Where the texts of a field's options are, if not under the field's own name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelField:
    """One field of a form.

    Attributes:
        options: What can be chosen.
        optional: It may be left empty.
        whole: A number without decimals.
        secret: Takes a reference to a secret, never the secret.
        seldom: Folded away.
        default: What the form shows at first, as in JSON.
    """

    name: str
    widget: Widget
    options: tuple[str, ...] = ()
    optional: bool = False
    whole: bool = False
    secret: bool = False
    seldom: bool = False
    default: Any = None

    @property
    def text_key(self) -> str:
        return f"channels.field.{self.name}"

    def option_key(self, option: str) -> str:
        return f"channels.option.{_OPTION_TEXTS.get(self.name, self.name)}.{option}"


@cache
def fields_of(kind: str) -> tuple[ChannelField, ...]:
    """The fields that a channel of this kind has besides its name.

    Raises:
        KeyError: There is no such kind.
    """
    schema = _SPECS[kind].model_json_schema()
    required = set(schema.get("required", ()))
    fields = [
        _field(name, node, required=name in required)
        for name, node in schema["properties"].items()
        if name not in _NOT_ASKED
    ]
    # What has to be filled in comes first.
    return tuple(sorted(fields, key=lambda field: field.name not in required))


def values_of(fields: Iterable[ChannelField], data: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values for a specification as JSON data; what it lacks is at its default."""
    values = {}
    for field in fields:
        value = data.get(field.name, field.default)
        if field.widget == "lines":
            value = "\n".join(str(each) for each in value or ())
        values[field.name] = value
    return values


def data_of(fields: Iterable[ChannelField], values: Mapping[str, Any]) -> dict[str, Any]:
    """The specification as plain data; the reverse of ``values_of``."""
    data: dict[str, Any] = {}
    for field in fields:
        value = values[field.name]
        if field.widget == "lines":
            value = [line.strip() for line in str(value).splitlines() if line.strip()]
        data[field.name] = None if field.optional and value in ("", []) else value
    return data


def _field(name: str, schema: Mapping[str, Any], *, required: bool) -> ChannelField:
    choices = schema.get("anyOf", ())
    present = [each for each in choices if each.get("type") != "null"]
    node = present[0] if present else schema
    widget, options = _widget(name, node)
    return ChannelField(
        name=name,
        widget=widget,
        options=options,
        optional=len(present) != len(choices),
        whole=node.get("type") == "integer",
        secret="env:" in node.get("pattern", ""),
        seldom=not required and (name in _SELDOM or "3.1.1" in options),
        default=schema.get("default"),
    )


def _widget(name: str, node: Mapping[str, Any]) -> tuple[Widget, tuple[str, ...]]:
    if "enum" in node:
        return "choice", tuple(node["enum"])
    match node.get("type"):
        case "boolean":
            return "flag", ()
        case "number" | "integer":
            return "number", ()
        case "array":
            options = tuple(node["items"].get("enum", ()))
            return ("choices", options) if options else ("lines", ())
        case _:
            return "long" if name in _LONG else "text", ()
