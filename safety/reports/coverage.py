"""How long each camera really watched: every other figure's denominator."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from safety.reports.schema import CameraCoverage, ReasonHours
from safety.store import coverage
from safety.types import CameraState

_HOUR_S = 3600.0


def camera_coverage(
    session: Session, names: Mapping[str, str], *, since: datetime, until: datetime
) -> tuple[CameraCoverage, ...]:
    """Coverage of every camera that is configured, or was in the window.

    Args:
        session: A session.
        names: By camera, as configured now.
        since, until: The window, UTC; it ends at the present at the latest.
    """
    seen = coverage.first_seen(session)
    in_window = coverage.totals(session, since=since, until=until)
    known = sorted(set(names) | set(in_window))
    return tuple(
        _camera(session, camera, names.get(camera, camera), seen.get(camera), since, until)
        for camera in known
    )


def monitored_hours(cameras: Sequence[CameraCoverage]) -> dict[str, float]:
    """Monitored hours by camera."""
    return {camera.camera_id: camera.monitored_hours for camera in cameras}


def _camera(
    session: Session,
    camera_id: str,
    name: str,
    installed_at: datetime | None,
    since: datetime,
    until: datetime,
) -> CameraCoverage:
    """A camera counts as installed from the first moment on that anything is known of it."""
    start = until if installed_at is None else min(max(since, installed_at), until)
    installed = (until - start).total_seconds()
    hours: dict[tuple[str, str], float] = {}
    for row in coverage.intervals(session, camera_id, since=start, until=until):
        end = min(coverage.end_of(row), until)
        inside = max(0.0, (end - max(row.started_at, start)).total_seconds())
        key = row.state, row.reason
        hours[key] = hours.get(key, 0.0) + inside
    states = {state: _hours(hours, state) for state in CameraState}
    known = sum(hours.values())
    return CameraCoverage(
        camera_id=camera_id,
        name=name,
        installed_hours=round(max(installed, known) / _HOUR_S, 2),
        monitored_hours=states[CameraState.LIVE],
        degraded_hours=states[CameraState.DEGRADED],
        blind_hours=states[CameraState.BLIND],
        unknown_hours=round(max(0.0, installed - known) / _HOUR_S, 2),
        reasons=tuple(
            ReasonHours(state=state, reason=reason, hours=round(seconds / _HOUR_S, 2))
            for (state, reason), seconds in sorted(hours.items(), key=lambda item: -item[1])
            if state != CameraState.LIVE and seconds >= 1
        ),
    )


def _hours(hours: Mapping[tuple[str, str], float], state: CameraState) -> float:
    return round(sum(s for (name, _), s in hours.items() if name == state) / _HOUR_S, 2)
