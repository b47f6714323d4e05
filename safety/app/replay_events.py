"""What a replay found, in the words of its JSON."""

from datetime import UTC, datetime, timedelta
from typing import Any

from safety.replay.compare import Difference
from safety.replay.run import Firing


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
        "seconds": _seconds(firing),
        "details": firing.details,
    }


def _seconds(firing: Firing) -> float | None:
    if firing.closed_at is None:
        return None
    return round(firing.closed_at.monotonic - firing.opened_at.monotonic, 2)


def iso(wall: float) -> str:
    """Unix seconds as an ISO time in UTC."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=wall)).isoformat()
