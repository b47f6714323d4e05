"""Drills on record: when the chain from picture to siren was last tried, and how it did."""

from collections.abc import Sequence

from sqlmodel import Session, and_, col, or_, select

from safety.store import audit
from safety.store.refusals import NotFound
from safety.store.tables import Drill


def save(
    session: Session,
    drill: Drill,
    *,
    rule_id: str = "",
    watched: str = "",
    watched_frames: int = 0,
) -> None:
    """Keep a drill, with an entry in the audit log; once, however often it is said.

    Args:
        session: The open transaction.
        drill: What became of it.
        rule_id: The rule whose settings it was held with.
        watched: What the camera itself was meanwhile; empty: it was not played at all.
        watched_frames: Frames of the camera itself that were analysed meanwhile.
    """
    if session.get(Drill, drill.id) is not None:
        return
    session.add(drill)
    session.flush()
    detail = {
        "camera": drill.camera_id,
        "channel": drill.channel_id,
        "scene": drill.scene,
        "outcome": drill.outcome,
        "total_s": drill.total_s,
        "rule": rule_id,
        "camera_meanwhile": watched,
        "frames_meanwhile": watched_frames,
    }
    audit.record(
        session, actor=drill.by, action="drill", subject=drill.id, at=drill.at, detail=detail
    )


def list_drills(
    session: Session, *, camera_id: str | None = None, before: str | None = None, limit: int = 50
) -> Sequence[Drill]:
    """The newest drills first; ``before`` is the id of the last one of the page before.

    Raises:
        NotFound: ``before`` names none.
    """
    query = select(Drill).order_by(col(Drill.at).desc(), col(Drill.id)).limit(limit)
    if camera_id is not None:
        query = query.where(Drill.camera_id == camera_id)
    if before is not None:
        last = session.get(Drill, before)
        if last is None:
            raise NotFound("drill", before)
        same_time = and_(Drill.at == last.at, col(Drill.id) > last.id)
        query = query.where(or_(col(Drill.at) < last.at, same_time))
    return session.exec(query).all()
