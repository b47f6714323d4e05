"""The fields of a channel's form, read from the JSON schema of its specification."""

from functools import cache
from typing import get_args

from alerts.open import AnyChannelSpec
from dashboard.spec_fields import FormStyle, SpecField, schema_fields

_SPECS = {spec.model_fields["kind"].default: spec for spec in get_args(AnyChannelSpec)}

CHANNEL_KINDS: tuple[str, ...] = tuple(_SPECS)
"""Every kind of channel."""

SIREN_KINDS = tuple(kind for kind, spec in _SPECS.items() if "quiet_when" in spec.model_fields)
"""Those that sound; every other one carries messages."""

_STYLE = FormStyle(
    area="channels",
    not_asked=frozenset({"id", "kind", "name", "enabled"}),
    long=frozenset({"template"}),
    seldom=frozenset({"api_url", "auth_url", "ca_file", "path", "check_url", "device_id"}),
    option_texts={
        name: f"channels.option.{texts}"
        for name, texts in {
            "self_test_day": "weekday",
            "danger_lamps": "colour",
            "warning_lamps": "colour",
            "danger_light": "light",
            "warning_light": "light",
            "danger_mode": "zigbee_mode",
            "warning_mode": "zigbee_mode",
            "danger_volume": "volume",
            "warning_volume": "volume",
        }.items()
    },
    refers_to={},
)


@cache
def fields_of(kind: str) -> tuple[SpecField, ...]:
    """The fields that a channel of this kind has besides its name.

    Raises:
        KeyError: There is no such kind.
    """
    return schema_fields(_SPECS[kind].model_json_schema(), _STYLE)
