"""Zones muted for lock-out and maintenance: never without a person, a reason and an end."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import uuid4

from sqlmodel import Session, and_, col, or_, select

from safety.store import audit
from safety.store.refusals import Conflict, Invalid, NotFound
from safety.store.tables import Mute, Zone

MOST = timedelta(hours=8)
"""The longest mute: one shift. Who works longer mutes again."""

Kind = Literal["lockout", "maintenance"]

KINDS: tuple[Kind, ...] = ("lockout", "maintenance")


def begin(
    session: Session,
    *,
    zone_id: str,
    kind: Kind,
    person: str,
    reason: str,
    ends_at: datetime,
    by: str,
    at: datetime,
) -> Mute:
    """Mute a zone; it may be muted by several at once, and is until the last one ends.

    Args:
        session: The open transaction.
        zone_id: The zone.
        kind: Lock-out (energy is locked off) or other maintenance.
        person: Who works there.
        reason: What is done.
        ends_at: UTC; ``MOST`` ahead at most.
        by: Who mutes it, for the audit log.
        at: UTC.

    Raises:
        NotFound: There is no such zone.
        Invalid: Nobody or no reason is named, or the end is past or too far ahead.
    """
    person, reason = person.strip(), reason.strip()
    if not 1 <= len(person) <= 120:
        raise Invalid("mute.person", "name the person who works there, 1 to 120 characters")
    if not 3 <= len(reason) <= 500:
        raise Invalid("mute.reason", "say what is done there, 3 to 500 characters")
    if not at < ends_at <= at + MOST:
        raise Invalid(
            "mute.end",
            "the end must lie ahead, by {hours} hours at most",
            hours=int(MOST.total_seconds() // 3600),
        )
    if session.get(Zone, zone_id) is None:
        raise NotFound("zone", zone_id)
    mute = Mute(
        id=uuid4().hex,
        zone_id=zone_id,
        kind=kind,
        person=person,
        reason=reason,
        started_at=at,
        started_by=by,
        ends_at=ends_at,
    )
    session.add(mute)
    detail = {"zone": zone_id, "kind": kind, "person": person, "reason": reason}
    audit.record(
        session,
        actor=by,
        action="mute.begin",
        subject=mute.id,
        at=at,
        detail={**detail, "ends_at": ends_at.isoformat()},
    )
    return mute


def end(session: Session, mute_id: str, *, by: str, at: datetime) -> Mute:
    """End a mute before its time.

    Raises:
        NotFound: There is none.
        Conflict: It is over already.
    """
    mute = session.get(Mute, mute_id, with_for_update=True, populate_existing=True)
    if mute is None:
        raise NotFound("mute", mute_id)
    if mute.ended_at is not None or mute.ends_at <= at:
        raise Conflict("mute.over", "this zone is watched again already")
    mute.ended_at, mute.ended_by = at, by
    session.add(mute)
    audit.record(
        session,
        actor=by,
        action="mute.end",
        subject=mute_id,
        at=at,
        detail={"zone": mute.zone_id, "person": mute.person},
    )
    return mute


def get(session: Session, mute_id: str) -> Mute:
    """One mute.

    Raises:
        NotFound: There is none.
    """
    mute = session.get(Mute, mute_id)
    if mute is None:
        raise NotFound("mute", mute_id)
    return mute


def active(session: Session, now: datetime) -> Sequence[Mute]:
    """What is muted now, the one that ends first in front."""
    query = select(Mute).where(
        col(Mute.ended_at).is_(None), col(Mute.ends_at) > now, col(Mute.started_at) <= now
    )
    return session.exec(query.order_by(col(Mute.ends_at), col(Mute.id))).all()


def recent(session: Session, *, before: str | None = None, limit: int = 50) -> Sequence[Mute]:
    """All mutes, newest first; ``before`` is the id of the last one of the page before.

    Raises:
        NotFound: ``before`` names none.
    """
    query = select(Mute).order_by(col(Mute.started_at).desc(), col(Mute.id))
    if before is not None:
        last = get(session, before)
        same_time = and_(Mute.started_at == last.started_at, col(Mute.id) > last.id)
        query = query.where(or_(col(Mute.started_at) < last.started_at, same_time))
    return session.exec(query.limit(limit)).all()
