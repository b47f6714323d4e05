"""The evidence of one alert as people see it: every camera's clip, and what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from dashboard import inbox
from dashboard.inbox import AlertView
from safety.store import evidence, evidence_keeping
from safety.store.tables import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipView:
    """One camera's clip.

    Attributes:
        begins_s, ends_s: Its first and last picture, in seconds since the violation opened.
    """

    file: Evidence
    camera_name: str
    begins_s: float
    ends_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmade:
    """A file that could not be made.

    Attributes:
        other_camera: Name of the camera that was asked for it; empty: the one that found the
            violation.
    """

    kind: str
    other_camera: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvidence:
    """All of it.

    Attributes:
        clips: Of the camera that found the violation first, then of the others.
        awaited: Names of other cameras whose clip may still come.
        deleted: Something was deleted since, because its time had come.
        pending: Something may still come.
        seen: Changes whenever this has to be drawn anew.
    """

    clips: Sequence[ClipView]
    unmade: Sequence[Unmade]
    awaited: Sequence[str]
    deleted: bool
    pending: bool
    seen: str


def read_evidence(session: Session, view: AlertView, *, now: datetime) -> AlertEvidence:
    """The evidence of one alert."""
    violation = view.violation
    rows = evidence.of_violation(session, violation.id) if violation is not None else ()
    names = inbox.camera_names(session, {row.other_camera for row in rows})
    fresh = now - view.alert.raised_at < inbox.FILES_WAIT
    failed = [row for row in rows if row.state == evidence.FAILED]
    awaited = [row for row in failed if fresh and row.reason == evidence.ASKED]
    own = sum(not row.other_camera for row in rows)
    return AlertEvidence(
        clips=[_clip(row, view, names) for row in rows if _is_clip(row)],
        unmade=[
            Unmade(
                kind=row.kind,
                other_camera=names.get(row.other_camera, row.other_camera),
                reason=row.reason or "internal",
            )
            for row in failed
            if row not in awaited
        ],
        awaited=[names.get(row.other_camera, row.other_camera) for row in awaited],
        deleted=any(row.state in evidence_keeping.GONE for row in rows),
        pending=bool(awaited) or (violation is not None and own < 2 and fresh),
        seen="".join(row.state[0] for row in rows),
    )


def _is_clip(row: Evidence) -> bool:
    return row.kind == "clip" and row.state == evidence.READY


def _clip(row: Evidence, view: AlertView, names: dict[str, str]) -> ClipView:
    zero = view.violation.opened_at if view.violation else view.alert.raised_at
    begins, ends = row.started_at or zero, row.ended_at or zero
    return ClipView(
        file=row,
        camera_name=names.get(row.other_camera, row.other_camera) or view.camera_name,
        begins_s=(begins - zero).total_seconds(),
        ends_s=(ends - zero).total_seconds(),
    )
