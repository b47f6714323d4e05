"""A drill: a film plays through a camera's own chain, and one siren answers."""

from pathlib import Path
from typing import Literal

from cameras.messages.base import Message
from safety.clock import Instant
from zones.specs import RuleSpec, ZoneSpec


class DrillRequest(Message):
    """Drill → engine: play this film as if this camera showed it; then sound only this siren."""

    type: Literal["drill_request"] = "drill_request"
    drill_id: str
    camera_id: str
    channel_id: str
    scene: str
    """What the film shows, for the record."""
    film: Path
    """As the camera would send it: codec, size, rate."""
    seconds: float
    """How long the film is."""
    zone: ZoneSpec
    """The zone in the film's picture."""
    rule: RuleSpec
    """The rule on that zone."""
    by: str
    """Who holds the drill."""


class PlayDrill(Message):
    """Engine → shard: play the film in a lane of its own, beside the camera's."""

    type: Literal["play_drill"] = "play_drill"
    drill_id: str
    camera_id: str
    film: Path
    seconds: float
    zone: ZoneSpec
    rule: RuleSpec


class DrillPlayed(Message):
    """Shard → engine: the film's rule fired, or the film is over without that."""

    type: Literal["drill_played"] = "drill_played"
    drill_id: str
    captured_at: Instant | None = None
    """When the frame behind it was captured; None: the rule did not fire."""
    reported_at: Instant
    reason: str = ""
    """Why it did not fire, for people."""
    watched: str = ""
    """What the camera itself was meanwhile: ``live``, ``degraded`` or ``blind``."""
    watched_frames: int = 0
    """Frames of the camera itself that were analysed meanwhile."""


class DrillResult(Message):
    """Engine → drill: what became of it."""

    type: Literal["drill_result"] = "drill_result"
    drill_id: str
    outcome: Literal["sounded", "refused", "failed"]
    reason: str = ""
    """Why not, for people."""
    analysis_s: float | None = None
    """Frame captured → the rule's report."""
    engine_s: float | None = None
    """Report → the engine had it."""
    siren_s: float | None = None
    """Command → the siren's confirmation."""
    total_s: float | None = None
    """Frame captured → the siren's confirmation."""
    watched: str = ""
    watched_frames: int = 0
