"""A form made from a specification: from what somebody sent to a checked specification."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData

from dashboard import forms
from dashboard.spec_fields import SpecField, Unreadable, data_of, values_of
from dashboard.zone_forms import Filled
from safety.i18n import Translate

T = TypeVar("T")

_LONGEST = 20_000


def filled_spec(
    form: FormData,
    translate: Translate,
    fields: Sequence[SpecField],
    adapter: TypeAdapter[T],
    fixed: Mapping[str, Any],
) -> Filled[T]:
    """The specification in a form that has every one of these fields.

    Args:
        fixed: What is given and not asked, such as id and kind; also within groups.
    """
    values = sent_values(form, fields)
    try:
        data = data_of(fields, values)
    except Unreadable as error:
        return Filled(values=values, problems={error.name: translate("invalid.unreadable_list")})
    try:
        spec = adapter.validate_python(_merged(data, fixed))
    except ValidationError as error:
        # A union's errors begin with the kind.
        skipped = 1 if "kind" in fixed else 0
        problems = forms.problems(error, translate, lambda at: _place(at[skipped:], fields, fixed))
        return Filled(values=values, problems=_innermost(problems))
    return Filled(values=values, spec=spec)


def sent_values(form: FormData, fields: Iterable[SpecField], prefix: str = "") -> dict[str, Any]:
    """What was sent, as nested as the specification; rows in the order of the form."""
    return {field.name: _sent(form, field, prefix + field.name) for field in fields}


def place_of(where: Sequence[int | str], fields: Sequence[SpecField]) -> str:
    """The full name of the field that an error's location is in."""
    known, place, inside = list(fields), list[str](), list(where)
    while inside:
        field = next((each for each in known if each.name == inside[0]), None)
        if field is None and place and len(inside) > 1:
            inside.pop(0)  # the kind of a group that has several
            continue
        if field is None:
            break
        place.append(field.name)
        inside.pop(0)
        if field.widget == "rows" and inside:
            place.append(str(inside.pop(0)))
        elif field.widget != "group":
            break
        known = list(field.fields)
    return ".".join(place) or "form"


def _innermost(problems: Mapping[str, str]) -> dict[str, str]:
    """Without those that only follow: a list whose row is wrong is not too short besides."""
    return {
        name: said
        for name, said in problems.items()
        if not any(other.startswith(f"{name}.") for other in problems)
    }


def _place(
    where: Sequence[int | str], fields: Sequence[SpecField], fixed: Mapping[str, Any]
) -> str:
    asked = {field.name for field in fields}
    given = bool(where) and where[0] in fixed and where[0] not in asked
    return str(where[0]) if given else place_of(where, fields)


def _merged(data: Mapping[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(data)
    for name, value in fixed.items():
        both = isinstance(value, dict) and isinstance(found.get(name), dict)
        found[name] = {**found[name], **value} if both else value
    return found


def _sent(form: FormData, field: SpecField, name: str) -> Any:
    match field.widget:
        case "flag":
            return forms.text(form, name) == "yes"
        case "choices":
            return forms.texts(form, name)
        case "group":
            return sent_values(form, field.fields, f"{name}.")
        case "rows":
            return [sent_values(form, field.fields, f"{name}.{row}.") for row in _rows(form, name)]
        case "lines" | "long" | "points" | "pairs":
            # Browsers send CR LF; an approved template has plain line breaks.
            return forms.text(form, name, limit=_LONGEST).replace("\r\n", "\n")
        case _:
            return forms.text(form, name, limit=2000)


def _rows(form: FormData, name: str) -> list[str]:
    """The rows that were sent, by whatever the page calls them."""
    begin = f"{name}."
    keys = (key[len(begin) :].partition(".")[0] for key in form if key.startswith(begin))
    return list(dict.fromkeys(keys))


@dataclass(frozen=True, slots=True, kw_only=True)
class FormWords:
    """The words of a form in the reader's language.

    Attributes:
        translate: Gives a key back that has no text.
        areas: Where a field's texts are looked for, in this order, after its own area.
        names: Names of the parts of the site that a field may refer to, by part and id.
    """

    translate: Callable[[str], str]
    areas: tuple[str, ...] = ()
    names: Mapping[str, Mapping[str, str]]

    def text(self, key: str) -> str:
        """A text that need not be there."""
        said = self.translate(key)
        return "" if said == key else said

    def label(self, field: SpecField) -> str:
        return self._of_field(field) or field.name

    def hint(self, field: SpecField) -> str:
        return self._of_field(field, "_hint")

    def option(self, field: SpecField, option: str) -> str:
        for area in (field.area, *self.areas):
            key = field.option_key(option)
            moved = f"{area}.{key.partition('.')[2]}" if key.startswith(f"{field.area}.") else key
            if said := self.text(moved):
                return said
        return option

    def choices(self, field: SpecField) -> Mapping[str, str]:
        """What a field can be chosen from, by what is sent."""
        if field.refers_to:
            return self.names.get(field.refers_to, {})
        return {option: self.option(field, option) for option in field.options}

    def start(self, field: SpecField) -> Mapping[str, Any]:
        """What a new row begins with."""
        return values_of(field.fields, {})

    def _of_field(self, field: SpecField, ending: str = "") -> str:
        texts = (
            self.text(f"{area}.field.{field.text_name}{ending}")
            for area in (field.area, *self.areas)
        )
        return next((text for text in texts if text), "")
