"""Requests of programs: done once for an idempotency key, and from the version they have read."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Header
from sqlmodel import Session

from dashboard.etags import require_match, version_etag
from dashboard.visit import Visit
from safety.store import idempotency

IfMatch = Annotated[str | None, Header()]
IdempotencyKey = Annotated[
    str | None,
    Header(description="The same key gets the same answer for a day, and nothing is done twice."),
]


def made_once(visit: Visit, key: str | None, body: bytes, make: Callable[[Session], str]) -> str:
    """Make something in a transaction, once for this key.

    Args:
        visit: Who asks, and where.
        key: ``Idempotency-Key``; None: it is simply made.
        body: What was sent.
        make: Makes it, and gives its id.

    Returns:
        The id of what was made, now or the first time.

    Raises:
        Conflict: The key was used for another request.
    """
    with visit.database.transaction() as session:
        said = idempotency.once(
            session,
            key=key,
            actor=visit.actor,
            place=f"{visit.request.method} {visit.request.url.path}",
            request=body,
            at=visit.now,
            do=lambda: {"id": make(session)},
        )
    return str(said["id"])


def require_version(if_match: str | None, version: int) -> int:
    """The version that an edit was made from; refuses any other than the present one.

    Raises:
        PreconditionRequired: It does not say which.
        PreconditionFailed: Another one.
    """
    require_match(if_match, version_etag(version))
    return version
