"""What the engine and its shards say to each other about cameras."""

from typing import Literal

from cameras.messages.base import Message
from cameras.specs import CameraSpec
from safety.clock import Instant
from safety.types import CameraState, PpeItem, PpeState
from zones.arming import Armament
from zones.specs import RuleSpec, ZoneSpec


class Hello(Message):
    """First message of whoever connects to the engine."""

    type: Literal["hello"] = "hello"
    role: Literal["shard", "dashboard", "drill"]
    name: str
    pid: int


class Configure(Message):
    """Engine → shard: the cameras to run, with their zones and rules; replaces the last one."""

    type: Literal["configure"] = "configure"
    revision: int
    """The site's configuration revision."""
    rule_revisions: dict[str, int]
    """Revision of every rule, by rule id."""
    cameras: tuple[CameraSpec, ...]
    zones: tuple[ZoneSpec, ...]
    rules: tuple[RuleSpec, ...]
    cameras_in_all: int = 0
    """Cameras of the site that are in use, those of other shards too: they share the machine."""


class Configured(Message):
    """Shard → engine: the configuration of this revision is in force."""

    type: Literal["configured"] = "configured"
    revision: int


class CameraStatus(Message):
    """Shard → engine → dashboard: the state of one camera; on change and every second."""

    type: Literal["camera_status"] = "camera_status"
    camera_id: str
    shard: str
    state: CameraState
    reason: str
    """``ok``, ``starting``, ``no_frames``, ``frozen``, ``slow``, ``unauthorized``,
    ``not_found``, ``not_video``, ``unreachable``, ``corrupt``, ``disabled``, ``model_error``,
    ``ppe_unavailable``, ``cannot_resolve``, ``shard_lost``; a translation key."""
    since: Instant
    """When the camera entered this state."""
    at: Instant
    codec: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    capture_fps: float = 0.0
    analysis_fps: float = 0.0
    frame_age_s: float | None = None
    """Age of the newest analysed frame."""
    frames_captured: int = 0
    frames_analysed: int = 0
    frames_dropped: int = 0
    reconnects: int = 0
    ppe_seconds: dict[PpeItem, dict[PpeState, float]] = {}
    """For how long persons whom a rule concerns were in each state, summed over persons, since
    the shard began; ``unknown`` is "cannot tell"."""
    rules: dict[str, Armament] = {}
    """Whether every rule that this camera's pictures are judged by is armed, by rule id."""
    doubts: dict[str, tuple[str, ...]] = {}
    """What armed rules cannot tell now, by rule id; ``doubt.*`` are the sentences."""
    unresolved_zones: tuple[str, ...] = ()
    """Zones in which a person would be too small in this camera's picture to be found."""
    zone_heights_px: dict[str, float | None] = {}
    """Height of a standing person in the far part of every zone, in pixels of the network's
    input; null where nobody knows."""
    regions: tuple[tuple[float, float, float, float], ...] = ()
    """Close-ups that are analysed beside the whole picture: left, top, right, bottom, 0-1."""


class ShardStats(Message):
    """Shard → engine: figures of the process, every second."""

    type: Literal["shard_stats"] = "shard_stats"
    shard: str
    at: Instant
    inference_ms_p50: float
    inference_ms_p99: float
    batch_mean: float
    spool_waiting: int
    """Reports that the engine has not confirmed."""
    spool_degraded: bool
    """The spool file cannot be written; reports wait in memory only."""
    refused_messages: int
    rss_bytes: int
    cpu_seconds: float
    frame_to_report_s: tuple[float, ...] = ()
    """Capture → violation report, for the violations since the last message."""
    ppe_pictures: int = 0
    """Pictures that the equipment network has looked at."""
    ppe_ms: float = 0.0
    """Median time of the equipment network for one picture; 0 while it is not used."""
    device_failed: bool = False
    """The processor runs a network because the device that was to run it is missing or failed."""


class Nudge(Message):
    """Dashboard → engine: look at the database now (configuration, acknowledgement, …)."""

    type: Literal["nudge"] = "nudge"
    what: Literal["config", "alerts", "mutes"]


class EngineStatus(Message):
    """Engine → dashboard: which shards there are; on change and every second."""

    type: Literal["engine_status"] = "engine_status"
    at: Instant
    shards: dict[str, bool]
    """Shard name → alive."""
    store_ok: bool
    channels: dict[str, str]
    """Channel id → ``ok``, ``unknown``, ``failing`` or ``open`` (breaker)."""
    siren_silent: bool
    """No siren is sounding."""
    device_failed: tuple[str, ...] = ()
    """Shards that run on the processor because their device is missing or failed."""
    unwatched_zones: tuple[str, ...] = ()
    """Zones on the floor that no calibrated camera sees: NOT MONITORED."""


class Shutdown(Message):
    """Engine → shard: finish evidence and leave."""

    type: Literal["shutdown"] = "shutdown"
