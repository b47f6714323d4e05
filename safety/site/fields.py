"""Which keys a specification knows at any place of a document."""

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from safety.site.references import Location


def model_at(
    model: type[BaseModel], data: Any, where: Location
) -> tuple[type[BaseModel] | None, Location]:
    """The specification that governs the innermost mapping around a place.

    Args:
        model: The specification of the whole.
        data: The whole, plain.
        where: The place.

    Returns:
        The specification, None if that depends on a ``kind`` that is missing or unknown;
        and the place of the mapping.
    """
    governing: type[BaseModel] | None = model
    place: Location = ()
    annotation: Any = model
    for depth, part in enumerate(where):
        if isinstance(part, int):
            annotation = _item_annotation(annotation)
        elif governing is None or part not in governing.model_fields:
            break
        else:
            annotation = governing.model_fields[part].annotation
        data = _child(data, part)
        if isinstance(data, Mapping):
            governing, place = _governing(annotation, data), where[: depth + 1]
    return governing, place


def plain_location(data: Any, location: Location) -> Location:
    """A place as in the document, from one of Pydantic's, which also names union members."""
    where: list[str | int] = []
    tag_seen = False
    for part in location:
        is_tag = isinstance(data, Mapping) and not tag_seen and data.get("kind") == part
        if is_tag and part != location[-1]:
            tag_seen = True
            continue
        where.append(part)
        data, tag_seen = _child(data, part), False
    return tuple(where)


def _child(data: Any, part: str | int) -> Any:
    if isinstance(data, Mapping):
        return data.get(part)
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return data[part]
    return None


def _item_annotation(annotation: Any) -> Any:
    """What the items of a ``tuple[X, ...]`` are, however it is wrapped."""
    for member in _members(annotation):
        if get_origin(member) is tuple:
            return get_args(member)[0]
    return None


def _governing(annotation: Any, data: Mapping[str, Any]) -> type[BaseModel] | None:
    models = [
        member
        for member in _members(annotation)
        if isinstance(member, type) and issubclass(member, BaseModel)
    ]
    if len(models) == 1:
        return models[0]
    for candidate in models:
        kind = candidate.model_fields.get("kind")
        if kind is not None and kind.default == data.get("kind"):
            return candidate
    return None


def _members(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in {Union, types.UnionType}:
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation
