"""Who did what, when; written in the same transaction as the deed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from safety.store import audit_chain
from safety.store.tables import Audit


def record(
    session: Session,
    *,
    actor: str,
    action: str,
    subject: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> Audit:
    """Add one entry.

    Args:
        session: The transaction that also does the deed.
        actor: Login of the person, or the program's name.
        action: What was done, e.g. ``"alert.acknowledge"``; a translation key.
        subject: To what: an id.
        at: UTC.
        detail: What was before and after, JSON types, no secrets.
    """
    entry = Audit(actor=actor, action=action, subject=subject, at=at, detail=dict(detail or {}))
    session.add(entry)
    session.flush()
    audit_chain.remember(session, entry)
    return entry


def list_entries(
    session: Session,
    *,
    actor: str | None = None,
    subject: str | None = None,
    only: Collection[str] = (),
    without: Collection[str] = (),
    before: int | None = None,
    limit: int = 100,
) -> Sequence[Audit]:
    """Entries, newest first.

    Args:
        session: Any.
        actor: Who did it; None: whoever.
        subject: To what; None: whatever.
        only: Actions that are wanted; none: all of them.
        without: Actions that are not.
        before: Id of the last entry of the page before.
        limit: How many at most.
    """
    query = select(Audit)
    if only:
        query = query.where(col(Audit.action).in_(only))
    if without:
        query = query.where(col(Audit.action).not_in(without))
    if actor is not None:
        query = query.where(Audit.actor == actor)
    if subject is not None:
        query = query.where(Audit.subject == subject)
    if before is not None:
        query = query.where(col(Audit.id) < before)
    return session.exec(query.order_by(col(Audit.id).desc()).limit(limit)).all()


def between(
    session: Session, *, actions: Collection[str], since: datetime, until: datetime
) -> Sequence[Audit]:
    """Entries of these actions within a window, oldest first."""
    query = select(Audit).where(
        col(Audit.action).in_(actions), col(Audit.at) >= since, col(Audit.at) < until
    )
    return session.exec(query.order_by(col(Audit.id))).all()


def newest(session: Session, *, actions: Collection[str], subject: str) -> Audit | None:
    """The newest entry of these actions about one thing."""
    query = select(Audit).where(Audit.subject == subject, col(Audit.action).in_(actions))
    return session.exec(query.order_by(col(Audit.id).desc()).limit(1)).first()


def after(session: Session, *, action: str, after: int, limit: int) -> Sequence[Audit]:
    """Entries of one action, oldest first; ``after`` is the id of the last one before them."""
    query = select(Audit).where(Audit.action == action, col(Audit.id) > after)
    return session.exec(query.order_by(col(Audit.id)).limit(limit)).all()


def about(session: Session, *, action: str, subjects: Collection[str]) -> Sequence[Audit]:
    """Entries of one action about any of these."""
    query = select(Audit).where(Audit.action == action, col(Audit.subject).in_(subjects))
    return session.exec(query).all()


def count(session: Session, action: str) -> int:
    """How many entries there are of one action."""
    return session.exec(select(func.count()).where(Audit.action == action)).one()


def prune(session: Session, *, before: datetime, at: datetime) -> int:
    """Delete what is older, from the beginning on, and say so; the number of entries deleted.

    Entries stand in the order in which they were committed: the first that is not older ends it.
    """
    kept_from = audit_chain.beginning(session)
    last = audit_chain.prune(session, before=before)
    if last is None:
        return 0
    deleted = last.seq - kept_from
    record(
        session,
        actor="anjeon",
        action="audit.prune",
        subject="audit",
        at=at,
        detail={"last": str(last), "entries": deleted, "before": before.isoformat()},
    )
    return deleted
