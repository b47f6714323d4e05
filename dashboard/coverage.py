"""How much of a window each camera really watched, ready to be drawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from safety.store import coverage
from safety.store.coverage import Totals
from safety.types import CameraState


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One state during one part of the window; ``start`` and ``width`` in thousandths of it."""

    state: CameraState
    start: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraCoverage:
    """One camera's window.

    Attributes:
        stretches: What is on record, in order; gaps between them were not watched.
        watched: Share of the window that was live or degraded, 0-1; None if the camera
            has no record in it.
    """

    totals: Totals
    stretches: Sequence[Stretch]
    watched: float | None


def coverage_of(
    session: Session, camera_ids: Iterable[str], *, until: datetime, window: timedelta
) -> dict[str, CameraCoverage]:
    """Every camera's coverage of the window that ends at ``until``."""
    since = until - window
    totals = coverage.totals(session, since=since, until=until)
    return {
        camera_id: _camera(session, camera_id, totals.get(camera_id), since, window)
        for camera_id in camera_ids
    }


def _camera(
    session: Session, camera_id: str, totals: Totals | None, since: datetime, window: timedelta
) -> CameraCoverage:
    if totals is None:
        unknown = Totals(unrecorded_s=window.total_seconds())
        return CameraCoverage(totals=unknown, stretches=(), watched=None)
    rows = coverage.intervals(session, camera_id, since=since, until=since + window)
    stretches = []
    for row in rows:
        start = max(0.0, (row.started_at - since) / window)
        end = min(1.0, (row.started_at + timedelta(seconds=row.seconds) - since) / window)
        state = CameraState(row.state)
        stretches.append(
            Stretch(state=state, start=start * 1000, width=max(1.0, (end - start) * 1000))
        )
    watched = (totals.live_s + totals.degraded_s) / window.total_seconds()
    return CameraCoverage(totals=totals, stretches=tuple(stretches), watched=min(1.0, watched))
