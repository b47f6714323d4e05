"""A drill asks for one siren."""

from typing import Literal

from cameras.messages.base import Message
from safety.clock import Instant


class DrillRequest(Message):
    """Drill → engine: the drilled rule fired; sound this siren, and only this one."""

    type: Literal["drill_request"] = "drill_request"
    drill_id: str
    camera_id: str
    channel_id: str
    scene: str
    captured_at: Instant
    """When the frame behind it was captured."""
    reported_at: Instant


class DrillResult(Message):
    """Engine → drill: what became of it."""

    type: Literal["drill_result"] = "drill_result"
    drill_id: str
    outcome: Literal["sounded", "refused", "failed"]
    reason: str = ""
    """Why not, for people."""
    engine_s: float | None = None
    """Report → the engine had it."""
    siren_s: float | None = None
    """Command → the siren's confirmation."""
    total_s: float | None = None
    """Frame captured → the siren's confirmation."""
