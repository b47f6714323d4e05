"""The form of a rule of any kind: from fields to a checked specification."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData

from dashboard import forms
from dashboard.rule_fields import RuleField, data_of, every_field, fields_of
from dashboard.zone_forms import Filled, new_id
from safety.i18n import Translate
from zones.specs import RuleSpec

AnyRule = RuleSpec

RULE: TypeAdapter[AnyRule] = TypeAdapter(RuleSpec)

_LONGEST_POINTS = 4000
_STARTS: dict[str, dict[str, Any]] = {
    "dwell": {"limit_s": 60.0},
    "occupancy": {"at_least": 2, "empty_is_fine": True},
    "line_crossing": {"line_m": ((0.0, 0.0), (1.0, 0.0))},
}
"""What a new rule starts with where its kind has no default."""


def filled_rule(
    form: FormData, translate: Translate, *, kind: str, rule_id: str
) -> Filled[AnyRule]:
    """The rule in a form that has every field of its kind."""
    fields = fields_of(kind)
    values = {field.name: _value(form, field) for field in every_field(fields)}
    try:
        data = data_of(fields, values)
    except ValueError:
        said = translate("zones.corners_unreadable")
        return Filled(values=values, problems={_points(fields, values): said})
    if data.get("camera_ids") == []:
        return Filled(values=values, problems={"camera_ids": translate("invalid.too_short")})
    known = {field.name for field in every_field(fields)}
    try:
        spec = RULE.validate_python({**data, "id": rule_id, "kind": kind})
    except ValidationError as error:
        problems = forms.problems(error, translate, lambda where: _name(where, known))
        return Filled(values=values, problems=problems)
    return Filled(values=values, spec=spec)


def new_rule(kind: str, *, name: str, zone_id: str) -> AnyRule:
    """A rule with everything at its default, to be saved as it is or changed first."""
    own = _STARTS.get(kind, {})
    return RULE.validate_python(
        {"kind": kind, "id": new_id("rule"), "name": name, "zone_id": zone_id, **own}
    )


def _value(form: FormData, field: RuleField) -> Any:
    match field.widget:
        case "flag":
            return forms.text(form, field.name) == "yes"
        case "choices":
            everything = field.optional and forms.text(form, f"{field.name}.given") != "some"
            return None if everything else forms.texts(form, field.name)
        case "points":
            return forms.text(form, field.name, limit=_LONGEST_POINTS)
        case _:
            return forms.text(form, field.name) if field.name in form else None


def _points(fields: Iterable[RuleField], values: dict[str, Any]) -> str:
    for field in fields:
        if field.widget == "points" and values[field.name]:
            try:
                data_of([field], values)
            except ValueError:
                return field.name
    return "form"


def _name(where: Sequence[int | str], known: set[str]) -> str:
    """The field of an error at ``("proximity", "warning", "fixed", "distance_m")``."""
    parts = [part for part in where[1:] if isinstance(part, str)]
    while parts and ".".join(parts) not in known:
        parts.pop()
    return ".".join(parts) or "form"
