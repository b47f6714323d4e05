"""The value types that every package speaks: frames, detections, observations, violations.

Coordinates are normalised to 0-1 of the full picture (x right, y down) unless a name
says ``_px`` or ``_m``. Pictures are RGB, uint8, shape (height, width, 3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from safety.clock import Instant

Picture = NDArray[np.uint8]
FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

KEYPOINTS: tuple[str, ...] = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""COCO-17 keypoint names, in the order of every keypoint array."""


class ObjectClass(StrEnum):
    """What a detector can find; the position in this list is the class index."""

    PERSON = "person"
    FORKLIFT = "forklift"
    AMR = "amr"


class PpeItem(StrEnum):
    """Protective equipment that a person may have to wear."""

    HARDHAT = "hardhat"
    VEST = "vest"
    GLOVES = "gloves"
    BOOTS = "boots"


class PpeState(StrEnum):
    """Whether a person wears an item; ``unknown`` is "cannot tell" and never alarms."""

    WORN = "worn"
    MISSING = "missing"
    UNKNOWN = "unknown"


class MachineState(StrEnum):
    """What a machine says of itself; ``unknown`` counts as running: zones stay armed."""

    RUNNING = "running"
    IDLE = "idle"
    SETUP = "setup"
    LOTO = "loto"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How urgent a violation is, mildest first."""

    INFO = "info"
    WARNING = "warning"
    DANGER = "danger"


class CameraState(StrEnum):
    """What a camera can honestly be said to watch."""

    LIVE = "live"
    DEGRADED = "degraded"
    BLIND = "blind"


class Phase(StrEnum):
    """Where one violation stands."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"


class FullPicture(Protocol):
    """A decoded frame that becomes a picture only if somebody needs one."""

    def rgb(self) -> Picture:
        """The frame at its own resolution."""
        ...

    def crop(self, left: int, top: int, right: int, bottom: int) -> Picture:
        """A part of ``rgb()``, in its pixels; costs what the part costs, not the whole."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One decoded video frame, already scaled for the network.

    Attributes:
        camera_id: Which camera.
        sequence: Frames decoded from this camera so far, counting this one.
        captured_at: When the last packet of the frame reached this machine.
        width_px, height_px: The stream's own size.
        picture: The stream's picture scaled to network width, aspect kept, not padded.
        full: The same frame at its own resolution, on demand.
    """

    camera_id: str
    sequence: int
    captured_at: Instant
    width_px: int
    height_px: int
    picture: Picture
    full: FullPicture


