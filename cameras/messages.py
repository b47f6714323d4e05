"""Everything that one process says to another, as versioned JSON.

Engine and shards talk over the engine's socket, dashboards and shards over the shard's
socket, dashboards and the engine over the engine's socket. A message that does not parse
is counted and refused by whoever reads it; it never ends a process.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from cameras.specs import CameraSpec
from safety.clock import Instant
from safety.types import (
    CameraState,
    MachineState,
    ObjectClass,
    PpeItem,
    PpeState,
    Violation,
)
from zones.arming import Armament
from zones.specs import RuleSpec, ZoneSpec

PROTOCOL: Literal[1] = 1
"""Version of the messages; both sides must have the same."""


class Message(BaseModel):
    """Base of all messages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: Literal[1] = PROTOCOL


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


class ViolationReport(Message):
    """Shard → engine: a violation opened, changed or closed. Sent until confirmed."""

    type: Literal["violation"] = "violation"
    violation: Violation


class ViolationStored(Message):
    """Engine → shard: this report is in the database; the shard may forget it."""

    type: Literal["violation_stored"] = "violation_stored"
    violation_id: str
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


class EvidenceReady(Message):
    """Shard → engine: a file of evidence is complete on disk. Sent until confirmed."""

    type: Literal["evidence"] = "evidence"
    violation_id: str
    kind: Literal["clip", "picture"]
    path: str
    """Relative to the evidence directory."""
    sha256: str
    size_bytes: int
    started_at: Instant
    ended_at: Instant


class EvidenceFailed(Message):
    """Shard → engine: evidence could not be made, and why. Sent until confirmed."""

    type: Literal["evidence_failed"] = "evidence_failed"
    violation_id: str
    kind: Literal["clip", "picture"]
    reason: str


class EvidenceStored(Message):
    """Engine → shard: this piece of evidence, or its failure, is in the database."""

    type: Literal["evidence_stored"] = "evidence_stored"
    violation_id: str
    kind: Literal["clip", "picture"]


class Watch(Message):
    """Dashboard → shard: start sending this camera's packets and metadata."""

    type: Literal["watch"] = "watch"
    camera_id: str
    video: bool = True
    """False: metadata only (the picture comes as JPEG)."""


class Unwatch(Message):
    """Dashboard → shard: stop sending this camera."""

    type: Literal["unwatch"] = "unwatch"
    camera_id: str


class VideoPacket(Message):
    """Shard → dashboard: header of one encoded packet; its bytes follow in the same frame.

    H.264 in Annex B, SPS and PPS in front of key frames.
    """

    type: Literal["packet"] = "packet"
    camera_id: str
    codec: str
    keyframe: bool
    pts_s: float
    """Presentation time in seconds since the camera was connected."""
    at: Instant


class SeenPerson(BaseModel):
    """One person to draw."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    track_id: int
    box: tuple[float, float, float, float]
    keypoints: tuple[tuple[float, float, float], ...]
    ppe: dict[PpeItem, PpeState] = {}
    """What the person wears; empty where nobody looked."""


class DrawnVehicle(BaseModel):
    """One vehicle to draw: where it is seen, and its protective field if its place is known.

    The field is what a supplementary monitor computes, not the vehicle's own scanner's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: str
    reported: bool
    box: tuple[float, float, float, float] | None = None
    speed_mps: float | None = None
    field: tuple[tuple[float, float], ...] | None = None


class Metadata(Message):
    """Shard → dashboard: what to draw over one frame."""

    type: Literal["metadata"] = "metadata"
    camera_id: str
    at: Instant
    pts_s: float | None
    persons: tuple[SeenPerson, ...]
    violated_zones: tuple[str, ...]
    violating_subjects: tuple[str, ...]
    vehicles: tuple[DrawnVehicle, ...] = ()


class SnapshotRequest(Message):
    """Dashboard → shard: one JPEG of the newest frame."""

    type: Literal["snapshot_request"] = "snapshot_request"
    request_id: str
    camera_id: str
    width_px: int = Field(default=960, ge=64, le=3840)


class Snapshot(Message):
    """Shard → dashboard: header of the JPEG that follows in the same frame; empty if none."""

    type: Literal["snapshot"] = "snapshot"
    request_id: str
    camera_id: str
    at: Instant | None
    reason: str = "ok"


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


