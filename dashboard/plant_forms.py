"""Forms of what stands under the plant: machines, vehicles, shifts, and feeds of every kind."""

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter
from starlette.datastructures import FormData

from dashboard.spec_fields import FormStyle, SpecField, schema_fields
from dashboard.spec_forms import FormWords, filled_spec
from dashboard.zone_forms import Filled
from safety.config import Spec
from safety.i18n import Translate
from safety.site.edit import PlantKind, PlantPart
from safety.site.spec import SiteSpec
from zones.feeds.specs import AnyFeedSpec
from zones.feeds.vehicles import MachineSpec, VehicleSpec
from zones.plant import ShiftSpec

FEEDS: Mapping[str, type[AnyFeedSpec]] = {
    spec.model_fields["kind"].default: spec for spec in get_args(AnyFeedSpec)
}
"""Every kind of feed."""

_SPECS: Mapping[str, type[Spec]] = {
    "machines": MachineSpec,
    "vehicles": VehicleSpec,
    "shifts": ShiftSpec,
}

_STYLE = FormStyle(
    area="machines",
    seldom=frozenset(
        {
            "stale_after_s",
            "poll_s",
            "device_id",
            "ca_file",
            "certificate_file",
            "key_file",
            "server_certificate_file",
        }
    ),
    option_texts={"state": "machine.state", "days": "machines.day", "table": "machines.table"},
    refers_to={"machine_id": "machines", "vehicle_id": "vehicles"},
    not_asked=frozenset({"id"}),
)

_FEED_STYLE = FormStyle(
    area=_STYLE.area,
    seldom=_STYLE.seldom,
    option_texts=_STYLE.option_texts,
    refers_to=_STYLE.refers_to,
    not_asked=frozenset({"id", "kind"}),
)


def spec_type(part: PlantKind, kind: str) -> type[Spec]:
    """The specification of a part; ``kind`` says which sort of feed.

    Raises:
        KeyError: There is no such kind.
    """
    return FEEDS[kind] if part == "feeds" else _SPECS[part]


@cache
def fields_of(part: PlantKind, kind: str) -> tuple[SpecField, ...]:
    """The fields of a part's form: what has to be filled in first, lists last.

    Raises:
        KeyError: There is no such kind.
    """
    style = _FEED_STYLE if part == "feeds" else _STYLE
    fields = schema_fields(spec_type(part, kind).model_json_schema(), style)
    return tuple(sorted(fields, key=_order))


def _order(field: SpecField) -> int:
    return 2 if field.widget in {"rows", "group"} else int(field.name == "enabled")


def filled_part(
    form: FormData, translate: Translate, *, part: PlantKind, kind: str, part_id: str
) -> Filled[PlantPart]:
    """The part in a form that has every field of its kind."""
    adapter: TypeAdapter[Any] = TypeAdapter(spec_type(part, kind))
    fixed: dict[str, Any] = {"id": part_id}
    return filled_spec(form, translate, fields_of(part, kind), adapter, fixed)


def words(translate: Translate, site: SiteSpec, part: PlantKind, part_id: str) -> FormWords:
    """The form's words; a feed can be given what no other feed reports."""
    plant = site.plant
    told = {
        name
        for feed in plant.feeds
        if part != "feeds" or feed.id != part_id
        for name in (*feed.machine_ids, *feed.vehicle_ids)
    }
    return FormWords(
        translate=translate,
        areas=("channels",),
        names={
            "machines": {each.id: each.name for each in plant.machines if each.id not in told},
            "vehicles": {each.id: each.name for each in plant.vehicles if each.id not in told},
        },
    )


_ADDRESSES = frozenset({"new", "try", "now"})


def free_id(name: str, part: str, taken: Collection[str]) -> str:
    """An identifier that can be read: programs that post states have to use it."""
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50]
    if not re.match(r"[a-z]", base):  # names in other scripts leave nothing, or a number
        base = f"{part.removesuffix('s')}-{base}".rstrip("-")
    number, found = 1, base
    while found in taken or found in _ADDRESSES:
        number += 1
        found = f"{base}-{number}"
    return found
