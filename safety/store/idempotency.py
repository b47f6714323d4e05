"""Requests that may be sent twice: the second gets the first one's answer, and does nothing."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, delete

from safety.store.incident_tables import AnsweredRequest
from safety.store.refusals import Conflict, Invalid
from safety.store.upsert import insert_new

KEPT: Final = timedelta(hours=24)
"""How long an answer is remembered."""
LONGEST_KEY: Final = 200


def once(
    session: Session,
    *,
    key: str | None,
    actor: str,
    place: str,
    request: bytes,
    at: datetime,
    do: Callable[[], dict[str, Any]],
) -> Mapping[str, Any]:
    """Do something once for this key, however often it is asked for.

    Deed and answer are kept in one transaction: after a crash either both are there or none.

    Args:
        session: The open transaction.
        key: The caller's idempotency key; None: it is simply done.
        actor: Who asks; others' keys are others'.
        place: Method and path.
        request: What was sent, to tell a repetition from another request with the same key.
        at: UTC.
        do: The deed; its answer is JSON types only.

    Raises:
        Invalid: The key is empty, too long, or not plain ASCII.
        Conflict: The key was used for another request.
    """
    if key is None:
        return do()
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Invalid(
            "idempotency.key",
            "an Idempotency-Key has 1 to {most} plain characters; a UUID is best",
            most=LONGEST_KEY,
        )
    known_as = hashlib.sha256("\n".join((actor, place, key)).encode()).hexdigest()
    said = hashlib.sha256(request).hexdigest()
    session.exec(delete(AnsweredRequest).where(col(AnsweredRequest.at) < at - KEPT))
    # The place is taken first: a twin that comes at the same moment waits for our commit.
    if insert_new(session, AnsweredRequest(key=known_as, request_sha256=said, at=at)):
        answer = do()
        row = session.get_one(AnsweredRequest, known_as)
        row.answer = answer
        session.flush()
        return answer
    row = session.get_one(AnsweredRequest, known_as)
    if row.request_sha256 != said:
        raise Conflict(
            "idempotency.reused",
            "this Idempotency-Key was used for another request; take a new one",
        )
    return row.answer
