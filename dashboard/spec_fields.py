"""The fields of a form, read from the JSON schema of a specification.

The form's values are a mapping as nested as the specification's data. A field's full name
joins the names on the way to it with dots: ``host``, ``source.url``, ``points.0.machine_id``.
"""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from typing import Any, Literal

Widget = Literal[
    "text", "long", "number", "flag", "choice", "choices",
    "lines", "values", "points", "pairs", "group", "rows",
]  # fmt: skip
"""How a field is asked: ``values`` is several numbers or texts in one line, ``points`` places
on the floor, ``pairs`` places on two maps, ``group`` fields of its own, ``rows`` several such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormStyle:
    """What a schema does not say of its form.

    Attributes:
        area: First part of the fields' translation keys.
        not_asked: Fields that the form does not have.
        long: Texts of several lines.
        seldom: What nearly everybody leaves as it is; folded away where it need not be given.
        option_texts: Where the texts of a field's options are, if not under its own name.
        refers_to: Fields that name parts of the site, and which parts.
    """

    area: str
    not_asked: frozenset[str] = frozenset()
    long: frozenset[str] = frozenset()
    seldom: frozenset[str] = frozenset()
    option_texts: Mapping[str, str]
    refers_to: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecField:
    """One field of a form.

    Attributes:
        name: Its own name, without those on the way to it.
        options: What can be chosen.
        refers_to: The parts of the site that can be chosen instead.
        optional: It may be left empty.
        whole: A number without decimals.
        secret: Takes a reference to a secret, never the secret.
        seldom: Folded away.
        default: What the form shows at first, as in JSON.
        fields: Of a group, or of every row.
    """

    name: str
    area: str
    widget: Widget
    options: tuple[str, ...] = ()
    options_key: str = ""
    refers_to: str = ""
    optional: bool = False
    whole: bool = False
    secret: bool = False
    seldom: bool = False
    default: Any = None
    fields: tuple["SpecField", ...] = ()

    @property
    def text_key(self) -> str:
        return f"{self.area}.field.{self.text_name}"

    @property
    def text_name(self) -> str:
        """What its texts go by: a map's points are none of a feed's."""
        return f"{self.name}_pairs" if self.widget == "pairs" else self.name

    def option_key(self, option: str) -> str:
        return f"{self.options_key}.{option}"


class Unreadable(ValueError):
    """A text of places or values is none; ``name`` is the field's full name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def schema_fields(schema: Mapping[str, Any], style: FormStyle) -> tuple[SpecField, ...]:
    """The fields of a specification's form: what has to be filled in comes first."""
    fields = _fields(schema, schema.get("$defs", {}), style)
    required = schema.get("required", ())
    return tuple(sorted(fields, key=lambda field: field.name not in required))


