"""What a replay found, in the words of its JSON."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from safety.replay.compare import Difference
from safety.replay.run import Firing
from safety.store.evidence_times import ClipTime, best_clip

AROUND = timedelta(seconds=1)
"""A clip that ends or begins so close to an event still shows how it came, or went."""


def event_of(difference: Difference) -> dict[str, Any]:
    """One event, and what becomes of it."""
    firing = difference.firing
    return {
        "change": difference.change,
        "rule": firing.rule_id,
        "kind": firing.rule_kind,
        "camera": firing.camera_id,
        "zone": firing.zone_id,
        "subject": firing.subject,
        "opened_at": iso(firing.opened_at.wall),
        "seconds": seconds_of(firing),
        "details": firing.details,
    }


def seconds_of(firing: Firing) -> float | None:
    """How long it lasted; None: it was open at the end."""
    if firing.closed_at is None:
        return None
    return round(firing.closed_at.monotonic - firing.opened_at.monotonic, 2)


def iso(wall: float) -> str:
    """Unix seconds as an ISO time in UTC."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=wall)).isoformat()


def clip_of(difference: Difference, clips: Sequence[ClipTime]) -> dict[str, Any] | None:
    """The clip in which an event can be looked at, and where in it; None: there is none."""
    firing = difference.firing
    opened = datetime.fromtimestamp(firing.opened_at.wall, UTC)
    lasted = timedelta(seconds=seconds_of(firing) or 0.0)
    clip = best_clip(clips, firing.camera_id, opened - AROUND, opened + lasted + AROUND)
    if clip is None:
        return None
    return {
        "evidence": clip.evidence_id,
        "violation": clip.violation_id,
        "path": clip.path,
        "at_s": round(max(0.0, (opened - clip.started_at).total_seconds()), 2),
    }
