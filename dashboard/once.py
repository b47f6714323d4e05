"""Requests that make something: done once for an ``Idempotency-Key``, however often they come."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import Depends, Header
from sqlmodel import Session
from starlette.requests import Request

from dashboard.visit import Visit
from safety.store import idempotency


class Once:
    """Does what a request asks for once for its key.

    The deed and what is remembered of it are one transaction. What was made is remembered by
    its id and shown as it is now: answers about persons' health are kept in no second place.
    """

    def __init__(self, key: str | None, request: bytes) -> None:
        self._key = key
        self._request = request

    def answer(self, visit: Visit, do: Callable[[Session], dict[str, Any]]) -> Mapping[str, Any]:
        """Do something in a transaction, and give its answer (JSON types), now or the first time's.

        Raises:
            Conflict: The key was used for another request.
            Invalid: It is no key.
        """
        with visit.database.transaction() as session:
            return idempotency.once(
                session,
                key=self._key,
                actor=visit.actor,
                place=f"{visit.request.method} {visit.request.url.path}",
                request=self._request,
                at=visit.now,
                do=lambda: do(session),
            )

    def make(self, visit: Visit, make: Callable[[Session], str]) -> str:
        """Make something in a transaction; gives its id, now or the first time's.

        Raises:
            Conflict, Invalid: As for ``answer``.
        """
        return str(self.answer(visit, lambda session: {"id": make(session)})["id"])


async def _once(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="The same key gets the same answer for a day, and nothing is done twice;"
            " with another request it is refused (409). A UUID is best."
        ),
    ] = None,
) -> Once:
    if idempotency_key is None:
        return Once(None, b"")
    said = hashlib.sha256(request.url.query.encode() + b"\n" + await request.body())
    return Once(idempotency_key, said.digest())


OnlyOnce = Annotated[Once, Depends(_once)]
"""For routes that make something."""
