"""Reading HTML forms, and saying what is wrong with them in the reader's language."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request

from dashboard.errors import UnsupportedMediaType
from safety.i18n import Translate

_MAX_FIELDS = 5000
"""The form of a feed has some for each of its machines."""

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


async def read_form(request: Request) -> FormData:
    """The fields of the form that was sent.

    Raises:
        UnsupportedMediaType: It is not a form.
    """
    if not request.headers.get("content-type", "").startswith(_FORM_TYPES):
        raise UnsupportedMediaType("web.not_a_form", "send this as an HTML form")
    return await request.form(max_files=0, max_fields=_MAX_FIELDS)


Form = Annotated[FormData, Depends(read_form)]


def text(form: FormData, name: str, *, limit: int = 500) -> str:
    """One field without the blanks around it; empty if it was not sent."""
    value = form.get(name)
    return value.strip()[:limit] if isinstance(value, str) else ""


def secret(form: FormData, name: str) -> str:
    """One field exactly as it was typed, for passwords."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def texts(form: FormData, name: str) -> list[str]:
    """All values of a field that can be sent several times."""
    return [value for value in form.getlist(name) if isinstance(value, str)]


def first_name(location: Sequence[int | str]) -> str:
    """The field of a flat form that an error's location is in."""
    names = [part for part in location if isinstance(part, str)]
    return names[0] if names else "form"


def problems(
    error: ValidationError,
    translate: Translate,
    field_of: Callable[[Sequence[int | str]], str] = first_name,
) -> dict[str, str]:
    """What pydantic refused, by field name, in the reader's language."""
    found: dict[str, str] = {}
    for item in error.errors(include_url=False):
        found.setdefault(field_of(item["loc"]), _sentence(item, translate))
    return found


def _sentence(item: Mapping[str, Any], translate: Translate) -> str:
    # Our own validators name a translation key, pydantic's have types like "missing".
    key = item["type"] if "." in item["type"] else f"invalid.{item['type']}"
    said = translate(key, **item.get("ctx", {}))
    return said if said != key else translate("invalid.other", why=item["msg"])
