"""Coverage: for how long each camera really watched. Lengths are monotonic seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, or_, select

from safety.store.refusals import NotFound
from safety.store.tables import Coverage
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


def open_interval(
    session: Session, *, camera_id: str, state: CameraState, reason: str, at: datetime
) -> Coverage:
    """A camera enters a state; an interval of it that is still open ends where it stands.

    Args:
        session: The open transaction.
        camera_id: Which camera.
        state: What it can be said to watch from now on.
        reason: Why; a translation key.
        at: UTC.
    """
    for row in _open_rows(session, camera_id):
        _end(row)
    row = Coverage(camera_id=camera_id, state=state.value, reason=reason, started_at=at)
    session.add(row)
    session.flush()
    return row


def extend(session: Session, interval_id: int, *, seconds: float) -> None:
    """The state lasts: ``seconds`` have passed since it began. A crash keeps what is written.

    Raises:
        NotFound: There is no such interval.
    """
    row = _locked(session, interval_id)
    if row.ended_at is None:
        row.seconds = max(row.seconds, seconds)
        session.flush()


def close_interval(session: Session, interval_id: int, *, seconds: float) -> None:
    """The state ended ``seconds`` after it began; repeating this changes nothing.

    The end on record is the beginning plus the measured seconds, so that an interval during
    which the wall clock jumped is still as long as it was.

    Raises:
        NotFound: There is no such interval.
    """
    row = _locked(session, interval_id)
    if row.ended_at is None:
        row.seconds = max(row.seconds, seconds)
        _end(row)
        session.flush()


def close_abandoned(session: Session) -> int:
    """End what a crash left open, at the last length written; returns how many there were."""
    rows = _open_rows(session, None)
    for row in rows:
        _end(row)
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
        inside = min(_end_of(row), until) - max(row.started_at, since)
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
    return [row for row in rows if _end_of(row) > since]


def _open_rows(session: Session, camera_id: str | None) -> Sequence[Coverage]:
    query = select(Coverage).where(col(Coverage.ended_at).is_(None))
    if camera_id is not None:
        query = query.where(Coverage.camera_id == camera_id)
    return session.exec(query.with_for_update()).all()


def _end_of(row: Coverage) -> datetime:
    return row.started_at + timedelta(seconds=row.seconds)


def _end(row: Coverage) -> None:
    row.ended_at = _end_of(row)


def _locked(session: Session, interval_id: int) -> Coverage:
    row = session.get(Coverage, interval_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("coverage interval", str(interval_id))
    return row
