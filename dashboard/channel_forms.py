"""The form of a channel of any kind: from fields to a checked specification."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData

from alerts.open import AnyChannelSpec
from alerts.specs import ChannelSpec
from dashboard import forms
from dashboard.channel_fields import ChannelField, data_of, fields_of
from dashboard.zone_forms import Filled
from safety.i18n import Translate

CHANNEL: TypeAdapter[AnyChannelSpec] = TypeAdapter(ChannelSpec)

_LONGEST = 20_000


def filled_channel(
    form: FormData, translate: Translate, *, kind: str, channel_id: str
) -> Filled[AnyChannelSpec]:
    """The channel in a form that has every field of its kind."""
    fields = fields_of(kind)
    values = {field.name: _value(form, field) for field in fields}
    common = {"name": forms.text(form, "name"), "enabled": forms.text(form, "enabled") == "yes"}
    data = {**data_of(fields, values), **common, "id": channel_id, "kind": kind}
    known = {field.name for field in fields} | {"name"}
    try:
        spec = CHANNEL.validate_python(data)
    except ValidationError as error:
        problems = forms.problems(error, translate, lambda where: _name(where, known))
        return Filled(values={**values, **common}, problems=problems)
    return Filled(values={**values, **common}, spec=spec)


def _value(form: FormData, field: ChannelField) -> Any:
    match field.widget:
        case "flag":
            return forms.text(form, field.name) == "yes"
        case "choices":
            return forms.texts(form, field.name)
        case "lines" | "long":
            # Browsers send CR LF; an approved template has plain line breaks.
            return forms.text(form, field.name, limit=_LONGEST).replace("\r\n", "\n")
        case _:
            return forms.text(form, field.name, limit=2000)


def _name(where: Sequence[int | str], known: set[str]) -> str:
    """The field of an error at ``("kakaowork", "emails", 1)``."""
    named = [part for part in where[1:] if isinstance(part, str)]
    return named[0] if named and named[0] in known else "form"
