"""Coverage: for how long each camera really watched. Lengths are monotonic seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, or_, select

from safety.store.tables import Coverage
from safety.store.upsert import insert_new
from safety.types import CameraState


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How long one camera was in each state within a window, in seconds.

    Attributes:
        unrecorded_s: What is left of the window: Anjeon did not run, so nothing was watched.
    """

    live_s: float = 0.0
    degraded_s: float = 0.0
    blind_s: float = 0.0
    unrecorded_s: float = 0.0


def save_interval(
    session: Session,
    *,
    camera_id: str,
    state: CameraState,
    reason: str,
    started_at: datetime,
    seconds: float,
    is_open: bool,
) -> None:
    """Write a camera's interval as far as it has come; writing it again replaces it.

    The end on record is the beginning plus the measured seconds, so that an interval during
    which the wall clock jumped is as long as it was. It never shrinks and never reopens.

    Args:
        session: The open transaction.
        camera_id: Which camera.
        state: What it could be said to watch.
        reason: Why; a translation key.
        started_at: UTC; with the camera, state and reason it tells this interval from others.
        seconds: Monotonic length so far.
        is_open: Whether it lasts.
    """
    same: dict[str, Any] = {
        "camera_id": camera_id,
        "started_at": started_at,
        "state": state.value,
        "reason": reason,
    }
    insert_new(session, Coverage(seconds=0.0, **same))
    query = select(Coverage).filter_by(**same).with_for_update()
    row = session.exec(query.execution_options(populate_existing=True)).one()
    if row.ended_at is None:
        row.seconds = max(row.seconds, seconds)
        row.ended_at = None if is_open else end_of(row)
        session.flush()


def close_abandoned(session: Session) -> int:
    """End what a crash left open, at the last length written; returns how many there were."""
    query = select(Coverage).where(col(Coverage.ended_at).is_(None))
    rows = session.exec(query.with_for_update()).all()
    for row in rows:
        row.ended_at = end_of(row)
    session.flush()
    return len(rows)


def intervals(
    session: Session, camera_id: str, *, since: datetime, until: datetime
) -> Sequence[Coverage]:
    """A camera's intervals that reach into the window, in order."""
    return _reaching(session, since, until, camera_id)


def totals(
    session: Session, *, since: datetime, until: datetime, camera_id: str | None = None
) -> dict[str, Totals]:
    """Seconds in each state within the window, by camera id.

    Cameras without any interval in the window are absent: all of it is unrecorded.
    """
    seconds: dict[str, dict[str, float]] = {}
    for row in _reaching(session, since, until, camera_id):
        inside = min(end_of(row), until) - max(row.started_at, since)
        states = seconds.setdefault(row.camera_id, dict.fromkeys(CameraState, 0.0))
        states[row.state] += inside.total_seconds()
    window_s = (until - since).total_seconds()
    return {
        camera: Totals(
            live_s=states[CameraState.LIVE],
            degraded_s=states[CameraState.DEGRADED],
            blind_s=states[CameraState.BLIND],
            unrecorded_s=max(0.0, window_s - sum(states.values())),
        )
        for camera, states in seconds.items()
    }


def _reaching(
    session: Session, since: datetime, until: datetime, camera_id: str | None
) -> list[Coverage]:
    query = select(Coverage).where(
        col(Coverage.started_at) < until,
        or_(col(Coverage.ended_at).is_(None), col(Coverage.ended_at) > since),
    )
    if camera_id is not None:
        query = query.where(Coverage.camera_id == camera_id)
    rows = session.exec(query.order_by(col(Coverage.started_at), col(Coverage.id))).all()
    return [row for row in rows if end_of(row) > since]


def first_seen(session: Session) -> dict[str, datetime]:
    """When anything was first known of each camera, by camera id."""
    query = select(Coverage.camera_id, func.min(Coverage.started_at))
    return dict(session.exec(query.group_by(col(Coverage.camera_id))).all())


def end_of(row: Coverage) -> datetime:
    """When an interval ended, or as far as it has come: by its length, not by the clock."""
    return row.started_at + timedelta(seconds=row.seconds)