@dataclass(frozen=True, slots=True, kw_only=True)
class Detections:
    """What a network found in one picture; row i of every array is one object.

    Attributes:
        boxes: (N, 4) float32, left, top, right, bottom, normalised.
        scores: (N,) float32, 0-1, highest first.
        classes: (N,) int64, index into ``ObjectClass``.
        keypoints: (N, 17, 3) float32: x, y normalised, confidence 0-1.
    """

    boxes: FloatArray
    scores: FloatArray
    classes: IntArray
    keypoints: FloatArray

    def __post_init__(self) -> None:
        n = len(self.boxes)
        wanted = {"boxes": (n, 4), "scores": (n,), "classes": (n,), "keypoints": (n, 17, 3)}
        for name, shape in wanted.items():
            got = getattr(self, name).shape
            if got != shape:
                raise ValueError(f"Detections.{name} has shape {got}, expected {shape}")

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def empty(cls) -> "Detections":
        """Nothing found."""
        return cls(
            boxes=np.zeros((0, 4), np.float32),
            scores=np.zeros(0, np.float32),
            classes=np.zeros(0, np.int64),
            keypoints=np.zeros((0, 17, 3), np.float32),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorPosition:
    """Where something stands on the site's floor plan, and how well that is known.

    Attributes:
        x_m, y_m: Metres in the site's plan.
        covariance_m2: xx, xy and yy of the 2x2 covariance, square metres.
        source: What it was computed from: ``"ankles"``, ``"box_bottom"`` or, from hips or
            shoulders and an assumed body height, ``"extrapolated"``; vehicles: ``"box_bottom"``.
    """

    x_m: float
    y_m: float
    covariance_m2: tuple[float, float, float]
    source: Literal["ankles", "box_bottom", "extrapolated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedPerson:
    """One person, followed over time in one camera.

    Attributes:
        track_id: Unique within the camera since the shard started, never reused.
        box: (4,) float32, left, top, right, bottom, normalised.
        score: Detection score of this frame, 0-1.
        keypoints: (17, 3) float32: x, y normalised, confidence 0-1.
        age_s: Seconds since the track was first seen.
        ppe: What the person wears; empty where nobody looked.
        missing_since: When the first of the looks was that say what is missing, monotonic
            seconds.
        floor: Where the person stands; None without calibration or above the horizon.
        velocity_mps: Velocity in the plan, metres per second; None until it is known.
    """

    track_id: int
    box: FloatArray
    score: float
    keypoints: FloatArray
    age_s: float
    ppe: Mapping[PpeItem, PpeState] = field(default_factory=dict)
    missing_since: Mapping[PpeItem, float] = field(default_factory=dict)
    floor: FloorPosition | None = None
    velocity_mps: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenVehicle:
    """One vehicle, followed over time in one camera.

    Attributes:
        track_id: As for persons, numbered apart from them.
        kind: ``FORKLIFT`` or ``AMR``.
        box: (4,) float32, left, top, right, bottom, normalised.
        score: Detection score of this frame, 0-1.
        age_s: Seconds since the track was first seen.
        floor: Middle of its front edge on the floor; None without calibration.
        velocity_mps: Velocity in the plan, metres per second; None until it is known.
        footprint_m: Its outline in the plan, from the size usual for its kind and the width
            seen; None without ``floor``.
        moved: It has been seen moving. What never moved may be a crate, and counts as no
            vehicle in rules.
    """

    track_id: int
    kind: ObjectClass
    box: FloatArray
    score: float
    age_s: float
    floor: FloorPosition | None = None
    velocity_mps: tuple[float, float] | None = None
    footprint_m: tuple[tuple[float, float], ...] | None = None
    moved: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one analysed frame shows.

    Attributes:
        at: When the frame was captured; rules take every duration from this.
        sequence: The frame's number.
        aspect: Width / height of the picture, to turn normalised lengths into angles.
        persons, vehicles: Who and what is followed in this frame.
        latency_s: Seconds from capture to report, p99 of this shard's last frames; None if
            nobody measured it.
    """

    camera_id: str
    at: Instant
    sequence: int
    aspect: float
    persons: tuple[TrackedPerson, ...]
    vehicles: tuple[SeenVehicle, ...] = ()
    latency_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VehiclePose:
    """Where a vehicle that reports itself is, in the site's plan.

    Attributes:
        vehicle_id: As the site's settings name it.
        at: When it was there; poses older than 2 s are not passed on.
        heading_rad: 0 along the plan's x axis, anticlockwise.
        velocity_mps: Velocity in the plan, metres per second.
        yaw_rate_radps: Anticlockwise.
        covariance_m2: xx, xy, yy of the position.
        footprint_m: Outline in the vehicle's own frame (x forward, y left), metres.
        stopping: Reaction (s), braking (m/s²) and room on every side (m); None: not set.
    """

    vehicle_id: str
    kind: ObjectClass
    at: Instant
    x_m: float
    y_m: float
    heading_rad: float
    velocity_mps: tuple[float, float]
    yaw_rate_radps: float = 0.0
    covariance_m2: tuple[float, float, float] = (0.0, 0.0, 0.0)
    footprint_m: tuple[tuple[float, float], ...]
    stopping: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedZone:
    """A zone on the floor that several cameras see, as the whole site knows it.

    Attributes:
        cameras: The cameras that see it.
        people: Everybody in it, each once: the tracks, by camera and track id, by which that
            person is seen or was a moment ago.
        unseen_by: Those of ``cameras`` that cannot tell now who is in it.
    """

    cameras: tuple[str, ...]
    people: tuple[tuple[tuple[str, int], ...], ...] = ()
    unseen_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantState:
    """What the plant says, as of one moment. What is absent is unknown, and so armed.

    Attributes:
        machines: State by machine id.
        vehicles: The vehicles that report where they are, by vehicle id.
        lost_vehicles: Vehicles that should report and do not: their distance is unknown.
        muted_zones: Zones under lock-out or maintenance, by zone id: who, why and until when is
            in the record; a muted zone opens no violations.
        open_rules: Rules of this site that have an open violation, for rules armed by others;
            None: unknown.
        active_shifts: Shifts of the site's calendar that are on now; None: unknown.
        shared_zones: Zones in which people are counted and that several cameras see, by id.
    """

    machines: Mapping[str, MachineState] = field(default_factory=dict)
    vehicles: Mapping[str, VehiclePose] = field(default_factory=dict)
    lost_vehicles: frozenset[str] = frozenset()
    muted_zones: frozenset[str] = frozenset()
    open_rules: frozenset[str] | None = None
    active_shifts: frozenset[str] | None = None
    shared_zones: Mapping[str, SharedZone] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One episode of one rule being broken by one subject, as of one moment.

    Attributes:
        id: UUID4 hex, the same for the whole episode.
        revision: 0 when opened, one higher at every later report of the episode.
        subject: Who or what, e.g. ``"person-12"``; no identity behind it.
        captured_at: When the frame behind this report was captured.
        opened_at: When the rule's hold-to-open had passed.
        closed_at: When it ended; only in phase ``closed``.
        box: The subject in the picture, left, top, right, bottom, normalised; None if gone.
        details: Measured values for people to read, JSON types only.
        end_reason: ``"cleared"``, ``"track_lost"``, ``"camera_blind"``, ``"rule_changed"``,
            ``"shard_lost"``, ``"disarmed"`` or ``"muted"``; only in phase ``closed``.
        shadow: Its rule is in shadow: recorded, and nobody is alerted.
    """

    id: str
    revision: int
    phase: Phase
    rule_id: str
    rule_revision: int
    rule_kind: str
    camera_id: str
    zone_id: str | None
    subject: str
    severity: Severity
    captured_at: Instant
    opened_at: Instant
    closed_at: Instant | None = None
    box: tuple[float, float, float, float] | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    end_reason: str | None = None
    shadow: bool = False
