"""Versions of what people and programs edit, so that nobody overwrites what they have not seen."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Protocol

from fastapi import Header
from pydantic import BaseModel
from sqlmodel import Session

from dashboard.errors import PreconditionFailed, PreconditionRequired
from dashboard.visit import Visit

IfMatch = Annotated[
    str | None, Header(description="The ETag that the edit was made from; * for whatever is there.")
]


class Versioned(Protocol):
    """Something on record that counts its versions."""

    version: int


@contextmanager
def editing(
    visit: Visit, get: Callable[[Session, str], Versioned], row_id: str, if_match: str | None
) -> Iterator[tuple[Session, int]]:
    """A transaction for an edit of something that counts its versions, and the version it is of.

    Raises:
        NotFound: There is no such thing.
        PreconditionRequired, PreconditionFailed: As for ``require_match``.
    """
    with visit.database.transaction() as session:
        version = get(session, row_id).version
        require_match(if_match, version_etag(version))
        yield session, version


def spec_etag(spec: BaseModel | Mapping[str, Any]) -> str:
    """A specification's ETag: the same for the same content, quotation marks included."""
    content = spec.model_dump(mode="json") if isinstance(spec, BaseModel) else dict(spec)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'


def version_etag(version: int) -> str:
    """The ETag of something that counts its versions."""
    return f'"{version}"'


def require_match(if_match: str | None, present: str) -> None:
    """Refuse an edit that was made from another version than the present one.

    Raises:
        PreconditionRequired: It does not say which version it was made from.
        PreconditionFailed: From another one.
    """
    if if_match is None:
        raise PreconditionRequired
    check_match(if_match, present)


def check_match(if_match: str | None, present: str) -> None:
    """As ``require_match``, where naming the version is optional.

    Raises:
        PreconditionFailed: From another one.
    """
    if if_match is None or if_match.strip() == "*":
        return
    named = {tag.strip().removeprefix("W/") for tag in if_match.split(",")}
    if present not in named:
        raise PreconditionFailed
