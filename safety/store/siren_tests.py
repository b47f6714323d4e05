"""Sirens' self-tests on record: the newest of each, and all of them."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import Session, and_, col, or_, select

from safety.store import audit
from safety.store.refusals import NotFound
from safety.store.siren_tables import SirenTest

BY = "self-test"


def save(session: Session, test: SirenTest) -> None:
    """Keep a self-test, with an entry in the audit log; once, however often it is said."""
    if session.get(SirenTest, test.id) is not None:
        return
    session.add(test)
    session.flush()
    detail = {"passed": test.passed, "latency_s": test.latency_s, "problem": test.problem}
    audit.record(
        session,
        actor=BY,
        action="channel.self_test",
        subject=test.channel_id,
        at=test.at,
        detail=detail,
    )


def newest(session: Session) -> dict[str, SirenTest]:
    """The newest self-test of every siren, by channel id."""
    last = (
        select(col(SirenTest.channel_id), func.max(col(SirenTest.at)).label("at"))
        .group_by(col(SirenTest.channel_id))
        .subquery()
    )
    query = select(SirenTest).join(
        last,
        (col(SirenTest.channel_id) == last.c.channel_id) & (col(SirenTest.at) == last.c.at),
    )
    return {test.channel_id: test for test in session.exec(query)}


def list_tests(
    session: Session,
    *,
    channel_id: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Sequence[SirenTest]:
    """The newest self-tests first; ``before`` is the id of the last one of the page before.

    Raises:
        NotFound: ``before`` names none.
    """
    query = select(SirenTest).order_by(col(SirenTest.at).desc(), col(SirenTest.id)).limit(limit)
    if channel_id is not None:
        query = query.where(SirenTest.channel_id == channel_id)
    if before is not None:
        last = session.get(SirenTest, before)
        if last is None:
            raise NotFound("siren test", before)
        same_time = and_(SirenTest.at == last.at, col(SirenTest.id) > last.id)
        query = query.where(or_(col(SirenTest.at) < last.at, same_time))
    return session.exec(query).all()
