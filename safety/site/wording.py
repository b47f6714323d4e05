"""Pydantic's findings in the words of the people who write site documents."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from safety.site.fields import model_at
from safety.site.references import Location, nearest

_SENTENCES: Mapping[str, str] = {
    "string_type": "must be text; put it in quotes",
    "int_type": "must be a whole number, without quotes",
    "int_parsing": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number, without quotes",
    "float_parsing": "must be a number, without quotes",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false, without quotes",
    "bool_parsing": "must be true or false, without quotes",
    "tuple_type": "must be a list: one '- …' line per item, or […]",
    "list_type": "must be a list: one '- …' line per item, or […]",
    "path_type": "must be the path of a file, as text",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "string_too_short": "must not be empty",
    "string_too_long": "must not be longer than {max_length} characters",
    "too_long": "has more entries than the {max_length} allowed",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "union_tag_not_found": "is missing; it says which sort this is",
    "value_error": "{error}",
}

_PATTERNS: Mapping[str, str] = {
    r"^[^\x00": "holds control characters or line ends; write it without them",
    "^[a-z0-9][a-z0-9_-]{0,62}$": "must be 1 to 63 of a-z, 0-9, - and _, "
    "beginning with a letter or digit",
    "^(env:": "must say where the secret is kept, env:NAME or file:/absolute/path, "
    "never the secret itself",
}


def sentence(error: ErrorDetails, *, model: type[BaseModel], data: Any, where: Location) -> str:
    """What is wrong and what to do, in English.

    Args:
        error: One of Pydantic's findings.
        model: The specification of the whole document.
        data: The document, plain.
        where: The place in the document.
    """
    kind, context = error["type"], dict(error.get("ctx", {}))
    if kind == "extra_forbidden":
        return _unknown_key(model, data, where)
    if kind == "missing":
        return _missing(model, data, where)
    if kind in {"literal_error", "enum", "union_tag_invalid"}:
        return _not_among(error, context)
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern", ""))
        for known, text in _PATTERNS.items():
            if pattern.startswith(known):
                return text
    template = _SENTENCES.get(kind)
    return template.format(**context) if template else error["msg"]


def _unknown_key(model: type[BaseModel], data: Any, where: Location) -> str:
    governing, _ = model_at(model, data, where[:-1])
    known = list(governing.model_fields) if governing else []
    hint = nearest(where[-1], known) or f"; known are {', '.join(known)}"
    return f"unknown key{hint}"


def _missing(model: type[BaseModel], data: Any, where: Location) -> str:
    governing, _ = model_at(model, data, where[:-1])
    field = governing.model_fields.get(str(where[-1])) if governing else None
    if field is None:
        return "is missing; add it"
    described = (field.description or "").partition("\n")[0].rstrip(".")
    return f"is missing; add it ({described})" if described else "is missing; add it"


def _not_among(error: ErrorDetails, context: Mapping[str, Any]) -> str:
    text = str(context.get("expected") or context.get("expected_tags") or "")
    allowed = re.findall(r"'([^']*)'", text) or re.findall(r"[\w.-]+", text.replace(" or ", " "))
    given = str(context.get("tag", error.get("input")))
    hint = ", without quotes" if given in allowed else nearest(given, allowed)
    return f"must be {' or '.join(allowed)}{hint}"
