"""The form of a channel of any kind: from fields to a checked specification."""

from dataclasses import replace

from pydantic import TypeAdapter
from starlette.datastructures import FormData

from alerts.open import AnyChannelSpec
from alerts.specs import ChannelSpec
from dashboard import forms
from dashboard.channel_fields import fields_of
from dashboard.spec_forms import filled_spec
from dashboard.zone_forms import Filled
from safety.i18n import Translate

CHANNEL: TypeAdapter[AnyChannelSpec] = TypeAdapter(ChannelSpec)


def filled_channel(
    form: FormData, translate: Translate, *, kind: str, channel_id: str
) -> Filled[AnyChannelSpec]:
    """The channel in a form that has every field of its kind."""
    common = {"name": forms.text(form, "name"), "enabled": forms.text(form, "enabled") == "yes"}
    fixed = {**common, "id": channel_id, "kind": kind}
    filled = filled_spec(form, translate, fields_of(kind), CHANNEL, fixed)
    return replace(filled, values={**filled.values, **common})
