"""Which clips show what a camera saw at a given time, whatever they were made for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, and_, col, or_, select

from safety.store.evidence import READY
from safety.store.tables import Evidence, ViolationRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipTime:
    """A clip, the camera that made it, and when."""

    evidence_id: str
    violation_id: str
    camera_id: str
    path: str
    started_at: datetime
    ended_at: datetime

    def overlap_s(self, since: datetime, until: datetime) -> float:
        """Seconds of this time that it shows; negative: how far it is from it."""
        return (min(self.ended_at, until) - max(self.started_at, since)).total_seconds()


def clips_during(
    session: Session, cameras: Collection[str], since: datetime, until: datetime
) -> list[ClipTime]:
    """The clips of these cameras that are there and show some of this time, oldest first.

    Args:
        session: A transaction.
        cameras: Ids; a clip belongs to the camera that made it, even if another one found the
            violation.
        since, until: UTC.
    """
    query = (
        select(Evidence, ViolationRow.camera_id)
        .join(ViolationRow, col(ViolationRow.id) == Evidence.violation_id)
        .where(
            Evidence.kind == "clip",
            Evidence.state == READY,
            col(Evidence.ended_at) > since,
            col(Evidence.started_at) < until,
            or_(
                col(Evidence.other_camera).in_(cameras),
                and_(Evidence.other_camera == "", col(ViolationRow.camera_id).in_(cameras)),
            ),
        )
        .order_by(col(Evidence.started_at), col(Evidence.id))
    )
    return [
        ClipTime(
            evidence_id=row.id,
            violation_id=row.violation_id,
            camera_id=row.other_camera or found_by,
            path=row.path or "",
            started_at=row.started_at,
            ended_at=row.ended_at,
        )
        for row, found_by in session.exec(query)
        if row.started_at is not None and row.ended_at is not None
    ]


def best_clip(
    clips: Sequence[ClipTime], camera_id: str, since: datetime, until: datetime
) -> ClipTime | None:
    """The clip of a camera that shows most of a time; of those that show the same, the first."""
    shown = [
        (each.overlap_s(since, until), -number, each)
        for number, each in enumerate(clips)
        if each.camera_id == camera_id
    ]
    most = max(shown, key=lambda each: each[:2], default=None)
    return None if most is None or most[0] <= 0 else most[2]
