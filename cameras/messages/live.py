"""Live video, what is drawn over it, and stills: a shard to a dashboard."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cameras.messages.base import Message
from safety.clock import Instant
from safety.types import PpeItem, PpeState


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
