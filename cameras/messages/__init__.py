"""Everything that one process says to another, as versioned JSON.

Engine and shards talk over the engine's socket, dashboards and shards over the shard's
socket, dashboards and the engine over the engine's socket. A message that does not parse
is counted and refused by whoever reads it; it never ends a process.
"""

from typing import Annotated

from pydantic import Field, TypeAdapter

from cameras.messages.base import PROTOCOL, Message
from cameras.messages.drills import DrillPlayed, DrillRequest, DrillResult, PlayDrill
from cameras.messages.live import (
    DrawnVehicle,
    Metadata,
    SeenPerson,
    Snapshot,
    SnapshotRequest,
    Unwatch,
    VideoPacket,
    Watch,
)
from cameras.messages.plan import FloorSighting, PlanThing, PlanUpdate
from cameras.messages.plant import (
    FeedInfo,
    FeedNotice,
    MachineInfo,
    PlantStatus,
    PlantUpdate,
    ReportedVehicle,
)
from cameras.messages.ppe import PpeSum, PpeSums
from cameras.messages.records import (
    ClipRequest,
    EvidenceFailed,
    EvidenceReady,
    EvidenceStored,
    ViolationReport,
    ViolationStored,
)
from cameras.messages.shards import (
    CameraStatus,
    Configure,
    Configured,
    EngineStatus,
    Hello,
    Nudge,
    ShardStats,
    Shutdown,
)

__all__ = [
    "MESSAGES",
    "PROTOCOL",
    "AnyMessage",
    "CameraStatus",
    "ClipRequest",
    "Configure",
    "Configured",
    "DrawnVehicle",
    "DrillPlayed",
    "DrillRequest",
    "DrillResult",
    "EngineStatus",
    "EvidenceFailed",
    "EvidenceReady",
    "EvidenceStored",
    "FeedInfo",
    "FeedNotice",
    "FloorSighting",
    "Hello",
    "MachineInfo",
    "Message",
    "Metadata",
    "Nudge",
    "PlanThing",
    "PlanUpdate",
    "PlantStatus",
    "PlantUpdate",
    "PlayDrill",
    "PpeSum",
    "PpeSums",
    "ReportedVehicle",
    "SeenPerson",
    "ShardStats",
    "Shutdown",
    "Snapshot",
    "SnapshotRequest",
    "Unwatch",
    "VideoPacket",
    "ViolationReport",
    "ViolationStored",
    "Watch",
]

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
    | ClipRequest
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
    | PpeSums
    | PlanUpdate
    | DrillRequest
    | PlayDrill
    | DrillPlayed
    | DrillResult
    | Shutdown,
    Field(discriminator="type"),
]

MESSAGES: TypeAdapter[AnyMessage] = TypeAdapter(AnyMessage)
"""Parses one message from JSON."""