def values_of(fields: Iterable[SpecField], data: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values for a specification as JSON data; what it lacks is at its default."""
    return {field.name: _shown(field, data.get(field.name, field.default)) for field in fields}


def data_of(
    fields: Iterable[SpecField], values: Mapping[str, Any], prefix: str = ""
) -> dict[str, Any]:
    """The specification as plain data; the reverse of ``values_of``.

    Raises:
        Unreadable: A text of places or values cannot be read.
    """
    return {field.name: _meant(field, values[field.name], prefix + field.name) for field in fields}


def _shown(field: SpecField, value: Any) -> Any:
    match field.widget:
        case "lines":
            return "\n".join(str(each) for each in value or ())
        case "values":
            return _one_line(value or ())
        case "points":
            return "\n".join(_numbers(each) for each in value or ())
        case "pairs":
            pairs = ([each[leaf] for leaf in _PAIR] for each in value or ())
            return "\n".join(f"{_numbers(here)}, {_numbers(there)}" for here, there in pairs)
        case "group":
            return values_of(field.fields, value or {})
        case "rows":
            return [values_of(field.fields, each) for each in value or ()]
        case "choice" if field.whole:
            return str(value)
        case _:
            return value


def _meant(field: SpecField, value: Any, name: str) -> Any:
    match field.widget:
        case "lines":
            value = [line.strip() for line in str(value).splitlines() if line.strip()]
        case "values":
            value = [_scalar(part) for part in _parts(str(value), name)]
        case "choice" if field.whole and value in field.options:
            return int(value)
        case "points":
            value = _places(str(value), 2, name)
        case "pairs":
            value = [
                dict(zip(_PAIR, (each[:2], each[2:]), strict=True))
                for each in _places(str(value), 4, name)
            ]
        case "group":
            return data_of(field.fields, value, f"{name}.")
        case "rows":
            return [
                data_of(field.fields, each, f"{name}.{number}.")
                for number, each in enumerate(value)
            ]
    return None if field.optional and value in ("", []) else value


_PAIR = ("map_m", "plan_m")


def _one_line(values: Sequence[Any]) -> str:
    """Values in one line; a text with a comma in it stands in quotation marks."""
    text = StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue().replace(",", ", ") if '"' not in text.getvalue() else text.getvalue()


def _parts(text: str, name: str) -> list[str]:
    if "\n" in text:
        raise Unreadable(name)
    read = next(csv.reader([text], skipinitialspace=True), [])
    return [part.strip() for part in read if part.strip()]


def _scalar(text: str) -> int | float | str:
    """Numbers are compared as numbers, wherever they come from."""
    for kind in (int, float):
        with suppress(ValueError):
            number = kind(text)
            # "007" and "1e3" are texts: who sends them means them so.
            if str(number) == text and math.isfinite(number):
                return number
    return text


def _numbers(place: Sequence[float]) -> str:
    return ", ".join(f"{number:.10g}" for number in place)


def _places(text: str, count: int, name: str) -> list[list[float]]:
    places = []
    for line in text.splitlines():
        if line.strip():
            try:
                numbers = [float(part) for part in line.replace(",", " ").split()]
            except ValueError:
                raise Unreadable(name) from None
            if len(numbers) != count:
                raise Unreadable(name)
            places.append(numbers)
    return places


def _fields(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], style: FormStyle
) -> tuple[SpecField, ...]:
    required = set(schema.get("required", ()))
    return tuple(
        _field(name, node, definitions, style, required=name in required)
        for name, node in schema["properties"].items()
        if name not in style.not_asked
    )


def _field(
    name: str,
    schema: Mapping[str, Any],
    definitions: Mapping[str, Any],
    style: FormStyle,
    *,
    required: bool,
) -> SpecField:
    choices = schema.get("anyOf", ())
    present = [each for each in choices if each.get("type") != "null"]
    node = _resolved(present[0] if present else schema, definitions)
    widget, options = _widget(name, node, definitions, style)
    inner: Mapping[str, Any] = {}
    if widget in {"group", "rows"}:
        inner = node if widget == "group" else _resolved(node["items"], definitions)
    return SpecField(
        name=name,
        area=style.area,
        widget=widget,
        options=options,
        options_key=style.option_texts.get(name, f"{style.area}.option.{name}"),
        refers_to=style.refers_to.get(name, ""),
        optional=len(present) != len(choices),
        whole=node.get("type") == "integer",
        secret="env:" in node.get("pattern", ""),
        seldom=not required and (name in style.seldom or "3.1.1" in options),
        default=schema.get("default"),
        fields=_fields(inner, definitions, style) if inner else (),
    )


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref", "").rpartition("/")[2]
    return definitions[reference] if reference else schema


def _widget(
    name: str, node: Mapping[str, Any], definitions: Mapping[str, Any], style: FormStyle
) -> tuple[Widget, tuple[str, ...]]:
    if name in style.refers_to:
        return "choice", ()
    if "enum" in node:
        return "choice", tuple(str(each) for each in node["enum"])
    match node.get("type"):
        case "boolean":
            return "flag", ()
        case "number" | "integer":
            return "number", ()
        case "object":
            return "group", ()
        case "array":
            return _list_widget(_resolved(node["items"], definitions))
        case _:
            return "long" if name in style.long else "text", ()


def _list_widget(item: Mapping[str, Any]) -> tuple[Widget, tuple[str, ...]]:
    if "enum" in item:
        return "choices", tuple(item["enum"])
    if "anyOf" in item:
        return "values", ()
    match item.get("type"):
        case "array":
            return "points", ()
        case "object":
            return ("pairs" if set(item["properties"]) == set(_PAIR) else "rows"), ()
        case _:
            return "lines", ()