class ReportedVehicle(BaseModel):
    """Where a vehicle said it was, so many seconds before the message; the plan's metres."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vehicle_id: str
    kind: ObjectClass
    age_s: float
    x_m: float
    y_m: float
    heading_rad: float
    velocity_mps: tuple[float, float]
    yaw_rate_radps: float
    covariance_m2: tuple[float, float, float]
    footprint_m: tuple[tuple[float, float], ...]


class PlantUpdate(Message):
    """Engine → shard: what the plant says; on change and every half second.

    Ages instead of instants: the two may run on machines with different clocks.
    """

    type: Literal["plant_update"] = "plant_update"
    machines: dict[str, MachineState]
    vehicles: tuple[ReportedVehicle, ...]
    lost_vehicles: tuple[str, ...]
    muted_zones: tuple[str, ...]
    open_rules: tuple[str, ...] | None
    """None: not known."""
    active_shifts: tuple[str, ...] | None
    """None: not known."""


class MachineInfo(BaseModel):
    """A machine for people to look at; ``reason`` says why it is unknown, if it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine_id: str
    state: MachineState
    value: str
    age_s: float | None
    reason: str
    feed_id: str | None


class FeedNotice(BaseModel):
    """Something odd about a feed; ``feed.notice.KEY`` is its sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    subject: str
    params: dict[str, str | int | float]


class FeedInfo(BaseModel):
    """How well a feed does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feed_id: str
    kind: str
    connected: bool
    problem_key: str | None
    problem: str | None
    """In English; ``problem_key`` and ``problem_params`` give it in other languages."""
    problem_params: dict[str, str]
    messages: int
    refused: dict[str, int]
    last_refusal: str
    age_s: float | None
    """Since its newest message."""
    notices: tuple[FeedNotice, ...]
    map_residuals_m: dict[str, float] = {}
    """How well the maps of its vehicles fit the floor plan, by map id."""


class PlantStatus(Message):
    """Engine → dashboard: machines, vehicles and feeds; every half second."""

    type: Literal["plant_status"] = "plant_status"
    at: Instant
    machines: tuple[MachineInfo, ...]
    vehicles: tuple[ReportedVehicle, ...]
    """As they are now: positions are extrapolated, ages are those of the reports."""
    lost_vehicles: dict[str, str]
    """Vehicle id → why nobody knows where it is; ``vehicle.lost.REASON`` is its sentence."""
    feeds: tuple[FeedInfo, ...]
    active_shifts: tuple[str, ...]
    muted_zones: tuple[str, ...]


class FloorSighting(Message):
    """Shard → engine: whom and what a calibrated camera sees on the floor; at most 5 times a
    second. Empty when there is nobody."""

    type: Literal["floor_sighting"] = "floor_sighting"
    camera_id: str
    age_s: float
    """Seconds since the frame was captured, when this was written."""
    people: tuple[tuple[int, float, float, float, float, float], ...]
    """Track id, x and y in metres on the plan, xx, xy and yy of the covariance."""
    vehicles: tuple[tuple[int, float, float, float, float, float], ...] = ()


class PlanThing(BaseModel):
    """A person or a vehicle on the plan, whichever cameras see it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int
    x_m: float
    y_m: float
    covariance_m2: tuple[float, float, float]
    velocity_mps: tuple[float, float]
    cameras: tuple[str, ...]


class PlanUpdate(Message):
    """Engine → dashboard: who and what is on the plan; at most 5 times a second, while there is
    anybody, and once when there is nobody any more."""

    type: Literal["plan_update"] = "plan_update"
    at: Instant
    people: tuple[PlanThing, ...]
    vehicles: tuple[PlanThing, ...]
    """Vehicles that cameras see; those that report themselves are in ``PlantStatus``."""


class Shutdown(Message):
    """Engine → shard: finish evidence and leave."""

    type: Literal["shutdown"] = "shutdown"


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


AnyMessage = Annotated[
    Hello
    | Configure
    | Configured
    | ViolationReport
    | ViolationStored
    | CameraStatus
    | ShardStats
    | EvidenceReady
    | EvidenceFailed
    | EvidenceStored
    | Watch
    | Unwatch
    | VideoPacket
    | Metadata
    | SnapshotRequest
    | Snapshot
    | Nudge
    | EngineStatus
    | PlantUpdate
    | PlantStatus
    | FloorSighting
    | PlanUpdate
    | DrillRequest
    | DrillResult
    | Shutdown,
    Field(discriminator="type"),
]

MESSAGES: TypeAdapter[AnyMessage] = TypeAdapter(AnyMessage)
"""Parses one message from JSON."""
